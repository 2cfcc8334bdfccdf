package recompute

import (
	"bytes"

	"github.com/cloudflare/circl/kem"
	"github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
)

// seedLen is the length in bytes of an ML-KEM private key in its short form, d || z. See FIPS 203
// §7.1.
const seedLen = 64

// A parameterSet is one of ML-KEM's, with the beginnings of the DER encodings of its keys. The seed
// or the encapsulation key follows. The encodings are those of RFC 9935.
type parameterSet struct {
	name             string // openssl's
	private, public  string
	encapsulationKey int // length in bytes
	ciphertext       int // length in bytes
	second           kem.Scheme
}

var (
	mlkem768Set = parameterSet{"ML-KEM-768", "3054020100300b0609608648016503040402" + "04428040",
		"308204b2300b0609608648016503040402038204a100", 1184, 1088, mlkem768.Scheme()}
	mlkem1024Set = parameterSet{"ML-KEM-1024", "3054020100300b0609608648016503040403" + "04428040",
		"30820632300b06096086480165030404030382062100", 1568, 1568, mlkem1024.Scheme()}
)

// MLKEM returns which program computes ML-KEM's secrets: "openssl", from version 3.5 on, or the
// second implementation "circl", which is not the one that the stack uses.
func (o *OpenSSL) MLKEM() string {
	list, err := o.run(nil, "list", "-kem-algorithms")
	if err == nil && bytes.Contains(list, []byte("ML-KEM-768")) {
		return "openssl"
	}
	return "circl"
}

// decapsulate returns the encapsulation key that belongs to a seed, and the secret that it finds in
// a ciphertext. See FIPS 203 §7.3.
func (v *view) decapsulate(p parameterSet, seed, ciphertext []byte) (public, secret []byte) {
	if len(seed) != seedLen || len(ciphertext) != p.ciphertext {
		v.fail("an %s seed of %d bytes and a ciphertext of %d", p.name, len(seed), len(ciphertext))
		return nil, nil
	}
	if v.tool.MLKEM() == "openssl" {
		key := v.file(append(unhex(p.private), seed...))
		spki := v.openssl(nil, "pkey", "-in", key, "-inform", "DER", "-pubout", "-outform", "DER")
		v.openssl(nil, "pkeyutl", "-decap", "-inkey", key, "-keyform", "DER", "-in",
			v.file(ciphertext), "-secret", v.file(ciphertext)+".secret")
		return bytes.TrimPrefix(spki, unhex(p.public)), v.read(v.file(ciphertext) + ".secret")
	}
	encapsulation, decapsulation := p.second.DeriveKeyPair(seed)
	public, err := encapsulation.MarshalBinary()
	if err != nil {
		v.fail("%w", err)
	}
	if secret, err = p.second.Decapsulate(decapsulation, ciphertext); err != nil {
		v.fail("%w", err)
	}
	return public, secret
}
