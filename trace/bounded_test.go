package trace_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

func dataOf(n int) trace.Entry {
	return trace.Entry{Event: &trace.Record{ContentType: iana.RecordApplicationData,
		Plaintext: make([]byte, n), Fragment: make([]byte, n+16), Protection: "AES_128_GCM"}}
}

func messageOf(n int) trace.Entry {
	return trace.Entry{Event: &trace.Message{Raw: make([]byte, n)}}
}

// kinds counts the records of data with their plaintext, those without, and the other events.
func kinds(entries []trace.Entry) (n [3]int) {
	for _, e := range entries {
		r, ok := e.Event.(*trace.Record)
		switch {
		case !ok:
			n[2]++
		case len(r.Plaintext) > 0:
			n[0]++
		default:
			n[1]++
		}
	}
	return n
}

// Plaintext goes first, then records of data, and the handshake stays as long as it can.
func TestPlaintextIsDroppedFirst(t *testing.T) {
	const limit, piece = 64 << 10, 1 << 10
	for name, c := range map[string]struct {
		data, messages int
		kept           [3]int
		dropped        trace.Dropped
	}{
		"everything fits":   {4, 20, [3]int{4, 0, 20}, trace.Dropped{}},
		"without plaintext": {10, 36, [3]int{0, 10, 36}, trace.Dropped{Plaintext: 10 * piece}},
		"without data": {10, 45, [3]int{0, 0, 45}, trace.Dropped{Plaintext: 10 * piece,
			Records: 10}},
		"without the end": {10, 60, [3]int{0, 0, 51}, trace.Dropped{Plaintext: 10 * piece,
			Records: 10, Events: 9}},
		"much data": {1000, 1, [3]int{0, 0, 1}, trace.Dropped{Plaintext: 1000 * piece,
			Records: 1000}},
	} {
		b := trace.NewBounded(limit)
		var given []trace.Entry
		for range c.data {
			given = append(given, dataOf(piece))
		}
		for range c.messages {
			given = append(given, messageOf(piece))
		}
		for _, e := range given {
			b.Put(e)
			if b.Held() > limit {
				t.Fatalf("%s: holds %d bytes", name, b.Held())
			}
		}
		if got := kinds(b.Entries()); got != c.kept || b.Dropped() != c.dropped {
			t.Errorf("%s: kept %v, %+v; expected %v, %+v", name, got, b.Dropped(), c.kept,
				c.dropped)
		}
		if got := kinds(given); got[0] != c.data {
			t.Errorf("%s: the events of others lost their plaintext", name)
		}
	}
}

// What a reader has got stays as it was, whatever is dropped later.
func TestEntriesOfABoundedStay(t *testing.T) {
	b := trace.NewBounded(16 << 10)
	b.Put(dataOf(1 << 10))
	b.Put(messageOf(10))
	before := b.Entries()
	for range 4 {
		b.Spare()
		b.Put(dataOf(1 << 10))
		b.Put(messageOf(10))
	}
	if got := kinds(before); got != [3]int{1, 0, 1} {
		t.Errorf("a reader has %v", got)
	}
	if got := kinds(b.Entries()); got != [3]int{0, 0, 3} {
		t.Errorf("kept: %v", got)
	}
}

// slow is a sink that waits until it is let go.
type slow struct {
	free chan struct{}
	once sync.Once
	trace.Memory
	begun chan struct{}
}

func (s *slow) Put(e trace.Entry) {
	s.once.Do(func() { close(s.begun) })
	<-s.free
	s.Memory.Put(e)
}

// A Queue takes events while its sink stands still, keeps to its bound, and says what it dropped.
func TestAQueueDoesNotWaitForItsSink(t *testing.T) {
	const limit = 64 << 10
	s := &slow{free: make(chan struct{}), begun: make(chan struct{})}
	q := trace.NewQueue(s, limit)
	log := trace.New(trace.Server, q, nil)
	log.Message(iana.Client, iana.ClientHello, make([]byte, 100), "")
	<-s.begun
	for range 1000 {
		log.Record(dataOf(1<<10).Event.(*trace.Record), "")
		log.Message(iana.Client, iana.KeyUpdate, make([]byte, 10), "")
	}
	dropped := q.Dropped()
	if dropped.Plaintext != 1000<<10 || dropped.Records != 1000 || dropped.Events == 0 {
		t.Errorf("dropped: %+v", dropped)
	}
	close(s.free)
	q.Flush()
	notices, seq := 0, 0
	for _, e := range s.Entries {
		if n, ok := e.Event.(*trace.Notice); ok {
			notices++
			if !strings.Contains(n.Text, "1000 records") || e.Role != trace.Server {
				t.Errorf("the notice says %q, as %s", n.Text, e.Role)
			}
			continue
		}
		if e.Seq <= seq {
			t.Errorf("event %d came behind %d", e.Seq, seq)
		}
		seq = e.Seq
	}
	if notices != 1 || len(s.Entries) != 1+1+1000-dropped.Events {
		t.Errorf("%d notices, %d events", notices, len(s.Entries))
	}
	log.Record(dataOf(1<<10).Event.(*trace.Record), "") // there is room again
	q.Flush()
	if r, ok := s.Entries[len(s.Entries)-1].Event.(*trace.Record); !ok || len(r.Plaintext) == 0 {
		t.Error("the plaintext of a later record was dropped")
	}
}

// failing is a sink that fails at its second event.
type failing struct {
	puts int
	fail func()
}

func (f *failing) Put(trace.Entry) {
	if f.puts++; f.puts == 2 {
		f.fail()
	}
}

// A sink that panics ends neither the program nor the Queue in front of it, and is not called
// again. Nor does Flush wait for one that has ended its goroutine, as testing.T.FailNow does.
func TestAQueueSurvivesItsSink(t *testing.T) {
	for what, fail := range map[string]func(){
		"panicked": func() { panic("the sink is broken") }, "ended its goroutine": runtime.Goexit} {
		sink := &failing{fail: fail}
		q := trace.NewQueue(sink, 1<<20)
		log := trace.New(trace.Server, q, nil)
		for range 50 {
			log.Message(iana.Client, iana.KeyUpdate, make([]byte, 10), "")
			q.Flush()
		}
		if sink.puts != 2 {
			t.Errorf("a sink that %s at its second event was called %d times", what, sink.puts)
		}
	}
}
