package kex

import (
	"math/big"
	"math/bits"
	"sync"
	"sync/atomic"

	"filippo.io/bigmod"
)

// A fixedBase computes powers of a generator from a table, without squarings: RFC 7919 §5.3. It has
// g^(d·16^i) for each digit d in hexadecimal at each place i of an exponent, 240 KB for ffdhe2048.
type fixedBase struct {
	uses  atomic.Uint32
	once  sync.Once
	table []uint // place by place, sixteen powers each; all of it is public
	words int    // of a power
}

// worthwhile is the number of powers before the table is made, which costs about as much as four.
const worthwhile = 8

// power returns g^exponent, or nil if the table does not have it (yet). Like that of any other
// power, its time depends on the exponent's length only.
func (b *fixedBase) power(f *field, g *big.Int, exponent []byte) *bigmod.Nat {
	if b == nil || len(exponent) > (f.exponent+7)/8 || b.uses.Add(1) <= worthwhile {
		return nil
	}
	b.once.Do(func() { b.make(f, g) })
	product, factor := f.one(), f.one()
	for i := range 2 * len(exponent) {
		octet := exponent[len(exponent)-1-i/2]
		b.read(factor.Bits(), i, octet>>(4*(i%2))&15)
		product.Mul(factor, f.modulus)
	}
	clear(factor.Bits()) // which tells a digit
	return product
}

// read copies the power for a digit at a place into words. Which entry that is, is secret: all
// sixteen are read, and all but one masked.
func (b *fixedBase) read(words []uint, place int, digit byte) {
	clear(words)
	row := b.table[place*16*b.words:]
	for d := range uint(16) {
		_, only := bits.Sub(d^uint(digit), 1, 0) // 1 if d is the digit
		for j, w := range row[:len(words)] {
			words[j] |= w & -only
		}
		row = row[len(words):]
	}
}

// make computes the table.
func (b *fixedBase) make(f *field, g *big.Int) {
	step := f.nat(g) // g^(16^i)
	b.words = len(step.Bits())
	for range 2 * ((f.exponent + 7) / 8) {
		power := f.one()
		for range 16 {
			b.table = append(b.table, power.Bits()...)
			power.Mul(step, f.modulus)
		}
		step = power // g^(16·16^i)
	}
}
