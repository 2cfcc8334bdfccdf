package observe_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
)

// outcome is a Watch's result for a stream.
type outcome struct {
	*observe.Report
	plain [2][]byte
}

// watchAll reads a file with a Watch.
func watchAll(t testing.TB, file string, source observe.Source) map[int]*outcome {
	var mu sync.Mutex
	all := map[int]*outcome{}
	w := observe.Watch{Source: source}
	w.Open = func(x *observe.Watched) { x.Value = &outcome{} }
	w.Data = func(x *observe.Watched, from iana.Side, b []byte) {
		o := x.Value.(*outcome)
		o.plain[from] = append(o.plain[from], b...)
	}
	w.Done = func(x *observe.Watched) {
		o := x.Value.(*outcome)
		o.Report = x.Stream.Report()
		mu.Lock()
		defer mu.Unlock()
		all[x.Number] = o
	}
	eachStream(t, file, w.Handler)
	w.Close()
	return all
}

// watchTapes reads tapes with w, whose Done it sets, and returns the reports, nil without one.
func watchTapes(w *observe.Watch, tapes ...*tape) []*observe.Report {
	reports := make([]*observe.Report, len(tapes))
	done := w.Done
	w.Done = func(x *observe.Watched) {
		reports[x.Number] = x.Stream.Report()
		if done != nil {
			done(x)
		}
	}
	var handlers []capture.Handler
	for i := range tapes {
		handlers = append(handlers, w.Handler(&capture.Connection{Stream: i}))
	}
	for i, all := range tapes {
		for _, x := range *all {
			handlers[i].Bytes(x.from, time.Time{}, x.b)
			w.Flush()
		}
		handlers[i].End()
	}
	w.Close()
	return reports
}

// A Watch, on all cores, gives the same results as reading one connection after the other.
func TestAWatchReadsWhatASingleObserverReads(t *testing.T) {
	n := 0
	for _, c := range index(t) {
		if slices.Contains(c.Tags, "draft") || c.Secrets["embedded"] != "" {
			continue
		}
		file := filepath.Join(c.dir, c.File)
		source := c.source(t, c.Secrets, nil)
		want := watch(t, file, func([]byte) observe.Source { return source })
		got := watchAll(t, file, source)
		if len(got) != len(want) {
			t.Errorf("%s: %d streams, expected %d", c.ID, len(got), len(want))
		}
		for i, w := range want {
			n++
			g, r := got[i], w.Report()
			if g == nil {
				t.Errorf("%s: stream %d was not done", c.ID, i)
				continue
			}
			if fmt.Sprint(g.Flows, g.Decrypted, g.Reason, g.Source) != fmt.Sprint(r.Flows,
				r.Decrypted, r.Reason, r.Source) || !bytes.Equal(g.plain[0], w.plain[0]) ||
				!bytes.Equal(g.plain[1], w.plain[1]) {
				t.Errorf("%s, stream %d: got %+v, expected %+v", c.ID, i, g.Report, r)
			}
		}
	}
	t.Logf("%d streams", n)
}

// A connection that resumes a session may be read before the one that made it.
func TestAResumedConnectionWaitsForItsOrigin(t *testing.T) {
	for _, c := range index(t) {
		if c.ID != "generated/ossl-tls12-resume-sessionid-rsa" &&
			c.ID != "generated/ossl-tls12-resume-ticket-ecdhe" {
			continue
		}
		source := c.source(t, c.Secrets, nil)
		if c.Secrets["keylog"] != "" { // of the first connection only
			first := stream(t, c, 0)
			random := (*first)[0].b[11:43]
			whole := source
			source = func(s *handshake.Score) []observe.Candidate {
				if !bytes.Equal(s.ClientHello.Random[:], random) {
					return nil
				}
				return whole(s)
			}
		}
		var done []*observe.Watched
		var mu sync.Mutex
		w := observe.Watch{Source: source, Done: func(x *observe.Watched) {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, x)
		}}
		for _, number := range []int{2, 1, 0} {
			h := w.Handler(&capture.Connection{Stream: number})
			for _, x := range *stream(t, c, number) {
				h.Bytes(x.from, time.Time{}, x.b)
			}
			h.End()
			w.Flush()
		}
		w.Close()
		if len(done) != 3 {
			t.Fatalf("%s: %d connections were done", c.ID, len(done))
		}
		for _, x := range done {
			if r := x.Stream.Report(); !r.Decrypted || r.Resumed != (x.Number > 0) {
				t.Errorf("%s, stream %d: resumed %v: %v", c.ID, x.Number, r.Resumed, r.Reason)
			}
		}
	}
}

// Many connections that stay open cost little each, and those that ended cost nothing.
func TestMemoryGrowsWithOpenConnections(t *testing.T) {
	all, source := recorded(t, ephemeral)
	const n = 2000
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	w := observe.Watch{Source: source}
	var open []capture.Handler
	w.Handler(&capture.Connection{}).End()
	before := live()
	for i := range n {
		h := w.Handler(&capture.Connection{Stream: i})
		for _, x := range *all {
			h.Bytes(x.from, time.Time{}, x.b)
		}
		open = append(open, h)
	}
	w.Flush()
	time.Sleep(100 * time.Millisecond)
	each := (int64(live()) - int64(before)) / n
	if each > 32<<10 {
		t.Errorf("an open connection takes %d bytes", each)
	}
	for _, h := range open {
		h.End()
	}
	open = nil
	w.Close()
	runtime.KeepAlive(&w)
	if left := (int64(live()) - int64(before)) / n; left > 1<<10 {
		t.Errorf("a connection that ended takes %d bytes", left)
	}
	t.Logf("an open connection takes %d bytes", each)
}
