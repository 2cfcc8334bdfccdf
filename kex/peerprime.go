package kex

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"sync"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// maxBits bounds the work that a peer's prime can cause, as RFC 7919 §3.1 asks.
const maxBits = 8192

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
