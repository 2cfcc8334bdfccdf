package handshake

import (
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// A CertificateVerify must name a scheme that fits the key, that the receiver listed, and that TLS
// 1.3 signs with. Otherwise its signature is not looked at: a wrong one is decrypt_error. See RFC
// 8446 §4.4.3.
func TestACertificateVerifyNamesASchemeThatFits(t *testing.T) {
	p256 := []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SHA1}
	rsa := []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA256, iana.RSA_PKCS1_SHA256,
		iana.RSA_PKCS1_SHA1, iana.RSA_PSS_PSS_SHA256}
	for _, c := range []struct {
		what   string
		key    throwaway.Kind
		listed []iana.SignatureScheme
		scheme iana.SignatureScheme
		want   alert.Description
	}{
		{"another signature, of a good scheme", throwaway.RSA,
			append(rsa, iana.RSA_PSS_RSAE_SHA384), iana.RSA_PSS_RSAE_SHA384, alert.DecryptError},
		{"not listed", throwaway.RSA, rsa, iana.RSA_PSS_RSAE_SHA384, alert.IllegalParameter},
		{"PKCS #1 v1.5", throwaway.RSA, rsa, iana.RSA_PKCS1_SHA256, alert.IllegalParameter},
		{"PKCS #1 v1.5 with SHA-1", throwaway.RSA, rsa, iana.RSA_PKCS1_SHA1,
			alert.IllegalParameter},
		{"PSS of a key that is for PSS alone", throwaway.RSA, rsa, iana.RSA_PSS_PSS_SHA256,
			alert.IllegalParameter},
		{"ECDSA with SHA-1", throwaway.ECDSA, p256, iana.ECDSA_SHA1, alert.IllegalParameter},
		{"ECDSA with the scheme of another curve", throwaway.ECDSA,
			append(p256, iana.ECDSA_SECP384R1_SHA384), iana.ECDSA_SECP384R1_SHA384,
			alert.IllegalParameter},
		{"a scheme of another kind of key", throwaway.ECDSA, append(p256, iana.ED25519),
			iana.ED25519, alert.IllegalParameter},
	} {
		for _, signer := range []iana.Side{iana.Client, iana.Server} {
			client, server := config13("client"), config13("server")
			server.Credentials = []*pki.Credential{credential(t, c.key, name)}
			if signer == iana.Server {
				client.Schemes = c.listed
			} else {
				client.Credentials, server.Schemes = server.Credentials, c.listed
				server.ClientAuth = negotiation.ClientAuth{Request: true}
			}
			errs, touched := tampered(t, client, server, signer,
				on(func(m *message.CertificateVerify) { m.Scheme = c.scheme }))
			if err := errs[signer.Peer()]; !touched || err == nil || alert.Of(err) != c.want {
				t.Errorf("%s, of the %v: %v (changed: %v), expected %v", c.what, signer, errs,
					touched, c.want)
			}
		}
	}
}
