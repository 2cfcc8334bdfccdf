package kex

import (
	"bytes"
	"cmp"
	"io"
	"math/big"

	"filippo.io/bigmod"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// A finiteField is a Group: a field and a generator.
type finiteField struct {
	*field
	g    *big.Int
	id   iana.Group
	name string
	rule *shareRule // of TLS 1.2 if nil
	base *fixedBase // of g, or nil
}

// A shareRule is the rule of a version of TLS for invalid shares in a finite field.
type shareRule struct {
	padded bool // a share must have the length of the prime
	alert  alert.Description
	ref    string
}

var (
	rule12 = &shareRule{alert: alert.HandshakeFailure, ref: "RFC 7919 §5.1"}
	rule13 = &shareRule{padded: true, alert: alert.IllegalParameter, ref: "RFC 8446 §4.2.8.1"}
)

// refuse returns the error about a share.
func (f *finiteField) refuse(why string) error {
	rule := cmp.Or(f.rule, rule12)
	return alert.KindShare.Fail(rule.alert, rule.ref, "got a share %s of %v", why, f.name)
}

// Params returns dh_p and dh_g for ServerKeyExchange, big-endian without leading zeros, or nil for
// a group of another kind. See RFC 5246 §7.4.3.
func Params(g Group) (p, generator []byte) {
	if f, ok := g.(*finiteField); ok {
		return f.p.Bytes(), f.g.Bytes()
	}
	return nil, nil
}

func (f *finiteField) ID() iana.Group { return f.id }

func (f *finiteField) Name() string { return f.name }

// Offer draws x with 2^(l-1) ≤ x < 2^l, where l is the exponent's length, as PKCS #3 does: x is
// never 0, always below p-1, and its length reveals nothing.
func (f *finiteField) Offer(rand io.Reader) (Offer, error) {
	x, err := draw(rand, (f.exponent+7)/8)
	if err != nil {
		return nil, err
	}
	top := byte(1) << ((f.exponent - 1) % 8)
	x[0] = x[0]&(top-1) | top
	return f.offer(x), nil
}

func (f *finiteField) Answer(rand io.Reader, theirs []byte) (Answer, error) {
	return answer(f, rand, theirs)
}

// Restore accepts any 0 < x < p.
func (f *finiteField) Restore(private []byte) (Offer, error) {
	if x, err := bigmod.NewNat().SetBytes(private, f.modulus); err != nil || x.IsZero() == 1 {
		return nil, alert.Fail(alert.InternalError, "RFC 5246 §8.1.2",
			"got %d bytes, expected a private key of %v", len(private), f.name)
	}
	return f.offer(bytes.Clone(private)), nil
}

func (f *finiteField) offer(x []byte) *fieldOffer {
	share := f.base.power(f.field, f.g, x)
	if share == nil {
		share = f.power(f.g, x)
	}
	return &fieldOffer{f, x, share.Bytes(f.modulus)}
}

type fieldOffer struct {
	group          *finiteField
	private, share []byte
}

func (o *fieldOffer) Share() []byte { return o.share }

func (o *fieldOffer) Private() []byte { return o.private }

// Finish computes Z = theirs^private mod p. In TLS 1.2 theirs may have leading zeros or lack them;
// in TLS 1.3 it has the length of p. See RFC 7919 §5.1, §3 and §4, and RFC 8446 §4.2.8.1 and §6.
func (o *fieldOffer) Finish(theirs []byte) ([]byte, error) {
	f := o.group
	if cmp.Or(f.rule, rule12).padded && len(theirs) != (f.p.BitLen()+7)/8 {
		return nil, f.refuse("that does not have the length of the prime")
	}
	y := new(big.Int).SetBytes(theirs)
	if !inside(y, f.p) {
		return nil, f.refuse("that is not in 1 < Y < p-1")
	}
	z := f.power(y, o.private)
	// If (p-1)/2 is not prime, y may lie in a small subgroup, whose few values can be guessed, and
	// z may be 1 or -1. See NIST SP 800-56A §5.7.1.1.
	if z.IsOne()|z.IsMinusOne(f.modulus) == 1 {
		return nil, f.refuse("in a small subgroup")
	}
	return z.Bytes(f.modulus), nil
}
