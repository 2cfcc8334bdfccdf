package record

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"testing"
)

// naiveCCM is RFC 3610 §2 step by step, with the standard library's CBC and CTR, since the
// published vectors have short payloads only.
func naiveCCM(t *testing.T, key, nonce, plain, aad []byte, tag int) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&15)...) }
	b := append([]byte{byte(64 + (tag-2)/2*8 + 2)}, nonce...)
	b = append(b, 0, byte(len(plain)>>8), byte(len(plain)))
	b = pad(append(binary.BigEndian.AppendUint16(b, uint16(len(aad))), aad...))
	b = pad(append(b, plain...))
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(b, b)
	// S_0 hides the tag, S_1 and so on the payload.
	text := append(bytes.Clone(b[len(b)-16:]), plain...)
	cipher.NewCTR(block, append(append([]byte{2}, nonce...), 0, 0, 0)).XORKeyStream(text, text)
	return append(text[16:], text[:tag]...)
}

func TestCCMMatchesRFC3610AtEveryLength(t *testing.T) {
	nonce, aad, ran := pattern(nonceLen), pattern(len(prefix{})), 0
	for _, c := range []*Cipher{AES_128_CCM, AES_256_CCM, AES_128_CCM_8, AES_256_CCM_8} {
		key := pattern(c.KeyLen)
		a, err := c.aead(key)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n <= MaxPlaintext; n += 1 + n/64 {
			plain := pattern(n)
			sealed := naiveCCM(t, key, nonce, plain, aad, c.TagLen)
			aeadCase{c.Name, key, nonce, aad, sealed, plain, true}.run(t, a)
			sealed[n/2] ^= 4
			aeadCase{c.Name, key, nonce, aad, sealed, plain, false}.run(t, a)
			ran++
		}
	}
	t.Logf("%d lengths", ran)
}
