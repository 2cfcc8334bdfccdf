package explain

import (
	"encoding/hex"
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// curveDER is what comes before the bare key in the DER encodings that openssl reads.
type curveDER struct{ private, public string }

// curveKeys has the beginnings of PKCS #8 without the public key (RFC 5958, RFC 5915, RFC 8410) and
// of SubjectPublicKeyInfo.
var curveKeys = map[string]curveDER{
	"secp256r1": {"3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
		"3059301306072a8648ce3d020106082a8648ce3d030107034200"},
	"secp384r1": {"304e020100301006072a8648ce3d020106052b81040022043730350201010430",
		"3076301006072a8648ce3d020106052b81040022036200"},
	"secp521r1": {"3060020100301006072a8648ce3d020106052b81040023044930470201010442",
		"30819b301006072a8648ce3d020106052b8104002303818600"},
	"x25519": {"302e020100300506032b656e04220420", "302a300506032b656e032100"},
	"x448":   {"3046020100300506032b656f043a0438", "3042300506032b656f033900"},
}

// der returns the DER encoding of a bare key.
func der(prefix string, key []byte) []byte {
	b, err := hex.DecodeString(prefix)
	if err != nil {
		panic(err) // not hex in the table above
	}
	return append(b, key...)
}

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

// publicOf is the command that computes a public key on a curve.
func publicOf(name string, c curveDER, private, public []byte) Command {
	text := pipe(feed(der(c.private, private)), "openssl pkey -inform DER -pubout -outform DER",
		fmt.Sprintf("tail -c %d", len(public)), toHex)
	return openssl(name, text, public)
}

func python(name, program string, output []byte) Command {
	return Command{Name: name, Tool: "python3", Text: "python3 -c '" + program + "'",
		Output: output}
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
		return []Command{python(name,
			fmt.Sprintf("z = pow(0x%s, 0x%s, 0x%s)\n%s", hexOf(e.Peer), hexOf(e.Private), hexOf(p),
				strip), s.Output)}
	}
	c, ok := curveKeys[e.Group]
	if !ok {
		return nil
	}
	return []Command{openssl(name, agreeOn(c, e.Private, e.Peer), s.Output)}
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
