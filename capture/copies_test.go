package capture

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// copyist notes what it is given, and copies with their place.
type copyist struct {
	n     int64
	told  []string
	bytes string
}

func (c *copyist) Bytes(_ iana.Side, _ time.Time, b []byte) {
	c.n += int64(len(b))
	c.bytes += string(b)
}
func (c *copyist) Gap(_ iana.Side, n int64) { c.n += n }
func (c *copyist) End()                     {}
func (c *copyist) Again(_ iana.Side, back int64, b []byte) {
	c.told = append(c.told, fmt.Sprintf("%d:%s", c.n-back, b))
}

// Another copy of a byte is passed on with its place, whether the first one was passed on or waits.
func TestOtherCopiesArePassedOn(t *testing.T) {
	type move struct {
		at   uint32
		data string
	}
	for _, c := range []struct {
		moves []move
		want  string
	}{
		{[]move{{0, "abc"}, {3, "def"}}, "[]"},
		{[]move{{0, "abc"}, {0, "xyz"}}, "[0:xyz]"},
		{[]move{{0, "abc"}, {3, "d"}, {1, "yzdef"}}, "[1:yzd]"},
		{[]move{{0, "a"}, {3, "def"}, {3, "DEF"}, {1, "bc"}}, "[3:DEF]"},
		{[]move{{0, "a"}, {3, "def"}, {2, "cdEf"}, {1, "b"}}, "[3:dEf]"},
		{[]move{{0, "a"}, {3, "def"}, {3, "def"}, {1, "bc"}}, "[]"}, // the same
	} {
		w, sent := newWire(), &copyist{}
		a := Assembler{New: func(*Connection) Handler { return sent }}
		a.Add(w.packet(iana.Client, flagSYN, 99, 0, ""))
		for _, m := range c.moves {
			a.Add(w.packet(iana.Client, flagACK, 100+m.at, 1, m.data))
		}
		a.Close()
		if got := fmt.Sprint(sent.told); got != c.want || a.copies != 0 {
			t.Errorf("%v: got %s, expected %s; %d bytes are left", c.moves, got, c.want, a.copies)
		}
	}
}
