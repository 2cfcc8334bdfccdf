package probe_test

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// Answers that are cut after a number of bytes, in whichever way, tell nothing false: the report
// has nothing that it has not without the cut. VITRINE_CUTS=all tries every length.
func TestAnswersThatAreCutTellNothingFalse(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}}
	server := testkit.ServeTCP(t, func(c net.Conn) { tls.Server(c, config).Handshake() })
	const longest = 1 << 20
	through := func(most int64, end broken.Ending) *probe.Report {
		addr := broken.Relay(t, server, most, end)
		return ask(t, func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		})
	}
	whole := through(longest, broken.Closing)
	lengths := []int64{1, 5, 6, 7, 60, 100, 140, 700, 900, 1300, 1900}
	if os.Getenv("VITRINE_CUTS") == "all" {
		lengths = nil
		for n := range int64(2000) {
			lengths = append(lengths, n)
		}
	}
	for _, n := range lengths {
		for _, end := range []broken.Ending{broken.Closing, broken.Resetting} {
			r := through(n, end)
			t.Logf("%s after %d bytes: %d of %d facts are told", end, n, told(r), told(whole))
			for _, text := range falsehoods(r, whole) {
				t.Errorf("%s after %d bytes: %s", end, n, text)
			}
		}
	}
}

// falsehoods lists what a report says and the report of the truth does not.
func falsehoods(r, truth *probe.Report) (list []string) {
	for _, v := range r.Versions {
		if v.Told != probe.Yes && v.Told != probe.No {
			continue
		}
		for _, w := range truth.Versions {
			if v.Name == w.Name && v.Told != w.Told {
				list = append(list, v.Name+": "+string(v.Told)+" "+v.Detail)
			}
		}
	}
	for _, f := range r.Facts {
		if f.Told != probe.Yes && f.Told != probe.No {
			continue
		}
		for _, g := range truth.Facts {
			if f.ID == g.ID && f.Told != g.Told {
				list = append(list, f.What+": "+string(f.Told)+" "+f.Detail)
			}
		}
	}
	for _, id := range ids(r) {
		if !slices.Contains(ids(truth), id) {
			list = append(list, "finding "+id)
		}
	}
	return list
}

// told counts the facts that a report tells.
func told(r *probe.Report) (n int) {
	for _, f := range r.Facts {
		if f.Told == probe.Yes || f.Told == probe.No {
			n++
		}
	}
	return n
}
