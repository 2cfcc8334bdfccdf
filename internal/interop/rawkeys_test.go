package interop_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/pki"
)

// Raw public keys of both sides with GnuTLS: RFC 7250. OpenSSL has them from 3.2 on, NSS and
// crypto/tls have none.
func TestRawPublicKeysConnectWithGnuTLS(t *testing.T) {
	for _, them := range []iana.Side{iana.Client, iana.Server} {
		for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.ECDSA, throwaway.Ed25519} {
			for _, v := range []iana.Version{iana.TLS12, iana.TLS13} {
				t.Run(fmt.Sprintf("a %v, %s, %v", them, kind, v), func(t *testing.T) {
					rawMeeting(t, them, kind, v).run(t)
				})
			}
		}
	}
}

// rawMeeting is a meeting whose sides both show a raw public key, which we know.
func rawMeeting(t *testing.T, them iana.Side, kind throwaway.Kind, v iana.Version) *meeting {
	theirs := spkiOf(t, identity(t, kind, them))
	return &meeting{with: interop.GnuTLS, them: them, suite: anySuite, serverKey: kind,
		clientKey: kind,
		us: func(c *vitrine.Config) {
			c.CipherSuites, c.MinVersion, c.MaxVersion = nil, uint16(v), uint16(v)
			key := c.Certificates[0].PrivateKey.(crypto.Signer)
			c.Certificates = []tls.Certificate{vitrine.RawPublicKey(key)}
			c.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
			c.RawKeyPins = [][32]byte{pki.Pin(theirs)}
		},
		they: func(s *interop.Setup) {
			s.Suite, s.Versions, s.RawKeys, s.Trust = nil, [2]iana.Version{v, v}, true, ""
		},
		want: func(t *testing.T, s *vitrine.ConnectionState) {
			if iana.Version(s.Version) != v || !bytes.Equal(s.PeerRawPublicKey, theirs) ||
				s.LocalRawPublicKey == nil || s.PeerCertificates != nil {
				t.Errorf("%x: got the key %x, showed %x, and %d certificates", s.Version,
					s.PeerRawPublicKey, s.LocalRawPublicKey, len(s.PeerCertificates))
			}
		}}
}

// spkiOf is the public key of an identity.
func spkiOf(t *testing.T, id *interop.Identity) []byte {
	t.Helper()
	spki, err := pki.MarshalPublicKey(id.PrivateKey.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

// A key of GnuTLS that no pin names is refused, in both roles.
func TestUnknownRawPublicKeysAreRefused(t *testing.T) {
	for _, them := range []iana.Side{iana.Client, iana.Server} {
		for _, v := range []iana.Version{iana.TLS12, iana.TLS13} {
			t.Run(fmt.Sprintf("a %v, %v", them, v), func(t *testing.T) {
				m := rawMeeting(t, them, throwaway.ECDSA, v)
				known := m.us
				m.us = func(c *vitrine.Config) {
					known(c)
					c.RawKeyPins = [][32]byte{{1}}
				}
				conn, _ := m.start(t)
				if err := conn.Handshake(); err == nil {
					t.Error("accepted")
				}
			})
		}
	}
}
