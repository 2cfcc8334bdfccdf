package negotiation

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Extension is one row of the table: the messages that may carry it up to TLS 1.2 and in TLS 1.3,
// what a client offers, what a server answers, and what the answer negotiates. Nil functions do
// nothing.
type Extension struct {
	Type       iana.ExtensionType
	ref        string
	in12, in13 message.Place
	offer      offer
	answer     func(*Config, *Answering) (message.Content, bool, error)
	apply      func(a *Agreed, client, server message.Extensions) error
}

// offer is what a client offers in an extension, and whether it does: once for all connections if
// that depends on the Parameters and GREASE alone.
type offer struct {
	once func(*Parameters, *Greased) (message.Content, bool)
	each func(*Offering) (message.Content, bool)
}

// Offering is what a client's extensions depend on.
type Offering struct {
	*Config
	Greased *Greased
	Keys    []*Key13                // pre-shared keys of TLS 1.3, in their order
	Shares  []message.KeyShareEntry // our public keys
	Early   bool                    // early data follows
	Retry   *message.ServerHello    // that this hello answers, or nil
}

// Answering is what a server's extensions of one message depend on.
type Answering struct {
	At      message.Place
	Version iana.Version
	Hello   *message.ClientHello
	Chosen  *Choice
	Key     *kex.Answer // our share, in a ServerHello of TLS 1.3
	Log     *trace.Log
}

// The messages that may carry an extension, as the tables of RFC 8446 §4.2 and, for TLS 1.2, of the
// extensions' own RFCs have it. A ClientHello may have the extensions of every version.
const (
	inCH = message.InClientHello
	inSH = message.InServerHello
	inHR = message.InHelloRetryRequest
	inEE = message.InEncryptedExtensions
	inCT = message.InCertificate
	inCR = message.InCertificateRequest
	inNT = message.InNewSessionTicket

	hellos = inCH | inSH
)

// requests are the messages whose extensions answer nothing: unknown ones in them are ignored.
const requests = inCH | inCR | inNT

// Extensions has the rows in the order of our hellos. It is set by init: the functions in it refer
// to it.
var Extensions []Extension

// low has the index of the row of an extension with a small number, plus one: most are looked up
// several times in a handshake.
var low [64]uint8

func extensionRow(t iana.ExtensionType) *Extension {
	if int(t) < len(low) {
		if low[t] == 0 {
			return nil
		}
		return &Extensions[low[t]-1]
	}
	for i := range Extensions {
		if Extensions[i].Type == t {
			return &Extensions[i]
		}
	}
	return nil
}

// places returns the messages of a version that may carry an extension.
func (x *Extension) places(v iana.Version) message.Place {
	if v == iana.TLS13 {
		return x.in13
	}
	return x.in12
}

// Asked reports whether a ClientHello requested an answer. renegotiation_info may also answer the
// SCSV, which stands for an empty extension: RFC 5746 §3.4.
func (x *Extension) Asked(ch *message.ClientHello) bool {
	return ch.Extensions.Has(x.Type) ||
		x.Type == iana.ExtRenegotiationInfo && ch.Offers(iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
}
