package kex

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
	"sync"

	"filippo.io/bigmod"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// maxBits bounds the work that a peer's prime can cause, as RFC 7919 §3.1 asks.
const maxBits = 8192

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

// FiniteField returns the group of a server's dh_p and dh_g, big-endian. It fails with
// insufficient_security unless minBits ≤ bits of p ≤ 8192, and with illegal_parameter unless p is
// prime and 1 < g < p-1. The primes of RFC 7919 and RFC 3526 are recognized; any other is tested,
// which takes 20 ms for 2048 bits and half a second for 8192, and then remembered for a while. The
// order of g is not tested: a server that chooses a weak one harms a secret that it could as well
// reveal. See RFC 5246 §7.4.3 and RFC 7919 §3.1.
func FiniteField(p, g []byte, minBits int) (Group, error) {
	prime, generator := new(big.Int).SetBytes(p), new(big.Int).SetBytes(g)
	bits := prime.BitLen()
	if bits < minBits || bits > maxBits {
		return nil, alert.KindGroup.Fail(alert.InsufficientSecurity, "RFC 7919 §3",
			"got a dh_p of %d bits, expected %d to %d", bits, minBits, maxBits)
	}
	if prime.Bit(0) == 0 {
		return nil, alert.KindGroup.Fail(alert.IllegalParameter, "RFC 5246 §7.4.3",
			"got an even dh_p of %d bits, expected a prime", bits)
	}
	if !inside(generator, prime) {
		return nil, alert.KindGroup.Fail(alert.IllegalParameter, "RFC 5246 §7.4.3",
			"got a dh_g that is not in 1 < dh_g < dh_p-1")
	}
	for _, w := range wellKnown {
		if w.bits == uint(bits) && w.group().p.Cmp(prime) == 0 {
			if generator.Cmp(two) == 0 {
				return w.group(), nil
			}
			return &finiteField{field: w.group().field, g: generator, name: w.group().name +
				" with another generator"}, nil
		}
	}
	f, ok := tested.field(prime)
	if !ok {
		return nil, alert.KindGroup.Fail(alert.IllegalParameter, "RFC 5246 §7.4.3",
			"got a composite dh_p of %d bits, expected a prime", bits)
	}
	return &finiteField{field: f, g: generator, name: fmt.Sprintf("%d-bit prime", bits)}, nil
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
	share := f.base.power(f, x)
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

// tested remembers primes that passed the test. Composites are not remembered: they are rejected
// fast and end the connection.
var tested = &primeCache{known: map[[sha256.Size]byte]*field{}}

type primeCache struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*field
}

// maxFields bounds the memory that servers can fill: about 4 KiB for each field.
const maxFields = 64

// field returns the field of p, which must be odd; ok is false if p is composite. It tests p unless
// it remembers it. Baillie-PSW has no known counterexample, not even a constructed one, so no
// random bases are added.
func (s *primeCache) field(p *big.Int) (*field, bool) {
	key := sha256.Sum256(p.Bytes())
	s.mu.Lock()
	f, ok := s.known[key]
	s.mu.Unlock()
	if ok {
		return f, true
	}
	if !p.ProbablyPrime(0) { // not under the lock: it is slow
		return nil, false
	}
	// Exponents have full length: short ones are unsafe where (p-1)/2 may be composite.
	f = newField(p, p.BitLen()-1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) == maxFields {
		for whichever := range s.known {
			delete(s.known, whichever)
			break
		}
	}
	s.known[key] = f
	return f, true
}

// NameOf returns the code point and the name of the group with this dh_p and dh_g. It does not test
// whether p is prime.
func NameOf(p, g []byte) (iana.Group, string) {
	prime := new(big.Int).SetBytes(p)
	for _, w := range wellKnown {
		if w.bits == uint(prime.BitLen()) && w.group().p.Cmp(prime) == 0 &&
			new(big.Int).SetBytes(g).Cmp(two) == 0 {
			return w.id, w.group().name
		}
	}
	return 0, fmt.Sprintf("%d-bit prime", prime.BitLen())
}
