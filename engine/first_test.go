package engine

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/record"
)

// framed puts content into records of so many bytes.
func framed(content []byte, size int) (raw []byte) {
	for c := range slices.Chunk(content, size) {
		raw = append(raw, 22, 3, 1)
		raw = binary.BigEndian.AppendUint16(raw, uint16(len(c)))
		raw = append(raw, c...)
	}
	return raw
}

// See RFC 5246 §6.2.1: a message may come in many records, and what cannot be a hello is not waited
// for.
func TestTheFirstMessageIsWaitedFor(t *testing.T) {
	hello := append([]byte{1, 0, 1, 0}, make([]byte, 256)...)
	long := append([]byte{1, 1, 0, 0}, make([]byte, 1<<16)...)
	for _, tt := range []struct {
		name string
		all  []byte
		ends int // after so many bytes nothing more is waited for
	}{
		{"one record", framed(hello, 1000), record.HeaderLen + len(hello)},
		{"many records", framed(hello, 100), 3*record.HeaderLen + len(hello)},
		{"records of a byte", framed(hello, 1), (record.HeaderLen + 1) * len(hello)},
		{"more behind it in its record", framed(append(hello, 1, 2, 3), 1000),
			record.HeaderLen + len(hello) + 3},
		{"a long one", framed(long, record.MaxPlaintext), MaxFirst},
		{"another message", framed([]byte{2, 0, 1, 0}, 4), 9},
		{"a longer message than there can be", framed([]byte{1, 2, 1, 69}, 4), 9},
		{"as long as there can be",
			framed(append([]byte{1, 2, 1, 68}, make([]byte, 1<<16)...), 100), MaxFirst},
		{"an alert", []byte{21, 3, 1, 0, 2}, 5},
		{"no TLS", []byte("GET / HTTP/1.1"), 5},
		{"a hello in the form of SSL 2.0", []byte{0x80, 46, 1, 3, 3, 0, 3}, 5},
		{"an empty record", []byte{22, 3, 1, 0, 0}, 5},
		{"a record that is too long", []byte{22, 3, 1, 0xFF, 0xFF}, 5},
		{"another major version", []byte{22, 4, 1, 0, 9}, 5},
	} {
		for _, step := range []int{1, 7, len(tt.all)} {
			var f First
			came := 0
			for came < len(tt.all) && f.More(tt.all[:came]) {
				came = min(came+step, len(tt.all))
			}
			if came < tt.ends || came >= tt.ends+step || f.More(tt.all[:came]) {
				t.Errorf("%s, %d bytes at a time: it ends after %d, expected %d", tt.name, step,
					came, tt.ends)
			}
		}
	}
	var f First
	if !f.More(nil) || !f.More(bytes.Clone(hello[:0])) {
		t.Error("nothing is enough")
	}
}
