package vitrine

import (
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// ConnectionState is what a connection negotiated, and with whom. Fields that crypto/tls has too keep its name and meaning.
type ConnectionState struct {
	Version                     uint16
	HandshakeComplete           bool
	CipherSuite                 uint16
	NegotiatedProtocol          string
	DidResume                   bool
	ServerName                  string // as the client asked for it
	PeerCertificates            []*x509.Certificate
	VerifiedChains              [][]*x509.Certificate
	SignedCertificateTimestamps [][]byte
	OCSPResponse                []byte

	Group                iana.Group // 0 for RSA key exchange, and for a prime without a name
	GroupName            string
	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	SecureRenegotiation  bool

	// Concerns are what is deprecated about this connection, in words.
	Concerns []string
}

// ConnectionState tells what was negotiated. Before the handshake is done only HandshakeComplete says anything.
func (c *Conn) ConnectionState() ConnectionState {
	if !c.complete.Load() {
		return ConnectionState{}
	}
	return c.state()
}

func (c *Conn) state() ConnectionState {
	m := c.settled.Load()
	a := m.Agreed
	s := ConnectionState{
		Version: uint16(a.Version), HandshakeComplete: true, DidResume: m.Resumed == handshake.Must, CipherSuite: uint16(a.Suite.ID), NegotiatedProtocol: a.ALPN,
		ServerName: a.ServerName, SignedCertificateTimestamps: a.SCTs, Group: m.Group, GroupName: m.GroupName,
		ExtendedMasterSecret: a.ExtendedMasterSecret, EncryptThenMAC: a.EncryptThenMAC, SecureRenegotiation: a.SecureRenegotiation,
	}
	if p := m.Peer(); p.Chain != nil {
		s.PeerCertificates, s.VerifiedChains = p.Chain.Certs, p.Verified
	}
	if m.CertificateStatus != nil {
		s.OCSPResponse = m.CertificateStatus.Response
	}
	for _, concern := range suite.Concerns(a.Suite) {
		s.Concerns = append(s.Concerns, concern.What+": "+concern.Reason)
	}
	return s
}

// ExportKeyingMaterial derives bytes for another protocol. It is refused without the extended master secret, because two
// connections could then be made to share a master secret. See RFC 5705 and RFC 7627 §5.4.
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if !c.complete.Load() {
		return nil, errNotDone
	}
	m := c.settled.Load()
	if !m.Agreed.ExtendedMasterSecret {
		return nil, errNoExport
	}
	return m.Master().Export(label, context, m.Randoms(), length)
}
