package kex

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// FuzzFiniteField: whatever a server sends as parameters and a peer as its share, the result is an
// error with an alert, or both sides have the same secret, which is what math/big computes.
func FuzzFiniteField(f *testing.F) {
	add := func(p, g, y []byte) { f.Add(p, g, y, uint16(0), false) }
	for _, seed := range [][3][]byte{{{31}, {3}, {5}}, {{0, 1, 1}, {3}, {9}}, {{4}, {2}, {2}},
		{{5}, {2}, {3}}, {{31}, {30}, {5}}, {{31}, {1}, {5}}, {{33}, {2}, {5}}, {{13}, {3}, {3}},
		{{13}, {2}, {12}}, {{13}, {2}, {0}}, {{13}, {2}, {14}}, {nil, nil, nil}} {
		add(seed[0], seed[1], seed[2])
	}
	for p := uint16(3); p < 600; p += 2 { // more primes than are remembered, and composites
		add([]byte{byte(p >> 8), byte(p)}, []byte{2}, []byte{byte(p % 7)})
	}
	p := number(f, "2^127-1").Bytes()
	add(p, []byte{5}, p)
	add(p, []byte{5}, []byte{7})
	f.Add(p, []byte{5}, []byte{7}, uint16(2048), false)
	f.Add(p, []byte{5}, []byte{7}, uint16(0), true)
	f.Add(p, []byte{5}, append(make([]byte, 15), 7), uint16(0), true)
	add(number(f, "2^521-1").Bytes(), []byte{3}, p)
	known := wellKnown[0].group().p.Bytes()
	for _, g := range []byte{2, 3} {
		f.Add(known, []byte{g}, p, uint16(2048), false)
	}
	f.Fuzz(func(t *testing.T, p, g, y []byte, least uint16, padded bool) {
		if len(p) > 128 && !bytes.Equal(p, known) {
			t.Skip("slow, and no different")
		}
		group, err := FiniteField(p, g, int(least))
		if err != nil {
			namesAnAlert(t, err)
			return
		}
		if padded {
			own := *group.(*finiteField)
			own.rule = rule13
			group = &own
		}
		exchange(t, group, y)
		offer, err := group.Offer(testkit.Rand("offer"))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := group.Answer(testkit.Rand("answer"), offer.Share())
		if err != nil {
			namesAnAlert(t, err) // g may have a small order
			return
		}
		theirs, err := offer.Finish(ours.Share)
		if err != nil || !bytes.Equal(theirs, ours.Secret) {
			t.Errorf("%x and %x, %v", theirs, ours.Secret, err)
		}
		prime, private := new(big.Int).SetBytes(p), new(big.Int).SetBytes(offer.Private())
		share := new(big.Int).Exp(new(big.Int).SetBytes(g), private, prime)
		want := new(big.Int).Exp(new(big.Int).SetBytes(ours.Share), private, prime)
		if share.Cmp(new(big.Int).SetBytes(offer.Share())) != 0 ||
			want.Cmp(new(big.Int).SetBytes(theirs)) != 0 {
			t.Errorf("math/big computes the share %x and the secret %x, we %x and %x", share, want,
				offer.Share(), theirs)
		}
	})
}

// FuzzShare: whatever a peer sends as its share, there is an error that names an alert, or a secret
// on which both sides agree.
func FuzzShare(f *testing.F) {
	keep := testkit.SampleSeeds(20)
	for i, id := range allNamed {
		if testing.Short() && (id == iana.FFDHE6144 || id == iana.FFDHE8192) {
			continue // each takes seconds
		}
		ours, err := named(f, id).Offer(testkit.Rand(id.String()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), ours.Share())
		if id.FiniteField() && id != iana.FFDHE2048 {
			continue // slower, and no different
		}
		for _, spoilt := range testkit.Spoil(ours.Share(), 14) {
			if keep() {
				f.Add(byte(i), spoilt)
			}
		}
		n := len(ours.Share())
		f.Add(byte(i), append(make([]byte, n-1), 1))
		f.Add(byte(i), bytes.Repeat([]byte{255}, n))
		f.Add(byte(i), make([]byte, n))
	}
	for _, c := range readRefusals(f).Points {
		for i, id := range allNamed {
			if id.String() == c.Group {
				f.Add(byte(i), []byte(c.Share))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i byte, share []byte) {
		group := named(t, allNamed[int(i)%len(allNamed)])
		exchange(t, group, share)
		if offer, err := group.Offer(bytes.NewReader(nil)); err == nil {
			t.Fatalf("a key without randomness: %x", offer.Share())
		}
		_, _ = group.Offer(broken{}) // some curves take it for a key: see RFC 7748 §5
		if offer, err := group.Restore(share); err == nil {
			again, err := group.Restore(offer.Private())
			if err != nil || !bytes.Equal(again.Share(), offer.Share()) {
				t.Fatalf("a restored key has another share, %v", err)
			}
		}
	})
}

// broken is a random source that gives zeros.
type broken struct{}

func (broken) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func exchange(t *testing.T, g Group, share []byte) {
	t.Helper()
	ours, err := g.Answer(testkit.Rand("answer"), share)
	if err != nil {
		namesAnAlert(t, err)
	} else if len(ours.Secret) == 0 {
		t.Errorf("%s: no secret", g.Name())
	}
	offer, err := g.Offer(testkit.Rand("answer"))
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := offer.Finish(share); err != nil {
		namesAnAlert(t, err)
	} else if !bytes.Equal(secret, ours.Secret) {
		t.Errorf("%s: offerer and answerer with one key have %x and %x", g.Name(), secret,
			ours.Secret)
	}
}

func namesAnAlert(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*alert.Error](err); !ok || e.Alert == alert.InternalError {
		t.Errorf("got %v, expected an error that blames the peer", err)
	}
}
