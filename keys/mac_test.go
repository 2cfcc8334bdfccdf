package keys

import (
	"bytes"
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var macHashes = []crypto.Hash{crypto.MD5, crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}

// Keys of every length around a block, one after another with the same hashes, and two messages
// under each.
func TestMACIsHMAC(t *testing.T) {
	random := testkit.Rand("mac")
	for _, h := range macHashes {
		block := h.New().BlockSize()
		for _, n := range []int{0, 1, h.Size(), block - 1, block, block + 1, 3 * block} {
			key, messages := make([]byte, n), [2][]byte{make([]byte, n), make([]byte, 200)}
			random.Read(key)
			random.Read(messages[1])
			m := newMAC(h, key)
			for _, message := range messages {
				want := hmac.New(h.New, key)
				want.Write(message)
				m.begin()
				m.Write(message)
				if got := m.sum([]byte("before")); !bytes.Equal(got, want.Sum([]byte("before"))) {
					t.Errorf("%v, key of %d bytes: got %x", h, n, got)
				}
			}
			m.free(h)
			if empty := make([]byte, block); !bytes.Equal(m.ipad, empty) ||
				!bytes.Equal(m.opad, empty) {
				t.Errorf("%v: free keeps the key", h)
			}
		}
	}
}

func TestExpandIsHKDF(t *testing.T) {
	random := testkit.Rand("expand")
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
		for _, n := range []int{1, 12, h.Size() - 1, h.Size(), h.Size() + 1, 255 * h.Size()} {
			secret, context := make([]byte, h.Size()), make([]byte, h.Size())
			random.Read(secret)
			random.Read(context)
			l := label{label: "a label"}
			info := []byte{byte(n >> 8), byte(n), byte(len("tls13 a label"))}
			info = append(append(info, "tls13 a label"...), byte(len(context)))
			info = append(info, context...)
			want, err := hkdf.Expand(h.New, secret, string(info), n)
			if err != nil {
				t.Fatal(err)
			}
			k := HKDF{Hash: h}
			if got := k.stage(secret).expand(l, context, n); !bytes.Equal(got, want) {
				t.Errorf("%v, %d bytes: got %x, expected %x", h, n, got, want)
			}
			if want, err = hkdf.Key(h.New, secret, context, l.label, n); err != nil {
				t.Fatal(err)
			}
			if got := k.Key(secret, context, l.label, n); !bytes.Equal(got, want) {
				t.Errorf("%v, %d bytes: got %x, expected %x", h, n, got, want)
			}
		}
	}
}
