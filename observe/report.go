package observe

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
)

// Flow counts what was read, and not read, of one direction.
type Flow struct {
	Bytes         int64 // of application data, decrypted and authenticated
	Records       int   // with application data; empty ones do not count
	Missing       int64 // bytes that are not in the capture
	Unread        int64 // bytes of records of application data that could not be read
	UnreadRecords int
	Early         int64 // bytes of Bytes that were early data, accepted or not
	EarlyUnread   int64 // bytes of Unread that were early data
	Clear         int64 // bytes in the clear behind the last record: TLS was for a login only
	Torn          int   // records of which a part is missing
	Refused       int   // records that did not authenticate
	First         uint64
	FirstType     iana.ContentType // First and FirstType: number and type of the first Refused
}

func (f *Flow) add(plain []byte) {
	if len(plain) > 0 {
		f.Bytes += int64(len(plain))
		f.Records++
	}
}

// refused counts a record that could not be opened.
func (f *Flow) refused(h record.Header, seq uint64, torn bool) {
	switch {
	case torn:
		f.Torn++
	case f.Refused == 0:
		f.First, f.FirstType = seq, h.Type
		fallthrough
	default:
		f.Refused++
	}
	if h.Type == iana.RecordApplicationData {
		f.Unread += int64(h.Length)
		f.UnreadRecords++
	}
}

// Report is the result for a connection.
type Report struct {
	negotiated

	Renegotiations int
	Source         string // of the secret; empty without one
	Done           bool   // the handshake was seen to its end
	Verified       [2]bool
	Unverified     []string // what could not be verified
	Flows          [2]Flow  // by sender
	Decrypted      bool     // all application data was
	Reason         *Reason  // why not, or nil
	// Why what a side sent was not all read, by sender; nil if it was.
	Reasons [2]*Reason

	// Clear names what a connection without TLS is, if its first bytes tell, or is empty.
	Clear string
}

// negotiated is what the first handshake negotiated.
type negotiated struct {
	Version              iana.Version // 0: not known
	Suite                iana.CipherSuite
	KeyExchange          string // "ECDHE_RSA"; empty if not known
	Group                string
	ServerName, ALPN     string
	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	Resumed              bool
	EarlyData            bool // the server accepted early data
	EarlyOffered         bool
	EarlyKnown           bool // whether the server accepted it
}

// hellos fills in what the hellos say, even if the observer cannot continue.
func (r *negotiated) hellos(m *handshake.Machine) {
	r.Version, r.Suite = negotiation.VersionOf(m.ServerHello), m.ServerHello.CipherSuite
	r.ServerName = negotiation.ServerName(m.ClientHello)
	r.EarlyOffered = m.OfferedEarly()
	r.EarlyKnown = m.EncryptedExtensions != nil || m.Retried()
	if a := m.Agreed; a != nil {
		r.KeyExchange, r.Group, r.ALPN = m.Exchange(), m.GroupName, a.ALPN
		r.ExtendedMasterSecret, r.EncryptThenMAC = a.ExtendedMasterSecret,
			m.ServerHello.Extensions.Has(iana.ExtEncryptThenMAC)
		r.Resumed, r.EarlyData = m.Resumed || m.ResumedByPSK(), m.EarlyAccepted()
		return
	}
	if exchange, _, named := strings.Cut(strings.TrimPrefix(r.Suite.String(), "TLS_"),
		"_WITH_"); named {
		r.KeyExchange = exchange
	}
}

// versionText names a version, and those that drafts of TLS 1.3 had.
func versionText(v iana.Version) string {
	switch {
	case v>>8 == 0x7F:
		return fmt.Sprintf("%v (draft %d of TLS 1.3)", v, byte(v))
	case v>>8 == 0x7E || v>>8 == 0xFB:
		return fmt.Sprintf("%v (an experiment before TLS 1.3)", v)
	}
	return v.String()
}

// missingOf counts the bytes of each side that are not in the capture.
func missingOf(flows [2]Flow) string {
	var sides []string
	for side, f := range flows {
		if f.Missing > 0 {
			sides = append(sides, fmt.Sprintf("%s of the %v", plural(int(f.Missing), "byte",
				"bytes"), iana.Side(side)))
		}
	}
	return strings.Join(sides, " and ")
}

// worst returns the reason of the greater weight, or the one that is not nil.
func worst(a, b *Reason) *Reason {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return worse(a, b)
}

// explain returns the reason with its sentences.
func (r *Reason) explain(m *handshake.Machine, about *Report) *Reason {
	t := *r
	switch r.Code {
	case NoSecret:
		if t.Detail == "" {
			t.Detail = "no secret for this connection was given"
			if t.inVain != "" {
				t.Detail = "none of the secrets given belongs to this connection: " + t.inVain
				t.inVain = ""
			}
		}
		if t.Needs != nil {
			break
		}
		t.Remedy = "give a key log, which browsers and servers write when SSLKEYLOGFILE is set"
		t.Needs = []Need{NeedKeyLog}
		if m.Agreed.Kex == iana.KexRSA {
			t.Remedy = "give the server's private key or a key log"
			t.Needs = []Need{NeedPrivateKey, NeedKeyLog}
		}
	case ForwardSecret:
		t.Detail = fmt.Sprintf("the key exchange is %s: the private key of the certificate only "+
			"signs, and cannot open what was recorded", about.KeyExchange)
		if m.Agreed.Kex.PreShared() {
			t.Detail = fmt.Sprintf("the key exchange is %s: neither the pre-shared key nor the "+
				"private key of a certificate opens what was recorded", about.KeyExchange)
		}
		if about.EarlyOffered {
			t.Detail = fmt.Sprintf("the key exchange is %s: the pre-shared key opens nothing but "+
				"the early data, and the private key of a certificate nothing", about.KeyExchange)
		}
		t.Remedy = "a key log that client or server wrote during the connection can, or an " +
			"ephemeral private key of either side"
		t.Needs = []Need{NeedKeyLog, NeedEphemeralKey}
		if m.Group.Hybrid() {
			t.Remedy += " (of both halves of " + m.GroupName + ")"
		}
	case UnknownResumedSession:
		t.Detail = "the connection resumes a session whose full handshake is not in the capture, " +
			"or could not be opened"
		t.Remedy = "give a capture that has the full handshake too, or a key log with this " +
			"connection's secret"
		t.Needs = []Need{NeedKeyLog}
	case WrongPrivateKey:
		t.Detail = "the server's certificate belongs to another private key than those given"
		t.Remedy = "give the private key of " + subject(m)
		t.Needs = []Need{NeedPrivateKey}
	case WrongSecret:
		t.Detail = fmt.Sprintf("a secret was found (%s), but it does not open the first "+
			"protected record", r.Detail)
		t.Remedy = "it may be of another connection, or damaged"
		if r.Detail == fromLog {
			t.Remedy = "the key log may be of another run, or damaged"
		}
	case BytesMissing:
		t.Detail = "bytes of the handshake are not in the capture, and what the secrets need is " +
			"among them"
	}
	if t.inVain != "" {
		t.Detail += "; also given, and of no use here: " + t.inVain
	}
	return &t
}

// subject returns the name in the server's certificate.
func subject(m *handshake.Machine) string {
	if m.Certificate[iana.Server] != nil && len(m.Certificate[iana.Server].Chain) > 0 {
		if chain, err := pki.ReadChain(m.Certificate[iana.Server].Chain[:1]); err == nil {
			return fmt.Sprintf("%q", chain.Leaf().Subject.String())
		}
	}
	return "the server's certificate"
}
