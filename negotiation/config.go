package negotiation

import (
	"context"
	"crypto/x509"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Demand is how a side treats an optional feature that both must support.
type Demand uint8

// The three demands. The zero value is the one that suits most connections.
const (
	Preferred Demand = iota // used if the peer supports it
	Off                     // neither offered nor accepted
	Required                // without it there is no connection
)

// Config is what a client or a server may do and which peers it trusts. A handshake never modifies
// it.
type Config struct {
	Rand io.Reader // randoms, private keys of key exchanges, IVs, paddings and salts come from here
	Now  time.Time // for certificates
	Log  *trace.Log

	// KeyLog, if set, writes a secret that is just derived. Its error ends the handshake.
	KeyLog func(keylog.Line) error

	*Parameters
	Identity
	Trust
	Resumption
	PreShared
	EarlyData

	// RecordPadding is record.Half's Pad for what we send.
	RecordPadding func(n int) int

	// Kept, if set, is shared by the connections of one program's configuration.
	Kept *Kept

	// QUIC, if set, makes this a handshake of QUIC, which is of TLS 1.3. See RFC 9001.
	QUIC *QUIC

	// Prior is the handshake that a client's renegotiation follows; nil in a connection's first.
	Prior *Prior
}

// Kept is what was computed last, and is the same for most connections of a program. It may be used
// by several connections at once. The zero value is empty.
type Kept struct {
	digests [2]atomic.Pointer[digests] // by side
	offered atomic.Pointer[offered]
}

// offered is the extensions that a client with certain Parameters offers in each hello, by row; nil
// where it offers none, or one that depends on more. They are never changed.
type offered struct {
	by         *Parameters
	extensions []*message.Extension
}

// Prior is the handshake that a renegotiation is bound to, so that an attacker cannot splice two
// connections: RFC 5746 §3.5. The peer's identity, and how the master_secret is derived, must not
// change.
type Prior struct {
	VerifyData [2][]byte // by side
	Leaf       []byte    // the server's certificate or raw public key, DER
	Agreed     *Agreed
	Number     int // of the handshakes that this one follows, from 1
}

// Parameters are what is offered or accepted, best first. Connections may share them: they are not
// changed.
type Parameters struct {
	Policy                 string // the set of defaults: sessions are bound to it
	MinVersion, MaxVersion iana.Version
	Suites                 []iana.CipherSuite // until TLS 1.2
	Suites13               []iana.CipherSuite // of TLS 1.3
	// a server orders Suites13: see suite.PreferenceWith13
	ByMachine13 bool
	// a server takes the client's order of suites and groups
	ClientOrder bool
	Groups      []iana.Group
	KeyShares   []iana.Group // of a client's first hello of TLS 1.3; nil: it chooses
	Schemes     []iana.SignatureScheme
	MinDHBits   int  // the shortest prime of a peer's own finite-field group
	LaxKeyUsage bool // of a server's RSA certificate: see pki.Chain.Fits

	ExtendedMasterSecret Demand // RFC 7627
	EncryptThenMAC       Demand // RFC 7366; Required only concerns CBC suites
	SecureRenegotiation  Demand // RFC 5746; Required rejects a server without it
	StatusRequest        Demand // RFC 6066 §8; Required rejects a server that sends no response
	// signed_certificate_timestamp, RFC 6962 §3.3: passed on, not verified
	Timestamps        Demand
	MaxFragmentLength uint8 // requested by a client, as the code of RFC 6066 §4; 0: none
	// the longest plaintext that we accept, RFC 8449; 0: not sent
	RecordSizeLimit uint16
	Protocols       []string

	// CertificateCompression is what may compress either side's certificates in TLS 1.3, best
	// first; see RFC 8879.
	CertificateCompression []iana.CertificateCompressionAlgorithm

	// CookieKeys make a server answer every first ClientHello of TLS 1.3 with a HelloRetryRequest,
	// whose cookie holds what must be remembered. The first makes cookies, all open them.
	CookieKeys [][32]byte

	// PostHandshakeAuth lets a client answer a request for a certificate that comes after the
	// handshake, and a server make one. See RFC 8446 §4.6.2.
	PostHandshakeAuth bool

	// Hello2 lets a client begin with a hello in the form of SSL 2.0, for TLS 1.2 at most. See RFC
	// 5246 appendix E.2 and RFC 8446 §D.5.
	Hello2 bool

	// GREASE adds reserved values to what we offer and request: see RFC 8701.
	GREASE bool

	// FullRecords makes records of data as long as they may be from the first one on.
	FullRecords bool

	// HelloFragment is how many bytes of its first ClientHello a client puts in a record; 0 means
	// record.MaxPlaintext.
	HelloFragment int

	// RecordSplitDisabled leaves out the record of one byte before data with CBC in TLS 1.0.
	RecordSplitDisabled bool
}

// Identity is the credentials of this side.
type Identity struct {
	Credentials []*pki.Credential
	// CertificateTypes are the types that a client offers to send, best first; nil: the types of
	// Credentials, in their order.
	CertificateTypes []iana.CertificateType
	// a server's: reject a client whose server_name is the name of no credential
	NamedOnly bool
	Hooks
}

// Hooks are callbacks of the program for decisions that depend on the peer's messages. They may be
// slow: they are called through Pending. Each may be nil.
type Hooks struct {
	// ForClient returns another configuration for a server's client, or nil. What was decided
	// before, the Log and the Rand stay. See Machine.Config.
	ForClient func(context.Context, *message.ClientHello) (*Config, error)
	// ForServerName returns a server's credentials for this client; none: those of the
	// configuration.
	ForServerName func(context.Context, *message.ClientHello) ([]*pki.Credential, error)
	// ForRequest returns a client's credential for a request, or nil to send none.
	ForRequest func(context.Context, pki.Request, iana.Version) (*pki.Credential, error)
}

// Trust is how a peer is authenticated.
type Trust struct {
	// a client's: sent as server_name unless it is an address, and checked
	ServerName string
	Roots      *x509.CertPool // of servers for a client, of clients for a server; nil: the system's
	Skip       bool           // a client's: the server is not authenticated

	// Legacy accepts certificates that are signed with SHA-1 or SHA-224. LegacyRoots are roots
	// besides Roots, for chains whose signatures crypto/x509 does not compute. See pki.Trust.
	Legacy      bool
	LegacyRoots []*x509.Certificate

	EachChain bool // verify a chain also if its verdict is known from before: see pki.VerifyOnce

	ClientAuth ClientAuth // a server's

	// VerifyPeer, if set, is called after every other check succeeded, or alone where nothing else
	// is checked; and again before a session is resumed.
	VerifyPeer func(raw [][]byte, verified [][]*x509.Certificate) error

	// PeerTypes are the certificate types that this side accepts of its peer, best first; nil:
	// X.509 alone. VerifyRawKey, if set, decides alone about a raw public key (DER): without it one
	// is accepted only where any certificate is. It is called again before a session is resumed.
	PeerTypes    []iana.CertificateType
	VerifyRawKey func(spki []byte) error

	// Accept, if set, decides last about a connection, a resumed one included: it is called after
	// every other check and before a session is kept. It may be slow.
	Accept func(context.Context) error
}

// ClientAuth is what a server requires of its clients.
type ClientAuth struct {
	Request bool // send a CertificateRequest
	Require bool // reject an empty answer
	Verify  bool // against Roots; otherwise any certificate is accepted
}

// CurrentTime returns the time at which certificates are checked.
func (c *Config) CurrentTime() time.Time {
	if c.Now.IsZero() {
		return time.Now()
	}
	return c.Now
}

// TicketTime returns the time by which tickets are dated.
func (c *Config) TicketTime() time.Time {
	if c.Clock == nil {
		return c.CurrentTime()
	}
	return c.Clock()
}

// EarlyData is what a side may do with early data. The zero value sends none and accepts none.
type EarlyData struct {
	// Clock returns the time by which tickets are dated and their ages checked; nil: Config.Now,
	// which is fixed. A hello or a ticket may arrive long after the connection was made.
	Clock func() time.Time

	// Sends lets a client send early data, if its ticket allows it.
	Sends bool

	// Reads means that the program of a server reads the early data of this connection. Without it
	// none is accepted.
	Reads bool
	// MaxEarlyData is how many bytes of early data the tickets of a server allow; 0: none.
	MaxEarlyData uint32
	// EarlyFrom is the time before which a server accepts none. See EarlyWindow.
	EarlyFrom time.Time
	// Announce makes a new ticket known to Take. Take reports whether a ticket is known, and
	// forgets it: of all calls for one ticket, one reports true. Both may be slow.
	Announce func(ctx context.Context, ticket []byte) error
	Take     func(ctx context.Context, ticket []byte) (bool, error)
}

// Offers13 reports whether a client offers TLS 1.3.
func (c *Config) Offers13() bool { return c.MaxVersion >= iana.TLS13 }

// PskModes returns the modes in which this side uses a pre-shared key.
func (c *Config) PskModes() []iana.PSKKeyExchangeMode {
	if c.Modes == nil {
		return []iana.PSKKeyExchangeMode{iana.PSKDHEKE}
	}
	return c.Modes
}

// CommonMode returns the first of our modes that the peer supports too.
func (c *Config) CommonMode(theirs []iana.PSKKeyExchangeMode) (m iana.PSKKeyExchangeMode, ok bool) {
	for _, m := range c.PskModes() {
		if slices.Contains(theirs, m) {
			return m, true
		}
	}
	return 0, false
}

// speaksPSK reports whether a suite needs no pre-shared key or this side has some.
func (c *Config) speaksPSK(s *suite.Suite) bool { return !s.PreShared() || c.FindKey != nil }

// QUIC is what a handshake needs to know from QUIC.
type QUIC struct {
	// TransportParameters is the content of our quic_transport_parameters. The handshake waits as
	// long as it is nil. See RFC 9000 §18.
	TransportParameters []byte
}
