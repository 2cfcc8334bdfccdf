package kex

import (
	"math/big"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
)

// The well-known primes are computed from their formula. RFC 7919 appendix A takes the middle of
// each from e and RFC 3526 from π, numbers that nobody could choose, and adds the smallest x that
// makes both p and (p-1)/2 prime:
//
//	p = 2^bits − 2^(bits−64) + (⌊2^(bits−130)·constant⌋ + x)·2^64 − 1
//
// Tests compare them with the published ones. All have the generator 2.
//
// The exponents are as long as RFC 7919 §5.2 asks or longer (225, 275, 325, 375 and 400 bits), in
// whole bytes, which is more than twice the strength that NIST SP 800-57 gives a prime of that size
// (112, 128, 152, 176 and 200 bits). That is safe in these groups, where (p-1)/2 is prime; in
// others the small subgroups reveal a short exponent.
var wellKnown = []*safePrime{
	{id: iana.FFDHE2048, bits: 2048, constant: e, x: 560316, exponent: 232},
	{id: iana.FFDHE3072, bits: 3072, constant: e, x: 2625351, exponent: 280},
	{id: iana.FFDHE4096, bits: 4096, constant: e, x: 5736041, exponent: 328},
	{id: iana.FFDHE6144, bits: 6144, constant: e, x: 15705020, exponent: 376},
	{id: iana.FFDHE8192, bits: 8192, constant: e, x: 10965728, exponent: 400},

	{name: "1536-bit MODP (RFC 3526)", bits: 1536, constant: pi, x: 741804, exponent: 232},
	{name: "2048-bit MODP (RFC 3526)", bits: 2048, constant: pi, x: 124476, exponent: 232},
	{name: "3072-bit MODP (RFC 3526)", bits: 3072, constant: pi, x: 1690314, exponent: 280},
	{name: "4096-bit MODP (RFC 3526)", bits: 4096, constant: pi, x: 240904, exponent: 328},
	{name: "6144-bit MODP (RFC 3526)", bits: 6144, constant: pi, x: 929484, exponent: 376},
	{name: "8192-bit MODP (RFC 3526)", bits: 8192, constant: pi, x: 4743158, exponent: 400},
}

// A safePrime is a row of the table. Its group is computed when it is first asked for.
type safePrime struct {
	id       iana.Group
	name     string // if id is 0
	bits     uint
	constant func() *big.Int
	x        int64
	exponent int // in bits

	once sync.Once
	made *finiteField
}

// prime computes the formula.
func (s *safePrime) prime() *big.Int {
	p := new(big.Int).Rsh(s.constant(), precision-(s.bits-130))
	p.Add(p, big.NewInt(s.x))
	p.Lsh(p, 64)
	p.Add(p, new(big.Int).Lsh(one, s.bits))
	p.Sub(p, new(big.Int).Lsh(one, s.bits-64))
	return p.Sub(p, one)
}

func (s *safePrime) group() *finiteField {
	s.once.Do(func() {
		name := s.name
		if s.id != 0 {
			name = s.id.String()
		}
		s.made = &finiteField{field: newField(s.prime(), s.exponent), g: two, id: s.id, name: name,
			base: new(fixedBase)}
	})
	return s.made
}

// precision is the number of bits after the binary point in e and π: those of the longest prime,
// with room for the rounding errors of all terms.
const precision = 8192

// e returns ⌊2^precision·e⌋ with an error in the last few bits: the sum of 1/k!.
var e = sync.OnceValue(func() *big.Int {
	sum, term := new(big.Int), new(big.Int).Lsh(one, precision)
	for k := int64(1); term.Sign() > 0; k++ {
		sum.Add(sum, term)
		term.Quo(term, big.NewInt(k))
	}
	return sum
})

// pi returns ⌊2^precision·π⌋ with an error in the last few bits, by Machin's formula: π/4 =
// 4·arctan(1/5) − arctan(1/239).
var pi = sync.OnceValue(func() *big.Int {
	sum := arctanInverse(5)
	sum.Mul(sum, four)
	sum.Sub(sum, arctanInverse(239))
	return sum.Mul(sum, four)
})

// arctanInverse returns 2^precision·arctan(1/n), rounded: the sum of ±1/(k·n^k) over the odd k.
func arctanInverse(n int64) *big.Int {
	sum, power := new(big.Int), new(big.Int).Lsh(one, precision)
	power.Quo(power, big.NewInt(n))
	for k := int64(1); power.Sign() > 0; k += 4 {
		sum.Add(sum, new(big.Int).Quo(power, big.NewInt(k)))
		power.Quo(power, big.NewInt(n*n))
		sum.Sub(sum, new(big.Int).Quo(power, big.NewInt(k+2)))
		power.Quo(power, big.NewInt(n*n))
	}
	return sum
}
