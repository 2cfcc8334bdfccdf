package vitrine

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// This file has functions of crypto/tls that the handshake itself does not need.
// docs/from-crypto-tls.md compares the two packages name by name.

// X509KeyPair parses a certificate chain and its private key from PEM data. Unlike the function of
// crypto/tls, it also reads RSASSA-PSS and Ed448 keys.
func X509KeyPair(certPEMBlock, keyPEMBlock []byte) (Certificate, error) {
	c, err := tls.X509KeyPair(certPEMBlock, keyPEMBlock)
	if err == nil {
		return c, nil
	}
	if c, other := pki.KeyPair(certPEMBlock, keyPEMBlock); other == nil {
		return c, nil
	}
	return Certificate{}, err
}

// LoadX509KeyPair reads a certificate chain and its private key from two PEM files and parses them
// like X509KeyPair.
func LoadX509KeyPair(certFile, keyFile string) (Certificate, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return Certificate{}, err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return Certificate{}, err
	}
	return X509KeyPair(cert, key)
}

// VersionName returns the name of the version, such as "TLS 1.2", or its number in hexadecimal.
func VersionName(version uint16) string { return tls.VersionName(version) }

// CipherSuiteName returns the name of the suite in the IANA registry, or its number if it has none.
func CipherSuiteName(id uint16) string { return iana.CipherSuite(id).String() }

// CipherSuites returns the suites that Vitrine supports and that no RFC deprecates, by number.
func CipherSuites() []*CipherSuite {
	return cipherSuites(func(s *suite.Suite) bool { return suite.Status(s) < suite.Deprecated })
}

// InsecureCipherSuites returns the deprecated suites that Vitrine supports, by number.
// suite.Concerns gives the reasons.
func InsecureCipherSuites() []*CipherSuite {
	return cipherSuites(func(s *suite.Suite) bool { return suite.Status(s) >= suite.Deprecated })
}

func cipherSuites(wanted func(*suite.Suite) bool) (list []*CipherSuite) {
	all := append(suite.All13(), suite.All()...)
	slices.SortFunc(all, func(a, b *suite.Suite) int { return cmp.Compare(a.ID, b.ID) })
	for _, s := range all {
		if !wanted(s) {
			continue
		}
		entry := &CipherSuite{ID: uint16(s.ID), Name: s.String(),
			Insecure: suite.Status(s) >= suite.Deprecated}
		lowest, highest := max(s.MinVersion(), iana.TLS10), iana.TLS12
		if s.TLS13() {
			lowest, highest = iana.TLS13, iana.TLS13
		}
		for v := lowest; v <= highest; v++ {
			entry.SupportedVersions = append(entry.SupportedVersions, uint16(v))
		}
		list = append(list, entry)
	}
	return list
}

// OCSPResponse returns the OCSP response that the server stapled, or nil. It is only valid for
// client connections.
func (c *Conn) OCSPResponse() []byte { return c.ConnectionState().OCSPResponse }

// VerifyHostname checks that the server's verified certificate is valid for host. It returns an
// error on a server connection, before the handshake is complete, and if the chain was not
// verified, as with InsecureSkipVerify.
func (c *Conn) VerifyHostname(host string) error {
	switch s := c.ConnectionState(); {
	case c.me != iana.Client:
		return errors.New("vitrine: VerifyHostname is for clients, and this is a server")
	case !s.HandshakeComplete:
		return errNotDone
	case len(s.VerifiedChains) == 0:
		return errors.New("vitrine: the server's chain was not verified")
	default:
		return s.PeerCertificates[0].VerifyHostname(host)
	}
}

// SupportsCertificate returns nil if the client supports a handshake with c, or else an error with
// the reason. The client must offer an enabled suite that c can be used with, and a group and a
// signature scheme for it, and c must be valid for the server name that the client asks for.
func (i *ClientHelloInfo) SupportsCertificate(c *Certificate) error {
	cred, err := pki.FromTLS(c)
	if err != nil {
		return err
	}
	if i.ServerName != "" {
		if leaf := cred.Chain.Leaf(); leaf != nil { // a raw public key has no name
			if err := leaf.VerifyHostname(i.ServerName); err != nil {
				return err
			}
		}
	}
	config := i.config
	if config == nil {
		config = &Config{}
	}
	h := &negotiation.Config{}
	if h.Parameters, err = config.parameters(); err != nil {
		return err
	}
	h.Credentials = []*pki.Credential{cred}
	hello, err := i.hello()
	if err != nil {
		return err
	}
	if err := handshake.Suits(hello, h); err != nil {
		return fmt.Errorf("vitrine: the certificate does not suit the client: %w", err)
	}
	return nil
}

// hello returns a ClientHello with the fields of i, which the program may have filled in itself.
func (i *ClientHelloInfo) hello() (*message.ClientHello, error) {
	m := &message.ClientHello{Version: iana.TLS12,
		CipherSuites:       convert[iana.CipherSuite](i.CipherSuites),
		CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	formats := &message.ECPointFormats{}
	for _, f := range i.SupportedPoints {
		formats.Formats = append(formats.Formats, iana.ECPointFormat(f))
	}
	groups := &message.SupportedGroups{Groups: convert[iana.Group](i.SupportedCurves)}
	schemes := &message.SignatureSchemes{Schemes: convert[iana.SignatureScheme](i.SignatureSchemes)}
	versions := &message.SupportedVersions{Versions: convert[iana.Version](i.SupportedVersions)}
	for _, x := range []struct {
		typ     iana.ExtensionType
		content message.Content
		sent    bool
	}{
		{iana.ExtSupportedGroups, groups, len(groups.Groups) > 0},
		{iana.ExtECPointFormats, formats, len(formats.Formats) > 0},
		{iana.ExtSignatureAlgorithms, schemes, len(schemes.Schemes) > 0},
		{iana.ExtServerCertificateType, &message.CertificateTypes{Types: i.CertificateTypes},
			len(i.CertificateTypes) > 0},
		{iana.ExtSupportedVersions, versions, len(versions.Versions) > 0},
		// Without a share in it the extension asks for any group of the list: RFC 8446 §4.2.8.
		{iana.ExtKeyShare, &message.KeyShares{}, slices.Contains(versions.Versions, iana.TLS13)},
		{iana.ExtExtendedMasterSecret, &message.Empty{},
			slices.Contains(i.Extensions, uint16(iana.ExtExtendedMasterSecret))},
	} {
		if !x.sent {
			continue
		}
		if err := m.Extensions.Add(x.typ, x.content); err != nil {
			return nil, err
		}
	}
	return m, nil
}
