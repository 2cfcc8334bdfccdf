package live_test

import (
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

// handshakes performs n handshakes with each kind of sink, in turns, so that whatever else the
// machine does meets all of them. It returns how long each took, in order.
func handshakes(t *testing.T, n int, sinks ...func() trace.Sink) (took [][]time.Duration) {
	t.Helper()
	client, server := rig.Configs(t)
	took = make([][]time.Duration, len(sinks))
	for range n {
		for i, sink := range sinks {
			to := sink()
			server.TraceFor = func(net.Conn) trace.Sink { return to }
			near, far := rig.Wires(t)
			c, s := vitrine.Client(near, client), vitrine.Server(far, server)
			begun := time.Now()
			if _, err := rig.Shake(c, s); err != nil {
				t.Fatal(err)
			}
			took[i] = append(took[i], time.Since(begun))
			near.Close()
			far.Close()
			if kept, ok := to.(*live.Conn); ok {
				kept.End(false, func(*live.Row) {}) // here the history gets it
			}
		}
	}
	for _, list := range took {
		slices.Sort(list)
	}
	return took
}

// slowSinks returns a hub whose history, and a Queue whose sink, waits for each thing that it does.
func slowSinks(t *testing.T, wait func()) map[string]func() trace.Sink {
	h := history(t, t.TempDir(), live.Limits{}, false)
	h.Slow(wait)
	hub := live.New(live.Options{Keep: h.Keep})
	return map[string]func() trace.Sink{
		"a history": func() trace.Sink { return hub.Open(live.Row{Start: time.Now()}) },
		"a sink":    func() trace.Sink { return trace.NewQueue(sinkFunc(wait), 1<<20) },
	}
}

// A history, or a sink behind a Queue, that never returns holds up no handshake.
func TestHandshakesDoNotWaitForWhoeverRecordsThem(t *testing.T) {
	free := make(chan struct{})
	sinks := slowSinks(t, func() { <-free })
	t.Cleanup(func() { close(free) }) // before the history is closed
	for name, sink := range sinks {
		handshakes(t, 20, sink)
		t.Logf("%s that stands still: 20 handshakes are done", name)
	}
}

// A history, or a sink behind a Queue, that needs a second for each thing that it does leaves the
// 95th percentile of a handshake within 5 % of what it is with one that needs no time. A machine
// that does something else may differ more:
//
//	VITRINE_SLOW=1 go test -v -run FivePercent ./internal/live
func TestASlowSinkLeavesTheHandshakeWithinFivePercent(t *testing.T) {
	if os.Getenv("VITRINE_SLOW") == "" {
		t.Skip("a measurement on command: VITRINE_SLOW=1")
	}
	const n = 2000
	free := make(chan struct{})
	pause := func() {
		select {
		case <-free:
		case <-time.After(time.Second):
		}
	}
	slow, quick := slowSinks(t, pause), slowSinks(t, func() {})
	t.Cleanup(func() { close(free) }) // before the histories are closed
	for name := range slow {
		took := handshakes(t, n, quick[name], slow[name])
		with, without := took[1][n*95/100], took[0][n*95/100]
		percent := 100 * (float64(with)/float64(without) - 1)
		t.Logf("%s that needs a second: the 95th percentile is %v, and %v with one that needs "+
			"none (%+.1f %%), of %d handshakes each", name, with, without, percent, n)
		if percent > 5 {
			t.Errorf("%s: %+.1f %%, expected at most 5 %%", name, percent)
		}
	}
}

type sinkFunc func()

func (f sinkFunc) Put(trace.Entry) { f() }
