package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// publicKey returns the command that computes an ephemeral public key from the private key.
func (v *notes) publicKey(e *trace.Ephemeral) []Command {
	name := e.From.String() + " public key"
	if len(e.Private) == 0 || len(e.Public) == 0 {
		return nil
	}
	if h, ok := hybridKeys[e.Group]; ok {
		return hybridPublic(h, e)
	}
	if p, g, ok := v.params(e.Group); ok {
		power := fmt.Sprintf("pow(0x%s, 0x%s, 0x%s)", hexOf(g), hexOf(e.Private), hexOf(p))
		return []Command{python(name,
			fmt.Sprintf(`print(format(%s, "0%dx"))`, power, 2*len(e.Public)), e.Public)}
	}
	c, ok := curveKeys[e.Group]
	if !ok {
		return nil
	}
	return []Command{publicOf(name, c, e.Private, e.Public)}
}

// params returns the prime and the generator of a finite field: of the group with this name in TLS
// 1.3, and before it those that the server chose.
func (v *notes) params(group string) (p, g []byte, ok bool) {
	if p := primeOf(group); p != nil && protocolOf(v.agreed.Version).namesPrimes {
		return p, []byte{2}, true
	}
	if !v.agreed.KeyExchange.FiniteField() {
		return nil, nil, false
	}
	m, ok := v.parse(iana.Server,
		v.message(iana.Server, iana.ServerKeyExchange)).(*message.ServerKeyExchange)
	if !ok || len(m.P) == 0 || len(m.G) == 0 {
		return nil, nil, false
	}
	return m.P, m.G, true
}

// sharedSecret returns the command for the pre_master_secret: decrypted with the RSA key, or
// computed from one private and one public key.
func (v *notes) sharedSecret(s *trace.SharedSecret) []Command {
	const name = "pre_master_secret"
	e := v.ephemeral
	switch {
	case s.Name != name || len(s.Output) == 0:
		return nil
	case v.agreed.KeyExchange == iana.KexRSA:
		return v.decrypt(name, s.Output)
	case e == nil || len(e.Private) == 0 || len(e.Peer) == 0:
		return nil
	case v.agreed.KeyExchange.FiniteField():
		p, _, ok := v.params(e.Group)
		if !ok {
			return nil
		}
		// without leading zeros: RFC 5246 §8.1.2
		const strip = `print(z.to_bytes((z.bit_length() + 7) // 8, "big").hex())`
		return []Command{python(name+", as the "+e.From.String(),
			fmt.Sprintf("z = pow(0x%s, 0x%s, 0x%s)\n%s", hexOf(e.Peer), hexOf(e.Private), hexOf(p),
				strip), s.Output)}
	}
	c, ok := curveKeys[e.Group]
	if !ok {
		return nil
	}
	return []Command{openssl(name+", as the "+e.From.String(),
		agreeOn(c, e.Private, e.Peer), s.Output)}
}

// decrypt returns the command that decrypts the EncryptedPreMasterSecret with the server's key. See
// RFC 5246 §7.4.7.1.
func (v *notes) decrypt(name string, output []byte) []Command {
	m, ok := v.parse(iana.Client,
		v.message(iana.Client, iana.ClientKeyExchange)).(*message.ClientKeyExchange)
	if !ok || len(v.rsaKey) == 0 {
		return nil
	}
	text := aside([]string{
		hexFile("server.der", v.rsaKey),
		pipe(feed(m.EncryptedPreMaster),
			"openssl pkeyutl -decrypt -inkey server.der -keyform DER -pkeyopt "+
				"rsa_padding_mode:pkcs1", toHex),
	}, "server.der")
	return []Command{openssl(name, text, output)}
}

const pss = " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"

// verifications are the options with which openssl dgst checks a signature scheme. EdDSA is not
// among them, since it has another command.
var verifications = map[iana.SignatureScheme]string{
	iana.RSA_PKCS1_SHA1: "-sha1", iana.ECDSA_SHA1: "-sha1",
	iana.RSA_PKCS1_SHA256: "-sha256", iana.RSA_PKCS1_SHA384: "-sha384",
	iana.RSA_PKCS1_SHA512:       "-sha512",
	iana.ECDSA_SECP256R1_SHA256: "-sha256", iana.ECDSA_SECP384R1_SHA384: "-sha384",
	iana.ECDSA_SECP521R1_SHA512: "-sha512",
	iana.RSA_PSS_RSAE_SHA256:    "-sha256" + pss, iana.RSA_PSS_RSAE_SHA384: "-sha384" + pss,
	iana.RSA_PSS_RSAE_SHA512: "-sha512" + pss,
	iana.RSA_PSS_PSS_SHA256:  "-sha256" + pss, iana.RSA_PSS_PSS_SHA384: "-sha384" + pss,
	iana.RSA_PSS_PSS_SHA512: "-sha512" + pss,
}

// signature returns the command that checks a signature with the key in the signer's certificate.
func (v *notes) signature(from iana.Side, s iana.SignatureScheme, signed,
	signature []byte) []Command {
	m, ok := v.parse(from, v.message(from, iana.Certificate)).(*message.Certificate)
	if !ok || len(m.Chain) == 0 {
		return nil
	}
	key := "openssl x509 -inform DER -noout -pubkey > public.pem"
	if v.agreed.CertificateType(from) == iana.RawPublicKey {
		key = "openssl pkey -pubin -inform DER -pubout > public.pem"
	}
	lines := []string{
		pipe(feed(m.Chain[0]), key),
		hexFile("signature", signature),
	}
	files := []string{"public.pem", "signature"}
	var verdict string
	switch options, known := verifications[s]; {
	case known:
		verdict = "Verified OK"
		lines = append(lines,
			pipe(feed(signed), "openssl dgst "+options+" -verify public.pem -signature signature"))
	case s == iana.ED25519 || s == iana.ED448:
		verdict = "Signature Verified Successfully"
		files = append(files, "signed")
		lines = append(lines, hexFile("signed", signed),
			"openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in signed -sigfile signature")
	default:
		return nil
	}
	return append(v.signedHash(signed), Command{Name: from.String() + "'s signature",
		Tool: "openssl", Text: aside(lines, files...), Verdict: verdict})
}
