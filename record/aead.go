package record

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/trace"
)

// aead is explicit nonce || ciphertext || tag. See RFC 5246 §6.2.3.3.
//
// A nonce must never be used twice under one key: with GCM, twice is enough to forge. So no
// randomness is involved. The explicit part is the sequence number, which Half increments and
// Protect sets to 0 only together with new keys; the two directions have different keys. RFC 5288
// §3 and RFC 6655 §3 allow exactly that. ChaCha20-Poly1305 sends no explicit part and XORs the
// sequence number into a secret IV of 12 bytes, as all ciphers of TLS 1.3 do (RFC 7905 §2). When
// opening, the explicit part is whatever the peer chose and is read from the record. The sequence
// number is authenticated as additional data either way, so a replay fails.
type aead struct {
	traits   Traits
	aead     cipher.AEAD
	explicit int            // 8 or 0
	iv       [nonceLen]byte // fixed_iv, then zeros
	nonce    [nonceLen]byte
	head     [HeaderLen + 8]byte // of a record: its header and the explicit part
	prefix   prefix
}

func newAEAD(c *Cipher, p Params) (Protection, error) {
	mode, err := c.aead(p.Keys.Key)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "", "%s: %w", c.Name, err)
	}
	a := &aead{aead: mode, explicit: c.RecordIVLen}
	a.traits = Traits{Name: c.Name, Ref: "RFC 5246 §6.2.3.3",
		Overhead: HeaderLen + c.RecordIVLen + c.TagLen, MaxRecords: c.MaxRecords}
	copy(a.iv[:], p.Keys.IV)
	return a, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

func (a *aead) Traits() *Traits { return &a.traits }

// setNonce sets and returns the nonce for n, which is the explicit part or, without one, the
// sequence number. Where the explicit part goes iv is zero, so the XOR copies it.
func (a *aead) setNonce(n uint64) []byte {
	return putNonce(&a.nonce, &a.iv, n)
}

// putNonce sets a nonce to iv, its last eight bytes XOR n, and returns it.
func putNonce(nonce, iv *[nonceLen]byte, n uint64) []byte {
	*nonce = *iv
	low := nonce[nonceLen-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^n)
	return nonce[:]
}

func (a *aead) Seal(dst []byte, seq uint64, h Header, plain []byte) ([]byte, error) {
	nonce := a.setNonce(seq)
	h.put(a.head[:], a.explicit+len(plain)+a.aead.Overhead())
	copy(a.head[HeaderLen:], nonce[nonceLen-a.explicit:])
	dst = append(dst, a.head[:HeaderLen+a.explicit]...)
	return a.aead.Seal(dst, nonce, plain, a.prefix.put(seq, h, len(plain))), nil
}

func (a *aead) Open(seq uint64, h Header, fragment []byte) ([]byte, error) {
	n := len(fragment) - a.explicit - a.aead.Overhead()
	if n < 0 {
		return refuse(fragment, errBadTag)
	}
	sealed := fragment[a.explicit:]
	plain, err := a.aead.Open(sealed[:0], a.nonceOf(seq, fragment), sealed, a.prefix.put(seq, h, n))
	if err != nil {
		return refuse(fragment, errBadTag)
	}
	return plain, nil
}

func (a *aead) nonceOf(seq uint64, fragment []byte) []byte {
	if a.explicit > 0 {
		seq = binary.BigEndian.Uint64(fragment)
	}
	return a.setNonce(seq)
}

func (a *aead) Anatomy(seq uint64, h Header, fragment []byte) trace.Anatomy {
	n := len(fragment) - a.aead.Overhead()
	return trace.Anatomy{
		Nonce:      slices.Clone(a.nonceOf(seq, fragment)),
		Explicit:   fragment[:a.explicit],
		AAD:        slices.Clone(a.prefix.put(seq, h, n-a.explicit)),
		Ciphertext: fragment[a.explicit:n],
		Tag:        fragment[n:],
	}
}
