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
	ipad, opad   []byte // with the key, each as long as a block
	digest       []byte // of inner
	info         []byte // of HKDF, or label and seed of the PRF
	a, block     []byte // of P_hash
	counter      [1]byte
}

// macs holds the unused ones, by crypto.Hash.
var macs [crypto.BLAKE2b_512 + 1]sync.Pool

// newMAC returns an HMAC. The caller calls begin for each message, and free at the end.
func newMAC(h crypto.Hash, key []byte) *mac {
	m, ok := macs[h].Get().(*mac)
	if !ok {
		m = &mac{inner: h.New(), outer: h.New()}
		m.ipad, m.opad = make([]byte, m.inner.BlockSize()), make([]byte, m.inner.BlockSize())
	}
	if len(key) > m.inner.BlockSize() {
		m.inner.Reset()
		m.inner.Write(key)
		m.digest = m.inner.Sum(m.digest[:0])
		key = m.digest
	}
	mask(m.ipad, key, &ipads)
	mask(m.opad, key, &opads)
	return m
}

// maxInfo is the longest info that an unused mac keeps, in bytes: only the context of an exporter
// is longer.
const maxInfo = 512

// maxBlock is the block of SHA-384 and SHA-512, in bytes.
const maxBlock = 128

var ipads, opads = repeated(0x36), repeated(0x5c)

func repeated(b byte) (block [maxBlock]byte) {
	for i := range block {
		block[i] = b
	}
	return block
}

// mask writes key, filled up with zeros to the length of block, XOR pad.
func mask(block, key []byte, pad *[maxBlock]byte) {
	copy(block, pad[:])
	subtle.XORBytes(block, block, key)
}

// begin begins a message.
func (m *mac) begin() {
	m.inner.Reset()
	m.inner.Write(m.ipad)
}

func (m *mac) Write(p []byte) (int, error) { return m.inner.Write(p) }

// sum appends the HMAC of what was written to b.
func (m *mac) sum(b []byte) []byte {
	m.digest = m.inner.Sum(m.digest[:0])
	m.outer.Reset()
	m.outer.Write(m.opad)
	m.outer.Write(m.digest)
	return m.outer.Sum(b)
}

// expand returns HKDF-Expand(key, m.info, n). n is at most 255 times the length of the hash. See
// RFC 5869 §2.3.
func (m *mac) expand(n int) []byte {
	size := m.inner.Size()
	out := make([]byte, 0, (n+size-1)/size*size)
	for i := byte(1); len(out) < n; i++ {
		m.begin()
		m.Write(out[max(0, len(out)-size):]) // T(i-1)
		m.Write(m.info)
		m.counter[0] = i
		m.Write(m.counter[:])
		out = m.sum(out)
	}
	return out[:n:n]
}

// free clears the key and makes m available for reuse.
func (m *mac) free(h crypto.Hash) {
	clear(m.ipad)
	clear(m.opad)
	clear(m.digest)
	clear(m.a)
	clear(m.block)
	if cap(m.info) > maxInfo {
		m.info = nil
	}
	m.inner.Reset()
	m.outer.Reset()
	macs[h].Put(m)
}
