package kex

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A table gives the powers that squarings give: RFC 7919 §5.3.
func TestATableGivesTheSamePowers(t *testing.T) {
	for _, id := range []iana.Group{iana.FFDHE2048, iana.FFDHE3072} {
		shared := named(t, id).(*finiteField)
		g := *shared
		g.base = new(fixedBase) // of its own, so that the other tests have theirs
		n := (g.exponent + 7) / 8
		if g.base.power(g.field, g.g, make([]byte, n)) != nil {
			t.Errorf("%v: a table is made for the first power", id)
		}
		g.base.uses.Store(worthwhile)
		if g.base.power(g.field, g.g, make([]byte, n+1)) != nil {
			t.Errorf("%v: a power of a longer exponent than the table's", id)
		}
		r := testkit.Rand("table")
		exponents := [][]byte{make([]byte, n), bytes.Repeat([]byte{0xFF}, n), {1}, {0x10}, {}}
		for range 5 {
			x := make([]byte, n)
			r.Read(x)
			exponents = append(exponents, x)
		}
		for _, x := range exponents {
			got, want := g.base.power(g.field, g.g, x), g.power(g.g, x)
			if got == nil || !bytes.Equal(got.Bytes(g.modulus), want.Bytes(g.modulus)) {
				t.Errorf("%v: 2^%x is wrong", id, x)
			}
		}
	}
}

// Shares are the same before a table is made and after.
func TestATableChangesNoShare(t *testing.T) {
	g := *named(t, iana.FFDHE2048).(*finiteField)
	g.base = new(fixedBase)
	var first []byte
	for i := range 2 * worthwhile {
		o, err := g.Offer(testkit.Rand("one share"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = o.Share()
		}
		if !bytes.Equal(o.Share(), first) {
			t.Fatalf("share %d differs from the first", i)
		}
	}
	if g.base.table == nil {
		t.Error("there is no table yet")
	}
}
