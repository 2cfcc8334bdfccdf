package kex

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var allNamed = []iana.Group{iana.Secp256r1, iana.Secp384r1, iana.Secp521r1, iana.X25519, iana.X448,
	iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096, iana.FFDHE6144, iana.FFDHE8192}

// fields are the finite-field groups without a code point: those of RFC 3526, a known prime with
// another generator, and primes that a server might have made up.
func fields(t testing.TB) (all []Group) {
	t.Helper()
	add := func(p, g *big.Int) {
		f, err := FiniteField(p.Bytes(), g.Bytes(), 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	for _, p := range publishedPrimes(t) {
		if p.NamedGroup == 0 {
			add(new(big.Int).SetBytes(p.P), two)
		}
	}
	for _, p := range []string{"ffdhe2048", "2^127-1", "2^521-1", "2^607-1"} {
		add(number(t, p), big.NewInt(5))
	}
	nist := testkit.Blocks(t, "botan/pubkey_dh.vec")[1].Fields
	p, _ := new(big.Int).SetString(nist["P"], 0)
	g, _ := new(big.Int).SetString(nist["G"], 0)
	add(p, g)
	return all
}

func everyGroup(t testing.TB) (all []Group) {
	t.Helper()
	for _, id := range allNamed {
		all = append(all, named(t, id))
	}
	return append(all, fields(t)...)
}

// number reads "7", "2^127-1", "ffdhe2048" or "modp1536+2".
func number(t testing.TB, s string) *big.Int {
	t.Helper()
	name := regexp.MustCompile(`^(?:2\^(\d+)|(ffdhe\d+)|modp(\d+)|(\d+))([+-]\d+)?$`)
	m := name.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no number: %q", s)
	}
	n, add := new(big.Int), new(big.Int)
	switch {
	case m[1] != "":
		bits, _ := new(big.Int).SetString(m[1], 10)
		n.Lsh(one, uint(bits.Uint64()))
	case m[4] != "":
		n.SetString(m[4], 10)
	default:
		for _, p := range publishedPrimes(t) {
			if p.Name == m[2] || m[3] != "" && strings.HasPrefix(p.Name, m[3]+"-bit MODP") {
				n.SetBytes(p.P)
			}
		}
	}
	if m[5] != "" {
		add.SetString(m[5], 10)
	}
	return n.Add(n, add)
}

func TestBothSidesAgreeInEveryGroup(t *testing.T) {
	count := 0
	for _, g := range everyGroup(t) {
		offer, err := g.Offer(testkit.Rand("offer"))
		if err != nil {
			t.Fatalf("%s: %v", g.Name(), err)
		}
		ours, err := g.Answer(testkit.Rand("answer"), offer.Share())
		if err != nil {
			t.Fatalf("%s: %v", g.Name(), err)
		}
		theirs, err := offer.Finish(ours.Share)
		if err != nil || !bytes.Equal(theirs, ours.Secret) {
			t.Errorf("%s: %x and %x, %v", g.Name(), theirs, ours.Secret, err)
		}
		if bytes.Equal(offer.Private(), ours.Private) {
			t.Errorf("%s: the same private key twice", g.Name())
		}
		if p, _ := Params(g); p != nil && (len(theirs) != len(p) || len(offer.Share()) != len(p)) {
			t.Errorf("%s: Z has %d bytes and the share %d, expected %d", g.Name(), len(theirs),
				len(offer.Share()), len(p))
		}
		// An observer with the private key computes the same.
		restored, err := g.Restore(ours.Private)
		if err != nil {
			t.Fatalf("%s: %v", g.Name(), err)
		}
		seen, err := restored.Finish(offer.Share())
		if err != nil || !bytes.Equal(seen, theirs) || !bytes.Equal(restored.Share(), ours.Share) ||
			!bytes.Equal(restored.Private(), ours.Private) {
			t.Errorf("%s: restored %x, %v, expected %x", g.Name(), seen, err, theirs)
		}
		count++
	}
	ran(t, "groups", count, len(allNamed)+6+4+1)
}

func TestGroupsHaveTheRegistrysNames(t *testing.T) {
	for _, id := range allNamed {
		if g := named(t, id); g.ID() != id || g.Name() != id.String() {
			t.Errorf("%v: ID %v, name %q", id, g.ID(), g.Name())
		}
	}
	var unnamed []string
	for _, g := range fields(t) {
		if g.ID() != 0 {
			t.Errorf("%q has the ID %v", g.Name(), g.ID())
		}
		unnamed = append(unnamed, g.Name())
	}
	want := "1536-bit MODP (RFC 3526), 2048-bit MODP (RFC 3526), 3072-bit MODP (RFC 3526), " +
		"4096-bit MODP (RFC 3526), " +
		"6144-bit MODP (RFC 3526), 8192-bit MODP (RFC 3526), ffdhe2048 with another generator, " +
		"127-bit prime, 521-bit prime, " +
		"607-bit prime, 2048-bit prime"
	if got := strings.Join(unnamed, ", "); got != want {
		t.Errorf("got %s\nexpected %s", got, want)
	}
	for _, id := range []iana.Group{0, 1, 22, 31, 261, 508, 0x6399, 0xFF01} {
		if _, ok := Named(id); ok {
			t.Errorf("%v is known", id)
		}
	}
	for _, id := range []iana.Group{iana.X25519, iana.Secp256r1} {
		if p, g := Params(named(t, id)); p != nil || g != nil {
			t.Errorf("%v has a prime", id)
		}
	}
}

// The same randomness gives the same keys, as --seed needs; and the reader is consumed, so that the
// next handshake has other keys (Raccoon).
func TestKeysDependOnTheReaderOnly(t *testing.T) {
	for _, g := range everyGroup(t) {
		r, again := testkit.Rand("one seed"), testkit.Rand("one seed")
		first, err1 := g.Offer(r)
		second, err2 := g.Offer(r)
		repeated, err3 := g.Offer(again)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatalf("%s: %v", g.Name(), err)
		}
		if !bytes.Equal(first.Private(), repeated.Private()) ||
			!bytes.Equal(first.Share(), repeated.Share()) {
			t.Errorf("%s: one seed, two keys", g.Name())
		}
		if bytes.Equal(first.Private(), second.Private()) {
			t.Errorf("%s: a key was drawn twice", g.Name())
		}
		if _, err := g.Offer(bytes.NewReader(make([]byte, 10))); !errors.Is(err,
			io.ErrUnexpectedEOF) || alert.Of(err) != alert.InternalError {
			t.Errorf("%s: randomness ended: %v", g.Name(), err)
		}
	}
}

// A scalar that is zero or not below the order is drawn again, and not for ever.
func TestScalarsOutOfRangeAreDrawnAgain(t *testing.T) {
	for _, id := range []iana.Group{iana.Secp256r1, iana.Secp384r1, iana.Secp521r1} {
		c := curves[id]
		bad := append(make([]byte, c.length), bytes.Repeat([]byte{0xFF}, c.length)...)
		want := append(make([]byte, c.length-1), 7)
		o, err := c.Offer(bytes.NewReader(append(bad, want...)))
		if err != nil || !bytes.Equal(o.Private(), want) {
			t.Errorf("%v: %v", id, err)
		}
		if _, err := c.Offer(zeros{}); alert.Of(err) != alert.InternalError {
			t.Errorf("%v: zeros for ever: %v", id, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// RFC 7919 §5.2 in bits, for safe primes; all bits for others.
func TestExponentsAreLongEnough(t *testing.T) {
	least := map[int]int{1536: 225, 2048: 225, 3072: 275, 4096: 325, 6144: 375, 8192: 400}
	for _, g := range everyGroup(t) {
		p, _ := Params(g)
		if p == nil {
			continue
		}
		bits := new(big.Int).SetBytes(p).BitLen()
		want, exact := least[bits], false
		if strings.HasSuffix(g.Name(), "prime") {
			want, exact = bits-1, true
		}
		for _, r := range []io.Reader{zeros{}, ones{}, testkit.Rand(g.Name())} {
			o, err := g.Offer(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := new(big.Int).SetBytes(o.Private()).BitLen(); got < want ||
				exact && got != want {
				t.Errorf("%s: an exponent of %d bits, expected %d", g.Name(), got, want)
			}
		}
	}
}

type ones struct{}

func (ones) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte{0xFF}, len(p)))
	return len(p), nil
}

type refusals struct {
	Parameters []struct {
		What, P, G, Says, Ref string
		Min                   int
		Alert                 alert.Description
	}
	PublicValues []struct{ What, Y string } `json:"public_values"`
	Points       []struct {
		What, Group string
		Share       testkit.Hex
	}
}

func readRefusals(t testing.TB) (r refusals) {
	t.Helper()
	b, err := os.ReadFile("testdata/refusals.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBadParametersAreRefused(t *testing.T) {
	count := 0
	for _, c := range readRefusals(t).Parameters {
		count++
		floor := c.Min
		if floor == 0 {
			floor = 2048
		}
		_, err := FiniteField(number(t, c.P).Bytes(), number(t, c.G).Bytes(), floor)
		checkAlert(t, c.What, err, c.Alert, c.Ref)
		if err != nil && !strings.Contains(err.Error(), c.Says) {
			t.Errorf("%s: got %q, expected a word of %q", c.What, err, c.Says)
		}
	}
	ran(t, "parameters", count, 17)
}

func TestBadSharesAreRefused(t *testing.T) {
	count := 0
	refuse := func(what string, g Group, share []byte, d alert.Description, ref string) {
		t.Helper()
		count++
		_, err := g.Answer(testkit.Rand(what), share)
		checkAlert(t, "answerer: "+what, err, d, ref)
		o, err := g.Offer(testkit.Rand(what))
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Finish(share)
		checkAlert(t, "offerer: "+what, err, d, ref)
	}
	all := readRefusals(t)
	for _, c := range all.PublicValues {
		y := number(t, c.Y).Bytes()
		refuse(c.What, named(t, iana.FFDHE2048), y, alert.HandshakeFailure, "RFC 7919 §5.1")
		refuse(c.What+", with leading zeros", named(t, iana.FFDHE2048),
			append(make([]byte, 300), y...), alert.HandshakeFailure, "RFC 7919 §5.1")
	}
	for _, c := range all.Points {
		for _, id := range allNamed {
			if id.String() == c.Group {
				refuse(c.Group+": "+c.What, named(t, id), c.Share, alert.IllegalParameter,
					"RFC 8422 §5.11, RFC 8446 §4.2.8.2")
			}
		}
	}
	ran(t, "shares", count, 2*8+24)
}

// In Z/31 the powers of 5 are 1, 5 and 25: a third of all exponents gives 1.
func TestSharesInSmallSubgroupsAreRejected(t *testing.T) {
	g, err := FiniteField([]byte{31}, []byte{3}, 0)
	if err != nil {
		t.Fatal(err)
	}
	o, err := g.Restore([]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Finish([]byte{5})
	checkAlert(t, "Z = 1", err, alert.HandshakeFailure, "RFC 7919 §5.1")
	_, err = o.Finish([]byte{6}) // of order 6: 6³ = 216 = 7·31 - 1, and 9 = 3 modulo 6
	checkAlert(t, "Z = p-1", err, alert.HandshakeFailure, "RFC 7919 §5.1")
	// 3⁹ = 19683 = 634·31 + 29
	if z, err := o.Finish([]byte{3}); err != nil || !bytes.Equal(z, []byte{29}) {
		t.Errorf("got %x, %v", z, err)
	}
}

// A share is a number: any number of leading zeros leaves it the same.
func TestLeadingZerosOfAShareDoNotMatter(t *testing.T) {
	g, err := FiniteField([]byte{0x01, 0x01}, []byte{3}, 0) // 257
	if err != nil {
		t.Fatal(err)
	}
	o, err := g.Restore([]byte{77})
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range [][]byte{{9}, {0, 9}, {0, 0, 0, 9}} {
		if z, err := o.Finish(share); err != nil || !bytes.Equal(z, []byte{0, 26}) {
			t.Errorf("%x: got %x, %v", share, z, err)
		}
	}
}

func TestPrivateKeysOutOfRangeAreNotRestored(t *testing.T) {
	p, _ := Params(named(t, iana.FFDHE2048))
	for _, c := range []struct {
		id      iana.Group
		private []byte
	}{
		{iana.FFDHE2048, nil}, {iana.FFDHE2048, make([]byte, 256)}, {iana.FFDHE2048, p},
		{iana.FFDHE2048, make([]byte, 300)},
		{iana.Secp256r1, make([]byte, 32)}, {iana.Secp256r1, bytes.Repeat([]byte{0xFF}, 32)},
		{iana.Secp256r1, []byte{1}},
		{iana.X25519, make([]byte, 31)}, {iana.X448, make([]byte, 57)}, {iana.X448, nil},
	} {
		_, err := named(t, c.id).Restore(c.private)
		checkAlert(t, c.id.String(), err, alert.InternalError, "")
	}
}

func checkAlert(t *testing.T, what string, err error, d alert.Description, ref string) {
	t.Helper()
	e, ok := errors.AsType[*alert.Error](err)
	if !ok || e.Alert != d || ref != "" && e.Ref != ref {
		t.Errorf("%s: got %v, expected %v (%s)", what, err, d, ref)
	}
}

// Primes are remembered, but not without bound, and by many goroutines at once.
func TestTestedPrimesAreRememberedWithinBounds(t *testing.T) {
	var primes []*big.Int
	for n := int64(1 << 20); len(primes) < 3*maxFields; n++ {
		if p := big.NewInt(n); p.ProbablyPrime(0) {
			primes = append(primes, p)
		}
	}
	s := &primeCache{known: map[[32]byte]*field{}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, p := range primes {
				f, ok := s.field(p)
				if again, _ := s.field(p); !ok || f.p.Cmp(p) != 0 || again.p.Cmp(p) != 0 {
					t.Errorf("%v: %v", p, ok)
				}
			}
		})
	}
	wg.Wait()
	n := len(s.known)
	if n > maxFields || n < maxFields-4 {
		t.Errorf("%d fields remembered, expected %d", n, maxFields)
	}
	last := primes[len(primes)-1]
	a, _ := s.field(last)
	if b, _ := s.field(last); a != b {
		t.Error("a prime was tested twice")
	}
	if _, ok := s.field(new(big.Int).Mul(primes[0], primes[1])); ok || len(s.known) > maxFields {
		t.Error("a composite was let in")
	}
}
