package handshake

import (
	"crypto"
	"crypto/md5"
	"crypto/sha1"
	"hash"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
)

// transcript holds every handshake message sent so far, headers included, exactly as sent;
// HelloRequest and ChangeCipherSpec are not in it. See RFC 5246 §7.4.9.
//
// Its hash is that of the PRF, which the ServerHello chooses. The messages themselves stay until
// the last CertificateVerify is possible: that signature has a hash of its own, or, with EdDSA,
// none.
type transcript struct {
	messages [][]byte // not copied: a hello may be 128 KiB long
	running  hash.Hash
	sealed   bool // the messages are dropped
}

func (t *transcript) add(raw []byte) {
	if !t.sealed {
		if t.messages == nil {
			t.messages = make([][]byte, 0, 8) // most handshakes have no more
		}
		t.messages = append(t.messages, raw)
	}
	if t.running != nil {
		t.running.Write(raw)
	}
}

// raw returns the concatenated messages, in a new slice.
func (t *transcript) raw() []byte { return slices.Concat(t.messages...) }

// start begins the running hash with the messages from before the hash was known.
func (t *transcript) start(h crypto.Hash) {
	if h == crypto.MD5SHA1 || h == keys.SSL30 {
		t.running = &md5sha1{md5.New(), sha1.New()}
	} else {
		t.running = h.New()
	}
	for _, raw := range t.messages {
		t.running.Write(raw)
	}
}

// sum returns the hash of the messages so far.
func (t *transcript) sum() []byte { return t.running.Sum(nil) }

// pair returns copies of both hashes of SSL 3.0, and the sender value that is written first.
func (t *transcript) pair(from iana.Side) (_ iana.Side, md5, sha1 hash.Hash) {
	both := t.running.(*md5sha1)
	return from, clone(both.md5), clone(both.sha1)
}

func clone(h hash.Hash) hash.Hash {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic(err) // the standard library's can always be cloned
	}
	return c
}

// drop releases the messages and keeps the hash.
func (t *transcript) drop() { t.messages, t.sealed = nil, true }

// md5sha1 is the handshake hash of TLS 1.0 and 1.1: MD5 followed by SHA-1. See RFC 4346 §7.4.9.
type md5sha1 struct{ md5, sha1 hash.Hash }

func (h *md5sha1) Write(p []byte) (int, error) { h.md5.Write(p); return h.sha1.Write(p) }
func (h *md5sha1) Sum(b []byte) []byte         { return h.sha1.Sum(h.md5.Sum(b)) }
func (h *md5sha1) Reset()                      { h.md5.Reset(); h.sha1.Reset() }
func (h *md5sha1) Size() int                   { return md5.Size + sha1.Size }
func (h *md5sha1) BlockSize() int              { return md5.BlockSize }

// retry replaces the messages before the last, which is the HelloRetryRequest, by a message that
// holds their hash. See RFC 8446 §4.4.1.
func (t *transcript) retry(hash crypto.Hash) {
	last := len(t.messages) - 1
	h := hash.New()
	for _, raw := range t.messages[:last] {
		h.Write(raw)
	}
	t.messages = [][]byte{messageHash(h.Sum(nil)), t.messages[last]}
}

// messageHash returns the message that replaces the first ClientHello in the transcript. See RFC
// 8446 §4.4.1.
func messageHash(hash []byte) []byte {
	return append([]byte{byte(iana.MessageHash), 0, 0, byte(len(hash))}, hash...)
}

// with returns the hash of the messages so far followed by more.
func (t *transcript) with(h crypto.Hash, more []byte) []byte {
	sum := h.New()
	for _, raw := range t.messages {
		sum.Write(raw)
	}
	sum.Write(more)
	return sum.Sum(nil)
}
