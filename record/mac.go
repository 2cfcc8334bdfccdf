package record

import (
	"crypto/subtle"
	"encoding"
	"hash"

	"github.com/vitrine-tls/vitrine/alert"
)

// These are returned for every way in which a record of a protection fails to authenticate. Each is
// one value, so that no difference between the ways can reach an alert, a log or a branch.
var (
	errBadMAC = badRecord("RFC 5246 §6.2.3.1") // without a cipher, and with a stream cipher
	errBadCBC = badRecord("RFC 5246 §6.2.3.2")
	errBadTag = badRecord("RFC 5246 §6.2.3.3")
)

func badRecord(ref string) error {
	return alert.KindRecord.Fail(alert.BadRecordMAC, ref,
		"record does not authenticate under the peer's write keys")
}

// refuse wipes fragment, which may hold plaintext that was not authenticated, and returns err.
func refuse(fragment []byte, err error) ([]byte, error) {
	clear(fragment)
	return nil, err
}

// stateHash is a hash whose state can be saved and restored, as those of the standard library can.
type stateHash interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// hmac is RFC 2104 over one hash value that serves record after record: two saved states replace
// hashing the key each time, and lucky.go can read the state. crypto/hmac does the former too, but
// does not expose its state.
type hmac struct {
	*MAC
	h            stateHash
	inner, outer []byte // h's state after K ⊕ ipad and after K ⊕ opad
	digest       []byte // scratch from here on
	state        []byte
	block        []byte
	want, got    []byte
}

func newHMAC(m *MAC, key []byte) (*hmac, error) {
	h, ok := m.hash().(stateHash)
	if !ok {
		return nil, alert.Fail(alert.InternalError, "",
			"%s: the state of this build's hash cannot be saved", m.Name)
	}
	x := &hmac{MAC: m, h: h}
	for _, pad := range []struct {
		with  byte
		state *[]byte
	}{{0x36, &x.inner}, {0x5c, &x.outer}} {
		block := make([]byte, m.blockSize)
		copy(block, key) // never longer than a block: New and NewReader check it
		for i := range block {
			block[i] ^= pad.with
		}
		h.Reset()
		h.Write(block)
		state, err := h.AppendBinary(nil)
		if err != nil {
			return nil, alert.Fail(alert.InternalError, "", "%s: %w", m.Name, err)
		}
		*pad.state = state
	}
	x.digest, x.got, x.want = make([]byte, m.Len), make([]byte, m.Len), make([]byte, m.Len)
	x.state, x.block = make([]byte, 0, len(x.inner)), make([]byte, m.blockSize)
	return x, nil
}

// sum appends the MAC of prefix and content to dst. Its time depends on their length.
func (x *hmac) sum(dst, prefix, content []byte) []byte {
	x.restore(x.inner)
	x.h.Write(prefix)
	x.h.Write(content)
	return x.finish(dst, x.h.Sum(x.digest[:0]))
}

// verify reports whether mac is the MAC of prefix and content.
func (x *hmac) verify(mac, prefix, content []byte) bool {
	x.want = x.sum(x.want[:0], prefix, content)
	return subtle.ConstantTimeCompare(x.want, mac) == 1
}

// finish appends the outer hash of HMAC, over the inner digest, to dst.
func (x *hmac) finish(dst, digest []byte) []byte {
	x.restore(x.outer)
	x.h.Write(digest)
	return x.h.Sum(dst)
}

// restore sets the state of the hash. It cannot fail: h produced the state itself.
func (x *hmac) restore(state []byte) { _ = x.h.UnmarshalBinary(state) }
