package vitrine

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// ConnectionState describes a connection: what was negotiated, and who the peer is. Fields that
// crypto/tls has too keep its name and meaning.
type ConnectionState struct {
	Version                    uint16
	HandshakeComplete          bool
	CipherSuite                uint16
	CurveID                    CurveID // as Group
	NegotiatedProtocol         string
	NegotiatedProtocolIsMutual bool // always true
	DidResume                  bool
	HelloRetryRequest          bool
	ServerName                 string // as the client asked for it

	// PeerCertificates are the peer's certificates as it sent them, its own first. With
	// InsecureSkipVerify some may be malformed: one that crypto/x509 refuses to read has its DER in
	// Raw and what else could be read, and x509.Certificate.Verify refuses it, and each path
	// through it. PeerCertificateFaults says what is wrong: one error for each such certificate,
	// and for an RSA key under 1024 bits. It is nil wherever a chain was verified.
	PeerCertificates      []*x509.Certificate
	PeerCertificateFaults []error

	// PeerRawPublicKey is the SubjectPublicKeyInfo, DER, of a peer that has proved itself with a
	// raw public key and no certificate; LocalRawPublicKey is what this side has shown. nil
	// otherwise. See RFC 7250 and x509.ParsePKIXPublicKey.
	PeerRawPublicKey, LocalRawPublicKey []byte

	// PeerRawPublicKeyKnown says that Config.RawKeyPins and VerifyRawPublicKey have accepted the
	// peer's raw public key. Without it the peer may be anybody, as with certificates and no
	// VerifiedChains.
	PeerRawPublicKeyKnown bool

	VerifiedChains              [][]*x509.Certificate
	SignedCertificateTimestamps [][]byte
	OCSPResponse                []byte

	// TLSUnique is the channel binding of RFC 5929 §3: the first Finished of the handshake. It is
	// nil without the extended master secret, because it would bind nothing (the triple handshake
	// attack), and in TLS 1.3, for which it is not defined. See TLSExporter.
	TLSUnique []byte

	// PSKIdentity is the client's identity of the pre-shared key that proved both sides, also if a
	// session that began with it is resumed; nil without one. See RFC 4279 §2 and RFC 8446 §4.2.11.
	PSKIdentity []byte

	Group                iana.Group // 0 for RSA key exchange, and for a prime without a name
	GroupName            string
	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	SecureRenegotiation  bool

	// PeerSignatureScheme is the scheme with which the peer signed this handshake: a server its key
	// exchange, a client its CertificateVerify. It is 0 if nothing was signed, as with RSA key
	// exchange or a resumed session, and for MD5 with SHA-1, the RSA signature below TLS 1.2, which
	// has no code point.
	PeerSignatureScheme SignatureScheme

	// EarlyData says whether the client's early data was accepted. At a server it is set as soon as
	// ReadEarly has returned data, when the handshake is not complete.
	EarlyData EarlyDataStatus

	// EarlyDataReason is why a server rejected the client's early data, in words and with the
	// section that it follows; empty otherwise. A client is not told.
	EarlyDataReason string

	// TicketAgeSkew is by how much the age of the ticket that a server of TLS 1.3 resumed from, as
	// the client stated it, is more than the age that the server knows: a clock is wrong, or the
	// hello was held back. Early data is accepted up to 10 seconds. See RFC 8446 §8.3.
	TicketAgeSkew time.Duration

	// LocalCertificates is the chain that this side showed, nil if none.
	LocalCertificates []*x509.Certificate

	// Renegotiations counts the handshakes of this connection before the last one.
	Renegotiations int

	// Concerns lists in words what is deprecated about this connection.
	Concerns []string

	export func(label string, context []byte, length int) ([]byte, error)
}

// ExportKeyingMaterial does what Conn.ExportKeyingMaterial does.
func (s *ConnectionState) ExportKeyingMaterial(label string, context []byte,
	length int) ([]byte, error) {
	if s.export == nil {
		return nil, errNotDone
	}
	return s.export(label, context, length)
}

// TLSExporter returns the channel binding "tls-exporter": 32 bytes that the two ends of this
// connection can derive, and nobody else. It exists in TLS 1.3, where tls-unique is not defined,
// and in earlier versions with the extended master secret. Its errors are those of
// ExportKeyingMaterial. See RFC 9266 §2.
func (s *ConnectionState) TLSExporter() ([]byte, error) {
	return s.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
}

// ConnectionState returns what was negotiated. Before the handshake is done it is the zero value,
// unless a server has accepted early data.
func (c *Conn) ConnectionState() ConnectionState {
	if !c.complete.Load() {
		if s := c.early.Load(); s != nil {
			return *s
		}
		return ConnectionState{}
	}
	return c.stateOf(c.established.Load())
}

// stateOf returns the state after a handshake in which both sides were authenticated.
func (c *Conn) stateOf(m *handshake.Machine) ConnectionState {
	a := m.Agreed
	s := ConnectionState{
		Version: uint16(a.Version), HandshakeComplete: true, DidResume: m.Resumed,
		HelloRetryRequest: m.Retried(), EarlyData: m.EarlyData(),
		EarlyDataReason: m.EarlyDataReason(), TicketAgeSkew: m.TicketAgeSkew(),
		CipherSuite: uint16(a.Suite.ID), NegotiatedProtocol: a.ALPN,
		ServerName: a.ServerName, Group: m.Group, GroupName: m.GroupName,
		ExtendedMasterSecret: a.ExtendedMasterSecret, EncryptThenMAC: a.EncryptThenMAC,
		SecureRenegotiation: a.SecureRenegotiation,
	}
	if p := m.Peer(); p.Chain != nil {
		s.PeerCertificates, s.VerifiedChains, s.PeerCertificateFaults = p.Chain.Certs, p.Verified,
			p.Chain.Faults()
		s.PeerRawPublicKey = rawKeyOf(p.Chain)
		s.PeerRawPublicKeyKnown = s.PeerRawPublicKey != nil && p.KeyAccepted()
	}
	s.PSKIdentity, s.PeerSignatureScheme = m.Peer().PSKIdentity, SignatureScheme(m.Peer().Scheme)
	amend(&s, c.late.peer.Load())
	if shown := c.late.shownBy(m); shown != nil {
		s.LocalCertificates, s.LocalRawPublicKey = shown.Chain.Certs, rawKeyOf(shown.Chain)
	}
	s.Renegotiations = m.Renegotiations()
	s.CurveID, s.NegotiatedProtocolIsMutual = CurveID(m.Group), true
	s.export = func(label string, context []byte, length int) ([]byte, error) {
		return c.export(m, label, context, length)
	}
	if a.ExtendedMasterSecret {
		first := iana.Client
		if s.DidResume {
			first = iana.Server
		}
		s.TLSUnique = slices.Clone(m.VerifyData[first])
	}
	if c.me == iana.Client { // a server already knows its own
		s.SignedCertificateTimestamps, s.OCSPResponse = m.Timestamps(), m.Staple()
	}
	if o := m.Origin(); o != nil { // known from the full handshake only
		if !m.TLS13() { // which has a key exchange of its own
			s.Group, s.GroupName, s.CurveID = o.Group, o.GroupName, CurveID(o.Group)
		}
		// Timestamps of a resumed handshake would be for a certificate that it does not show.
		s.OCSPResponse, s.SignedCertificateTimestamps = o.Staple, o.SCTs
	}
	row := a.Suite
	if a.Kex == iana.KexPSK { // in TLS 1.3 that is psk_ke, which the suite does not show
		row = row.With(a.Kex)
	}
	for _, concern := range suite.Concerns(row) {
		s.Concerns = append(s.Concerns, concern.What+": "+concern.Reason)
	}
	return s
}

// ExportKeyingMaterial derives bytes for another protocol. It is refused without the extended
// master secret, because two connections could then be made to share a master secret, and with
// Config.Renegotiation, because a renegotiation changes what is exported. See RFC 5705 and RFC 7627
// §5.4.
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if !c.complete.Load() {
		return nil, errNotDone
	}
	return c.export(c.established.Load(), label, context, length)
}

func (c *Conn) export(m *handshake.Machine, label string, context []byte,
	length int) ([]byte, error) {
	switch {
	case !m.TLS13() && c.config.Renegotiation != tls.RenegotiateNever:
		return nil, errChanges
	case !m.TLS13() && !m.Agreed.ExtendedMasterSecret:
		return nil, errNoExport
	}
	return m.Export(label, context, length)
}
