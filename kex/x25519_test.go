package kex

import (
	"bytes"
	"crypto/ecdh"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// Our X25519 is circl's. crypto/ecdh's is the second implementation: same shares, same secrets, and
// the same points refused, also those that are not reduced (RFC 7748 §5) or of low order (§6.1).
func TestX25519AgreesWithCryptoECDH(t *testing.T) {
	g, r := named(t, iana.X25519), testkit.Rand("x25519")
	points := [][]byte{make([]byte, 32), bytes.Repeat([]byte{0xFF}, 32), append([]byte{1},
		make([]byte, 31)...)}
	for last := range 20 { // around 2²⁵⁵-19, with and without the bit that is masked
		p := append([]byte{0xE0 + byte(last)}, bytes.Repeat([]byte{0xFF}, 31)...)
		points = append(points, bytes.Clone(p))
		p[31] = 0x7F
		points = append(points, p)
	}
	for range 50 {
		p := make([]byte, 32)
		r.Read(p)
		points = append(points, p)
	}
	for _, p := range points {
		o, err := g.Offer(r)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ecdh.X25519().NewPrivateKey(o.Private())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(o.Share(), key.PublicKey().Bytes()) {
			t.Errorf("the share of %x is %x, crypto/ecdh's %x", o.Private(), o.Share(),
				key.PublicKey().Bytes())
		}
		theirs, _ := ecdh.X25519().NewPublicKey(p)
		want, errWant := key.ECDH(theirs)
		got, err := o.Finish(p)
		if (err == nil) != (errWant == nil) || !bytes.Equal(got, want) {
			t.Errorf("with %x: %x, %v; crypto/ecdh has %x, %v", p, got, err, want, errWant)
		}
	}
}
