package conformance_test

import (
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
)

func anyCertificate() *message.CertificateRequest {
	return &message.CertificateRequest{Types: []iana.ClientCertificateType{iana.ECDSASign},
		Schemes: script.AllSchemes}
}

func status(b []byte) *message.CertificateStatus {
	return &message.CertificateStatus{StatusType: iana.StatusOCSP, Response: b}
}

// serversWithBadProofs are not who they claim to be, or do not prove it. RFC 5246 §7.2.2 has the
// alerts, §7.4.2 and §7.4.3 the rules.
func serversWithBadProofs(t *testing.T) []badServer {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	good := rig.Certificate(t, throwaway.ECDSA)
	staple := func(edits ...func(*ocsp.Response)) []byte {
		b, err := rig.Authority().Staple(good.Leaf, edits...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	stapling := func(b []byte) script.Edits {
		return script.Edits{Answer: addExtension(iana.ExtStatusRequest, nil), Staple: status(b)}
	}
	trustNobody := func(c *vitrine.Config) { c.RootCAs = stranger.Pool() }
	certs := func(list ...[]byte) script.Edits {
		return script.Edits{First: func(s *script.Peer, f []script.Item) []script.Item {
			f[script.Find(f, "certificate")] = s.Encode(&message.Certificate{Chain: list})
			return f
		}}
	}
	signed := func(f func(*message.ServerKeyExchange)) script.Edits {
		return script.Edits{Signed: f}
	}
	scheme := func(id iana.SignatureScheme) script.Edits {
		return signed(func(m *message.ServerKeyExchange) { m.Scheme = id })
	}
	return []badServer{
		{what: "no certificate", ref: "§7.4.2", want: alert.DecodeError, says: "empty",
			edits: certs()},
		{what: "a certificate of no bytes", ref: "§7.4.2", want: alert.DecodeError,
			edits: script.Edits{First: script.Replace("certificate",
				script.Body(func([]byte) []byte { return []byte{0, 0, 3, 0, 0, 0} }))}},
		{what: "a certificate of garbage", ref: "§7.4.2", want: alert.BadCertificate,
			edits: certs([]byte("garbage"))},
		{what: "a certificate of garbage, for a client that trusts everybody", ref: "§7.4.2",
			want:   alert.BadCertificate,
			edits:  certs([]byte("garbage")),
			config: func(c *vitrine.Config) { c.InsecureSkipVerify = true }},
		{what: "garbage behind the certificate", ref: "§7.4.2", want: alert.BadCertificate,
			edits: certs(good.Certificate[0], []byte("garbage"))},
		{what: "a certificate_list cut short", ref: "§7.4.2", want: alert.DecodeError,
			edits: script.Edits{First: script.Replace("certificate",
				script.Body(func(b []byte) []byte { return b[:len(b)-1] }))}},
		{what: "an unknown authority", ref: "§7.2.2", want: alert.UnknownCA, config: trustNobody},
		{what: "another name", ref: "RFC 9525 §6", want: alert.BadCertificate,
			says:   "elsewhere.test",
			config: func(c *vitrine.Config) { c.ServerName = "elsewhere.test" }},
		{what: "an expired certificate", ref: "§7.2.2", want: alert.CertificateExpired,
			issue: func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }},
		{what: "a certificate that is not valid yet", ref: "§7.2.2", want: alert.CertificateExpired,
			issue: func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }},
		{what: "a client's certificate", ref: "RFC 5280 §4.2.1.12",
			want: alert.UnsupportedCertificate, issue: throwaway.ForClient},
		{what: "a certificate that the program refuses", ref: "our API", want: alert.BadCertificate,
			says: "no, thanks", config: func(c *vitrine.Config) {
				c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
					return alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2", "no, thanks")
				}
			}},
		{what: "an RSA key for an ECDSA suite", ref: "§7.4.2", want: alert.IllegalParameter,
			says: "RSA key", kind: throwaway.RSA},
		{what: "an ECDSA key for RSA key exchange", ref: "§7.4.2", want: alert.IllegalParameter,
			says: "ECDSA key", suite: rig.RSAGCM, edits: certs(good.Certificate...)},
		{what: "RSA key exchange without keyEncipherment", ref: "§7.4.2",
			want: alert.IllegalParameter, says: "keyEncipherment", suite: rig.RSAGCM,
			issue: usage(x509.KeyUsageDigitalSignature)},
		{what: "ECDHE without digitalSignature", ref: "§7.4.2", want: alert.IllegalParameter,
			says: "digitalSignature", issue: usage(x509.KeyUsageKeyAgreement)},
		{what: "a key in a group that was not offered", ref: "RFC 8422 §5.3",
			want: alert.IllegalParameter, says: "secp384r1", kind: throwaway.ECDSAP384,
			config: func(c *vitrine.Config) {
				c.CurvePreferences = append(c.CurvePreferences, 29, 23)
			}},

		{what: "a signature with one bit changed", ref: "§7.4.3", want: alert.DecryptError,
			edits: signed(func(m *message.ServerKeyExchange) {
				m.Signature[len(m.Signature)-1] ^= 1
			})},
		{what: "no signature", ref: "§7.4.3", want: alert.DecryptError,
			edits: signed(func(m *message.ServerKeyExchange) { m.Signature = nil })},
		{what: "a signature over other parameters", ref: "§7.4.3", want: alert.DecryptError,
			edits: signed(func(m *message.ServerKeyExchange) { m.ECPublic[0] ^= 1 })},
		{what: "a signature of another connection", ref: "§7.4.3", want: alert.DecryptError,
			edits: script.Edits{First: script.Replace("server_hello",
				script.Body(func(b []byte) []byte { b[2] ^= 1; return b }))}},
		{what: "a signature over the key of another certificate", ref: "§7.4.3",
			want: alert.DecryptError, issue: func(*x509.Certificate) {},
			edits: certs(good.Certificate...)},
		{what: "a scheme that was not offered", ref: "§7.4.3", want: alert.IllegalParameter,
			says: "ecdsa_sha1", edits: scheme(iana.ECDSA_SHA1)},
		{what: "a scheme of another key", ref: "§7.4.3", want: alert.IllegalParameter,
			says: "rsa_pkcs1_sha256", edits: scheme(iana.RSA_PKCS1_SHA256)},
		{what: "a scheme that nobody knows", ref: "§7.4.3", want: alert.IllegalParameter,
			says: "0x0708", edits: scheme(0x0708)},
		{what: "the scheme of TLS 1.1, which is 0 here", ref: "§7.4.3, RFC 9155",
			want: alert.IllegalParameter, suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			edits: scheme(iana.MD5_SHA1)},

		{what: "a good staple", ref: "RFC 6066 §8", ends: accepted, edits: stapling(staple())},
		{what: "a staple of garbage", ref: "RFC 6066 §8", want: alert.BadCertificateStatusResponse,
			edits: stapling([]byte("garbage"))},
		{what: "a staple that says revoked", ref: "RFC 6960 §2.2", want: alert.CertificateRevoked,
			edits: stapling(staple(func(r *ocsp.Response) {
				r.Status, r.RevokedAt = ocsp.Revoked, time.Now().Add(-time.Hour)
			}))},
		{what: "a staple that says unknown", ref: "RFC 6960 §2.2",
			want:  alert.BadCertificateStatusResponse,
			edits: stapling(staple(func(r *ocsp.Response) { r.Status = ocsp.Unknown }))},
		{what: "an old staple", ref: "RFC 6960 §3.2", want: alert.BadCertificateStatusResponse,
			edits: stapling(staple(func(r *ocsp.Response) {
				r.NextUpdate = time.Now().Add(-time.Minute)
			}))},
		{what: "a staple for another certificate", ref: "RFC 6960 §3.2",
			want:  alert.BadCertificateStatusResponse,
			edits: stapling(staple(func(r *ocsp.Response) { r.SerialNumber = big.NewInt(1) }))},
		{what: "a staple of another kind", ref: "RFC 6066 §8", want: alert.IllegalParameter,
			says: "ocsp_multi",
			edits: script.Edits{Answer: addExtension(iana.ExtStatusRequest, nil),
				Staple: &message.CertificateStatus{StatusType: 2, Response: staple()}}},
		{what: "a staple that was promised and does not come", ref: "RFC 6066 §8: allowed",
			ends: accepted, edits: ext(iana.ExtStatusRequest)},
		{what: "no staple where one is required", ref: "RFC 6066 §8",
			want:   alert.BadCertificateStatusResponse,
			config: func(c *vitrine.Config) { c.StatusRequest = vitrine.Required }},
		{what: "no staple for a certificate that must have one", ref: "RFC 7633 §4.3.3",
			want: alert.BadCertificateStatusResponse, issue: throwaway.MustStaple},
	}
}

func usage(u x509.KeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.KeyUsage = u }
}

// serversWithBadKeys send parameters or shares that no key must be derived from. RFC 8422 §5.4 and
// §5.11, RFC 7919 §3 and §5.1.
func serversWithBadKeys() []badServer {
	const ip, hf = alert.IllegalParameter, alert.HandshakeFailure
	params := func(f func(*message.ServerKeyExchange)) script.Edits {
		return script.Edits{Params: f}
	}
	group := func(g iana.Group) script.Edits {
		return params(func(m *message.ServerKeyExchange) { m.Group = g })
	}
	share := func(g iana.Group, b ...byte) script.Edits {
		return params(func(m *message.ServerKeyExchange) { m.Group, m.ECPublic = g, b })
	}
	curve := func(t byte) script.Edits {
		return script.Edits{First: script.Replace("server_key_exchange",
			script.Body(func(b []byte) []byte { b[0] = t; return b }))}
	}
	p256, _ := kex.Named(iana.Secp256r1)
	offFromCurve := script.Edits{Group: p256,
		Params: func(m *message.ServerKeyExchange) { m.ECPublic[64] ^= 1 }}
	compressed := script.Edits{Group: p256,
		Params: func(m *message.ServerKeyExchange) {
			m.ECPublic = append([]byte{2}, m.ECPublic[1:33]...)
		}}

	ffdhe, _ := kex.Named(iana.FFDHE2048)
	pBytes, _ := kex.Params(ffdhe)
	p := new(big.Int).SetBytes(pBytes)
	minus := func(n int64) []byte { return new(big.Int).Sub(p, big.NewInt(n)).Bytes() }
	dhe := func(f func(*message.ServerKeyExchange)) badServer {
		return badServer{suite: rig.DHEGCM, want: ip, edits: params(f)}
	}
	named := func(what string, want alert.Description, b badServer) badServer {
		b.what, b.ref, b.want = what, "RFC 7919 §3.1, §5.1; RFC 5246 §7.4.3", want
		return b
	}
	return []badServer{
		{what: "a group that was not offered", ref: "RFC 8422 §5.4", want: ip, says: "secp256r1",
			config: func(c *vitrine.Config) {
				c.CurvePreferences = append(c.CurvePreferences, 29, 24)
			}, kind: throwaway.Ed25519, edits: script.Edits{Group: p256}},
		{what: "a group that nobody knows", ref: "RFC 8422 §5.4", want: ip, says: "0x7777",
			edits: group(0x7777)},
		{what: "a finite-field group on a curve", ref: "RFC 8422 §5.4", want: ip, says: "ffdhe2048",
			edits: group(iana.FFDHE2048), config: func(c *vitrine.Config) {
				c.CurvePreferences = append(c.CurvePreferences, 29, 23, 256)
			}},
		{what: "GREASE as a group", ref: "RFC 8701 §3.1", want: ip, edits: group(0x2A2A)},
		{what: "an explicit curve", ref: "RFC 8422 §5.4", want: alert.DecodeError,
			says: "explicit_prime", edits: curve(1)},
		{what: "a curve type that nobody knows", ref: "RFC 8422 §5.4", want: alert.DecodeError,
			edits: curve(9)},
		{what: "a point off the curve", ref: "RFC 8422 §5.11", want: ip, says: "secp256r1",
			edits: offFromCurve},
		{what: "a compressed point", ref: "RFC 8422 §5.1.2", want: ip, edits: compressed},
		{what: "the point at infinity", ref: "RFC 8422 §5.11", want: ip,
			edits: share(iana.Secp256r1, 0)},
		{what: "a share of zeros", ref: "RFC 8422 §5.11", want: ip,
			edits: share(iana.X25519, make([]byte, 32)...)},
		{what: "a share of small order", ref: "RFC 8422 §5.11", want: ip,
			edits: share(iana.X25519, append([]byte{1}, make([]byte, 31)...)...)},
		{what: "a share of 31 bytes", ref: "RFC 8422 §5.11", want: ip,
			edits: share(iana.X25519, make([]byte, 31)...)},
		{what: "a share of no bytes", ref: "RFC 8422 §5.4", want: alert.DecodeError,
			edits: script.Edits{First: script.Replace("server_key_exchange",
				script.Body(func(b []byte) []byte { return []byte{3, 0, 29, 0, 4, 3, 0, 0} }))}},
		{what: "X448 shares of zeros", ref: "RFC 8422 §5.11", want: ip,
			edits: share(iana.X448, make([]byte, 56)...)},

		named("an even prime", ip, dhe(func(m *message.ServerKeyExchange) { m.P = minus(1) })),
		named("a composite", ip, dhe(func(m *message.ServerKeyExchange) { m.P = minus(2) })),
		named("a prime of 1024 bits", alert.InsufficientSecurity,
			dhe(func(m *message.ServerKeyExchange) { m.P, m.DHPublic = m.P[:128], m.P[1:128] })),
		named("a prime of 8193 bits", alert.InsufficientSecurity,
			dhe(func(m *message.ServerKeyExchange) {
				m.P = append([]byte{1}, make([]byte, 1024)...)
			})),
		named("prime 0", alert.InsufficientSecurity,
			dhe(func(m *message.ServerKeyExchange) { m.P = []byte{0} })),
		named("generator 0", ip, dhe(func(m *message.ServerKeyExchange) { m.G = []byte{0} })),
		named("generator 1", ip, dhe(func(m *message.ServerKeyExchange) { m.G = []byte{1} })),
		named("generator p-1", ip, dhe(func(m *message.ServerKeyExchange) { m.G = minus(1) })),
		named("Y is 0", hf, dhe(func(m *message.ServerKeyExchange) { m.DHPublic = []byte{0} })),
		named("Y is 1", hf, dhe(func(m *message.ServerKeyExchange) { m.DHPublic = []byte{1} })),
		named("Y is p-1", hf, dhe(func(m *message.ServerKeyExchange) { m.DHPublic = minus(1) })),
		named("Y is p", hf, dhe(func(m *message.ServerKeyExchange) { m.DHPublic = minus(0) })),
		named("Y is above p", hf,
			dhe(func(m *message.ServerKeyExchange) { m.DHPublic = minus(-1) })),
	}
}
