package keys

import (
	"crypto"
	"crypto/subtle"
	"hash"
	"sync"
)

// mac computes HMAC (RFC 2104) with a pair of hashes that are used again for other keys. A
// handshake of TLS 1.3 computes about fifty HMACs under thirty keys, and crypto/hmac makes six
// objects for each key. Its time depends on lengths only.
type mac struct {
	inner, outer hash.Hash
	pads         [2][]byte // the key as a block, with ipad and with opad
	digest       []byte    // of inner
	info         []byte    // scratch for HKDF's info
}

// macs are the free ones, by crypto.Hash.
var macs [crypto.BLAKE2b_512 + 1]sync.Pool

// newMAC returns an HMAC that is ready for its first message. Its owner calls free at last.
func newMAC(h crypto.Hash, key []byte) *mac {
	m, ok := macs[h].Get().(*mac)
	if !ok {
		m = &mac{inner: h.New(), outer: h.New()}
		for i := range m.pads {
			m.pads[i] = make([]byte, m.inner.BlockSize())
		}
	}
	if len(key) > m.inner.BlockSize() {
		m.inner.Reset()
		m.inner.Write(key)
		m.digest = m.inner.Sum(m.digest[:0])
		key = m.digest
	}
	for i, pad := range [...]byte{0x36, 0x5c} {
		block := m.pads[i]
		for j := range block {
			block[j] = pad
		}
		subtle.XORBytes(block, block, key)
	}
	m.reset()
	return m
}

// reset begins another message under the same key.
func (m *mac) reset() {
	m.inner.Reset()
	m.inner.Write(m.pads[0])
}

func (m *mac) Write(p []byte) (int, error) { return m.inner.Write(p) }

// sum appends the HMAC of what was written to b, and begins another message.
func (m *mac) sum(b []byte) []byte {
	m.digest = m.inner.Sum(m.digest[:0])
	m.outer.Reset()
	m.outer.Write(m.pads[1])
	m.outer.Write(m.digest)
	b = m.outer.Sum(b)
	m.reset()
	return b
}

// free forgets the key, and lets others use m.
func (m *mac) free(h crypto.Hash) {
	for _, secret := range [...][]byte{m.pads[0], m.pads[1], m.digest} {
		clear(secret)
	}
	m.inner.Reset()
	m.outer.Reset()
	macs[h].Put(m)
}
