package kex

import (
	"math/big"

	"filippo.io/bigmod"
)

var one, two, four = big.NewInt(1), big.NewInt(2), big.NewInt(4)

// A field is the integers modulo a prime, with the length of private exponents.
type field struct {
	p        *big.Int
	modulus  *bigmod.Modulus // p with its Montgomery constants, for what is secret
	exponent int             // in bits
}

// newField requires an odd p > 1. Of an even one bigmod would make a modulus that panics at the
// first power.
func newField(p *big.Int, exponent int) *field {
	modulus, err := bigmod.NewModulus(p.Bytes())
	if err != nil {
		panic(err) // p ≤ 1
	}
	return &field{p, modulus, exponent}
}

// power returns base^exponent mod p. Its time depends on the exponent's length only. base must be
// below p.
func (f *field) power(base *big.Int, exponent []byte) *bigmod.Nat {
	return bigmod.NewNat().Exp(f.nat(base), exponent, f.modulus)
}

// nat returns a number below p for bigmod.
func (f *field) nat(v *big.Int) *bigmod.Nat {
	n, err := bigmod.NewNat().SetBytes(v.Bytes(), f.modulus)
	if err != nil {
		panic(err) // every base was checked
	}
	return n
}

func (f *field) one() *bigmod.Nat { return f.nat(one) }

// inside reports whether 1 < v < p-1, which excludes the subgroups of one and two elements. Both
// are public.
func inside(v, p *big.Int) bool { return v.Cmp(one) > 0 && new(big.Int).Add(v, one).Cmp(p) < 0 }
