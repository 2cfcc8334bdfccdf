package negotiation

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/session"
)

// Digests of the parts of a Config that sessions are bound to: see bindings.

const (
	// boundParts is the number of bindings.
	boundParts = 3

	// boundLen is how many bytes of a digest a binding keeps. No attacker chooses the input, so
	// short digests are enough.
	boundLen = session.BoundLen / boundParts
)

// digests are the digests of bindings, with what they are of.
type digests struct {
	input digest          // of all, one after the other
	ends  [boundParts]int // of each one's in it
	sums  []byte          // never changed
}

// digest is the input of a digest: parts with their lengths, so that the encoding is unambiguous.
type digest []byte

func (d *digest) number(numbers ...int) {
	for _, n := range numbers {
		*d = binary.BigEndian.AppendUint64(*d, uint64(n))
	}
}

func (d *digest) flag(flags ...bool) {
	for _, f := range flags {
		if f {
			d.number(1)
		} else {
			d.number(0)
		}
	}
}

func (d *digest) bytes(b []byte) {
	d.number(len(b))
	*d = append(*d, b...)
}
