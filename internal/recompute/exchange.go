package recompute

import (
	"bytes"
	"math/big"
	"slices"
)

// curve is a group of RFC 8422 §5.1.1 with the beginnings of the DER encodings of its keys. The raw
// key follows.
type curve struct {
	name            string
	private, public string // PKCS #8 and SubjectPublicKeyInfo
}

var curves = map[int]curve{
	23: {"secp256r1", "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
		"3059301306072a8648ce3d020106082a8648ce3d030107034200"},
	24: {"secp384r1", "304e020100301006072a8648ce3d020106052b81040022043730350201010430",
		"3076301006072a8648ce3d020106052b81040022036200"},
	25: {"secp521r1", "3060020100301006072a8648ce3d020106052b810400230449304702010104" + "42",
		"30819b301006072a8648ce3d020106052b8104002303818600"},
	29: {"x25519", "302e020100300506032b656e04220420", "302a300506032b656e032100"},
	30: {"x448", "3046020100300506032b656f043a0438", "3042300506032b656f033900"},
}

// sharedSecret recomputes the pre_master_secret. See RFC 5246 §8.1.1, §8.1.2 and RFC 8422 §5.10.
func (v *view) sharedSecret(e event) {
	switch v.suite.kex {
	case "RSA":
		v.pre = v.openssl(v.exchange.encrypted, "pkeyutl", "-decrypt", "-inkey", v.file(v.rsaKey),
			"-keyform", "DER",
			"-pkeyopt", "rsa_padding_mode:pkcs1")
		offered := *body(v.raw["client client_hello"])
		v.same("version in pre_master_secret", v.pre[:min(2, len(v.pre))], offered.take(2))
	case "DHE":
		v.finiteField()
	default:
		v.ellipticCurve()
	}
	v.sameText("name of the shared secret", e.text("name"), "pre_master_secret")
	v.same("pre_master_secret", e.bytes("output"), v.pre)
}

// publics compares the public keys of the ephemeral event with those of the messages. It returns
// the private key, its public key and the peer's public key.
func (v *view) publics(group string) (private, own, peer []byte) {
	own, peer = v.exchange.public[v.role], v.exchange.public[other[v.role]]
	v.sameText("whose ephemeral key", v.ephemeral.text("from"), v.role)
	v.same("public key", v.ephemeral.bytes("public"), own)
	v.same("peer's public key", v.ephemeral.bytes("peer"), peer)
	if group != "" {
		v.sameText("group", v.ephemeral.text("group"), group)
	}
	return v.ephemeral.bytes("private"), own, peer
}

func (v *view) finiteField() {
	private, own, peer := v.publics("")
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	p := number(v.exchange.p)
	if p.Sign() == 0 {
		v.fail("no prime")
		return
	}
	g := new(big.Int).Exp(number(v.exchange.g), number(private), p)
	v.same("g^private mod p", own, g.FillBytes(zeros(len(v.exchange.p))))
	v.pre = new(big.Int).Exp(number(peer), number(private), p).Bytes() // without leading zeros
}

func (v *view) ellipticCurve() {
	c := curves[v.exchange.group]
	private, own, peer := v.publics(c.name)
	v.pre = v.point(c, private, own, peer)
}

// point computes a shared secret on a curve, and the public key of the private one. See RFC 8422
// §5.10 and RFC 8446 §7.4.2.
func (v *view) point(c curve, private, own, peer []byte) []byte {
	key := v.file(append(unhex(c.private), private...))
	spki := append(unhex(c.public), own...)
	v.same("private·base point", spki,
		v.openssl(nil, "pkey", "-in", key, "-inform", "DER", "-pubout", "-outform", "DER"))
	return v.openssl(nil, "pkeyutl", "-derive", "-inkey", key, "-keyform", "DER",
		"-peerkey", v.file(append(unhex(c.public), peer...)), "-peerform", "DER")
}

// A scheme is a signature scheme, with the options of openssl dgst that verify it. EdDSA, which
// hashes by itself, has none. See RFC 8446 §4.2.3.
type scheme struct {
	name    string
	options []string
}

var schemes = map[int]scheme{
	0x0201: {"rsa_pkcs1_sha1", []string{"-sha1"}},
	0x0203: {"ecdsa_sha1", []string{"-sha1"}},
	0x0401: {"rsa_pkcs1_sha256", []string{"-sha256"}},
	0x0501: {"rsa_pkcs1_sha384", []string{"-sha384"}},
	0x0601: {"rsa_pkcs1_sha512", []string{"-sha512"}},
	0x0403: {"ecdsa_secp256r1_sha256", []string{"-sha256"}},
	0x0503: {"ecdsa_secp384r1_sha384", []string{"-sha384"}},
	0x0603: {"ecdsa_secp521r1_sha512", []string{"-sha512"}},
	0x0804: {"rsa_pss_rsae_sha256", pss("-sha256")},
	0x0805: {"rsa_pss_rsae_sha384", pss("-sha384")},
	0x0806: {"rsa_pss_rsae_sha512", pss("-sha512")},
	0x0809: {"rsa_pss_pss_sha256", pss("-sha256")},
	0x080A: {"rsa_pss_pss_sha384", pss("-sha384")},
	0x080B: {"rsa_pss_pss_sha512", pss("-sha512")},
	0x0807: {name: "ed25519"}, 0x0808: {name: "ed448"},
}

func pss(digest string) []string {
	return []string{digest, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}
}

// signature verifies the signature of a side in the messages. See RFC 5246 §7.4.3 and §7.4.8.
func (v *view) signature(from string) (id int, signed, signature []byte) {
	if from == "server" {
		signed = slices.Concat(v.random["client"], v.random["server"], v.exchange.params)
		id, signature = v.exchange.scheme, v.exchange.signature
	} else {
		raw := v.raw["client certificate_verify"]
		signed = v.transcript[:v.before["client certificate_verify"]]
		in := body(raw)
		id, signature = in.number(2), in.vector(2)
	}
	v.verify(from, leaf(v.raw[from+" certificate"]), id, signed, signature)
	return id, signed, signature
}

// verify checks a signature with the key in a certificate, or with a raw public key.
func (v *view) verify(from string, shown []byte, id int, signed, signature []byte) {
	command := []string{"x509", "-inform", "DER", "-noout", "-pubkey"}
	if isKey(shown) {
		command = []string{"pkey", "-pubin", "-inform", "DER", "-pubout"}
	}
	public := v.file(v.openssl(shown, command...))
	options, ok := schemes[id].options, schemes[id].name != ""
	if !ok {
		v.fail("a signature by %#04x, which nothing is known of", id)
		return
	}
	var verdict []byte
	if options == nil {
		verdict = v.openssl(nil, "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in",
			v.file(signed), "-sigfile", v.file(signature))
	} else {
		verdict = v.openssl(signed,
			append([]string{"dgst", "-verify", public, "-signature", v.file(signature)},
				options...)...)
	}
	if !bytes.Contains(verdict, []byte("Verified OK")) &&
		!bytes.Contains(verdict, []byte("Verified Successfully")) {
		v.fail("the %s's signature: %q", from, verdict)
	}
}

func (v *view) verified(from string, e event) {
	switch e.text("what") {
	case "signature":
		v.seen["signature of the "+from]++
		v.claimed(from, e)
	case "finished":
		v.seen["finished of the "+from]++
		v.same("finished", *body(v.raw[from+" finished"]), v.finished[from])
	}
}

// claimed compares an event about a signature with the messages.
func (v *view) claimed(from string, e event) {
	id, signed, signature := v.signature(from)
	v.sameText("signature scheme", e.text("scheme"), schemes[id].name)
	v.same("what was signed", e.bytes("signed"), signed)
	v.same("signature", e.bytes("signature"), signature)
}
