package main

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"math"
	"math/rand/v2"
	"net"
	"testing"
)

// The statistics find a difference that is there, with its size, and none that is not.
func TestStatisticsFindADifferenceThatIsThere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	sample := func(mean float64) []float64 {
		x := make([]float64, 20_000)
		for i := range x {
			x[i] = mean + 30*random.NormFloat64()
		}
		return x
	}
	same, other, slower := sample(1000), sample(1000), sample(1010)
	if got := welch(trim(other), trim(same)); math.Abs(got) > 4.5 {
		t.Errorf("t is %.1f of two samples of one distribution", got)
	}
	if got := welch(trim(slower), trim(same)); got < 10 {
		t.Errorf("t is %.1f of a difference of 10", got)
	}
	if low, high := bootstrap(differences(same, slower)); low > 10 || high < 10 || high-low > 4 {
		t.Errorf("the interval of a difference of 10 is %.1f to %.1f", low, high)
	}
	for i := range same { // what strikes a whole round moves no difference
		same[i], slower[i] = same[i]+float64(i%7)*500, slower[i]+float64(i%7)*500
	}
	if low, high := bootstrap(differences(same, slower)); low > 10 || high < 10 || high-low > 4 {
		t.Errorf("on a machine with other work the interval is %.1f to %.1f", low, high)
	}
}

// A measurement that is stopped reports what it has.
func TestAMeasurementCanBeStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	rounds := 0
	p := &place{classes: []class{{inputs: [][]byte{{1}}}, {inputs: [][]byte{{2}}}},
		run: func([]byte) {
			if rounds++; rounds == 40 {
				stop()
			}
		}}
	if got := p.measure(ctx, 1000); len(got[0]) != 0 || len(got[1]) != 0 {
		t.Errorf("got %d samples from warming up", len(got[0]))
	}
	ctx, stop = context.WithCancel(t.Context())
	if got := p.measure(ctx, 100); len(got[0]) != 100 || len(got[1]) != 100 {
		t.Errorf("got %d and %d samples", len(got[0]), len(got[1]))
	}
	stop()
}

// Every place can be measured, and classes differ in their inputs alone.
func TestEveryPlaceIsMeasured(t *testing.T) {
	all, err := places()
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, overTheWire(t)...)
	for _, p := range all {
		for i, samples := range p.measure(t.Context(), 3) {
			if len(samples) != 3 || len(p.classes[i].inputs) == 0 {
				t.Errorf("%s, %s: %d samples", p.name, p.classes[i].name, len(samples))
			}
		}
	}
	if len(all) < 12 {
		t.Errorf("%d places", len(all))
	}
}

// overTheWire has the places of a server in this process.
func overTheWire(t *testing.T) []*place {
	h, err := newHost()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go h.serve(l)
	cert, err := x509.ParseCertificate(h.rsa.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	all, err := wirePlaces(l.Addr().String(), cert.PublicKey.(*rsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
