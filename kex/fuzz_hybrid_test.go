package kex

import (
	"bytes"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// hybridGroups are those of an elliptic curve and ML-KEM.
var hybridGroups = []iana.Group{
	iana.X25519MLKEM768,
	iana.SecP256r1MLKEM768,
	iana.SecP384r1MLKEM1024,
}

// FuzzHybrid: whatever stands for a share or a private key of a hybrid, there is an error that
// names an alert, or both sides have the same secret. See RFC 10024.
func FuzzHybrid(f *testing.F) {
	keep := testkit.SampleSeeds(2)
	for i, id := range hybridGroups {
		g := named(f, id)
		offer, err := g.Offer(testkit.Rand("hybrid"))
		if err != nil {
			f.Fatal(err)
		}
		answer, err := g.Answer(testkit.Rand("answer"), offer.Share())
		if err != nil {
			f.Fatal(err)
		}
		halves := append(bytes.Clone(answer.Secret[:32]), answer.Private...)
		for _, b := range [][]byte{offer.Share(), answer.Share, offer.Private(), halves,
			answer.Private,
			bytes.Repeat([]byte{255}, len(offer.Share())), make([]byte, len(answer.Share))} {
			if !keep() {
				continue
			}
			f.Add(byte(i), b, offer.Share(), byte(255))
			for drawn := range byte(3) {
				f.Add(byte(i), b, offer.Share(), drawn*33)
			}
			for _, spoilt := range testkit.Spoil(b, 9) {
				f.Add(byte(i), spoilt, offer.Share(), byte(255))
			}
		}
		for what := range 3 { // the point at infinity, and one that is not on the curve
			b := bytes.Clone(offer.Share())
			copy(b[len(b)-65:], bytes.Repeat([]byte{byte(what) * 4}, 65))
			f.Add(byte(i), b, answer.Share, byte(255))
			b = bytes.Clone(answer.Share)
			copy(b[what%2*(len(b)-65):], bytes.Repeat([]byte{byte(what) * 4}, 65))
			f.Add(byte(i), b, answer.Share, byte(255))
		}
	}
	f.Fuzz(func(t *testing.T, i byte, b, share []byte, drawn byte) {
		g := named(t, hybridGroups[int(i)%len(hybridGroups)])
		for _, theirs := range [][]byte{b, share} {
			if answer, err := g.Answer(testkit.Rand("answer"), theirs); err != nil {
				namesAnAlert(t, err)
			} else if len(answer.Secret) < 64 {
				t.Errorf("a secret of %d bytes", len(answer.Secret))
			}
		}
		short := func() io.Reader { return io.LimitReader(testkit.Rand("short"), int64(drawn)) }
		_, _ = g.Answer(short(), share)
		offer, err := g.Offer(short())
		if err != nil {
			if offer, err = g.Offer(testkit.Rand("offer")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := offer.Finish(b); err != nil {
			namesAnAlert(t, err)
		}
		if restored, err := g.Restore(b); err == nil {
			answer, err := g.Answer(testkit.Rand("answer"), restored.Share())
			if err != nil {
				t.Fatal(err)
			}
			if secret, err := restored.Finish(
				answer.Share,
			); err != nil ||
				!bytes.Equal(secret, answer.Secret) {
				t.Errorf("%x and %x, %v", secret, answer.Secret, err)
			}
		}
		rejoins(t, g, b, share)
	})
}

// rejoins asks for the secret of an answerer whose halves are b or those that it has.
func rejoins(t *testing.T, g Group, b, share []byte) {
	answer, err := g.Answer(testkit.Rand("answer"), share)
	if err != nil {
		return
	}
	_, _ = Rejoin(g, b, answer.Share, share)
	CurveHalf(g, b, share)
	h := g.(*hybrid)
	kem, _, err := h.split(answer.Secret, 32)
	if err != nil {
		t.Fatal(err)
	}
	halves := h.join(kem, answer.Private)
	if secret, err := Rejoin(
		g,
		halves,
		answer.Share,
		share,
	); err != nil ||
		!bytes.Equal(secret, answer.Secret) {
		t.Errorf("%x is rejoined as %x, %v", answer.Secret, secret, err)
	}
	if secret, err := Rejoin(
		g,
		halves,
		answer.Share,
		b,
	); err == nil &&
		len(secret) != len(answer.Secret) {
		t.Errorf("a secret of %d bytes", len(secret))
	}
	if secret, err := Rejoin(
		g,
		halves,
		b,
		share,
	); err == nil &&
		!bytes.Equal(secret, answer.Secret) {
		t.Errorf("another share of the same key gives %x", secret)
	}
}
