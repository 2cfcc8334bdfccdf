package observe_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// brokenSink panics at the first event.
type brokenSink struct{}

func (brokenSink) Put(trace.Entry) { panic("it is broken") }

// A panic while a connection is read ends the reading of that connection, is told, and takes
// nothing from the others: it does not end the program.
func TestAPanicEndsTheReadingOfOneConnection(t *testing.T) {
	all, _, source := spoken(t, iana.TLS_AES_128_GCM_SHA256, 1000, 2000)
	only := func(x *observe.Watched) {
		if x.Number == 1 {
			panic("it is broken")
		}
	}
	var asked atomic.Int32
	for where, w := range map[string]*observe.Watch{
		"Source": {Source: func(s *handshake.Score) []observe.Candidate {
			if asked.Add(1) == 2 {
				panic("it is broken")
			}
			return source(s)
		}},
		"Sink": {Source: source, Sink: func(x *observe.Watched) trace.Sink { only(x); return nil }},
		"the sink": {Source: source, Sink: func(x *observe.Watched) trace.Sink {
			if x.Number != 1 {
				return nil
			}
			return brokenSink{}
		}},
		"Data": {Source: source,
			Data: func(x *observe.Watched, _ iana.Side, _ []byte) { only(x) }},
		"Progress": {Source: source, Progress: only},
		"Done":     {Source: source, Done: only},
	} {
		var mu sync.Mutex
		var told []int
		w.Failed = func(x *observe.Watched, err error) {
			mu.Lock()
			defer mu.Unlock()
			if !strings.Contains(err.Error(), "it is broken") ||
				!strings.Contains(err.Error(), "panic_test.go") {
				t.Errorf("%s: got %v", where, err)
			}
			told = append(told, x.Number)
			panic("so is Failed")
		}
		reports := watchTapes(w, all, all, all)
		if len(told) != 1 {
			t.Errorf("%s: %d panics were told, expected 1", where, len(told))
			continue
		}
		for i, r := range reports {
			switch {
			case r == nil:
				t.Errorf("%s: connection %d is not done", where, i)
			case i != told[0] || where == "Done":
				if !r.Decrypted || r.Flows[iana.Server].Bytes != 3000 {
					t.Errorf("%s: connection %d: %v", where, i, r.Reason)
				}
			case r.Decrypted || r.Reason == nil || r.Reason.Code != observe.InternalError ||
				r.Reasons[iana.Server] != r.Reason || where == "Data" && r.ServerName == "":
				t.Errorf("%s: the connection's report is %+v", where, r)
			}
		}
	}
}

// What was read for connections that ended by panics is free again: the reader goes on.
func TestPanicsHoldNoMemoryOfTheReader(t *testing.T) {
	all, _, _ := spoken(t, iana.TLS_AES_128_GCM_SHA256, 1000)
	tapes := make([]*tape, 200)
	for i := range tapes {
		tapes[i] = all
	}
	w := &observe.Watch{
		Source: func(*handshake.Score) []observe.Candidate { panic("it is broken") },
	}
	for i, r := range watchTapes(w, tapes...) {
		if r == nil || r.Reason == nil || r.Reason.Code != observe.InternalError {
			t.Fatalf("connection %d: %+v", i, r)
		}
	}
}
