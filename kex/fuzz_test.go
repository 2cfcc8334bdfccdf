package kex

import (
	"bytes"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// Whatever a server sends as parameters and a peer as its share, the result is an error with an
// alert, or both sides have the same secret.
func FuzzFiniteField(f *testing.F) {
	f.Add([]byte{31}, []byte{3}, []byte{5})
	f.Add([]byte{0, 1, 1}, []byte{3}, []byte{9})
	f.Add([]byte{4}, []byte{2}, []byte{2})
	f.Add([]byte{5}, []byte{2}, []byte{3})
	f.Add([]byte(nil), []byte(nil), []byte(nil))
	p := number(f, "2^127-1").Bytes()
	f.Add(p, []byte{5}, p)
	f.Add(number(f, "2^521-1").Bytes(), []byte{3}, p)
	f.Fuzz(func(t *testing.T, p, g, y []byte) {
		if len(p) > 128 {
			t.Skip("slow, and no different")
		}
		group, err := FiniteField(p, g, 0)
		if err != nil {
			namesAnAlert(t, err)
			return
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
		if theirs, err := offer.Finish(ours.Share); err != nil ||
			!bytes.Equal(theirs, ours.Secret) {
			t.Errorf("%x and %x, %v", theirs, ours.Secret, err)
		}
	})
}

// Whatever a peer sends as its share, there is an error that names an alert, or a secret.
func FuzzShare(f *testing.F) {
	for i, id := range allNamed {
		ours, err := named(f, id).Offer(testkit.Rand(id.String()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), ours.Share())
	}
	for _, c := range readRefusals(f).Points {
		for i, id := range allNamed {
			if id.String() == c.Group {
				f.Add(byte(i), []byte(c.Share))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i byte,
		share []byte) {
		exchange(t, named(t, allNamed[int(i)%len(allNamed)]), share)
	})
}

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
