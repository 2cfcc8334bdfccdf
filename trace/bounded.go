package trace

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/vitrine-tls/vitrine/iana"
)

// eventOverhead is what an event costs besides its bytes, about.
const eventOverhead = 256

// Size returns how many bytes of memory e takes, about.
func (e Entry) Size() int {
	if e.Event == nil {
		return eventOverhead
	}
	return eventOverhead + contents(reflect.ValueOf(e.Event).Elem())
}

func contents(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.Slice, reflect.String:
		return v.Len()
	case reflect.Struct:
		for _, f := range v.Fields() {
			n += contents(f)
		}
	}
	return n
}

// Dropped counts what a bounded sink did not keep.
type Dropped struct {
	Plaintext int64 `json:"plaintext,omitempty"` // bytes of application data
	Records   int   `json:"records,omitempty"`   // of application data, as a whole
	Events    int   `json:"events,omitempty"`    // of other kinds
}

// Any reports whether anything was dropped.
func (d Dropped) Any() bool { return d != Dropped{} }

// String returns what was dropped in words, or an empty string.
func (d Dropped) String() string {
	switch {
	case d.Events > 0:
		return fmt.Sprintf("%d events, %d records of application data and %d bytes of plaintext "+
			"were dropped", d.Events, d.Records, d.Plaintext)
	case d.Records > 0:
		return fmt.Sprintf("%d records of application data and %d bytes of plaintext were dropped",
			d.Records, d.Plaintext)
	case d.Plaintext > 0:
		return fmt.Sprintf("%d bytes of plaintext were dropped", d.Plaintext)
	}
	return ""
}

// Bounded is a Memory that keeps events up to a limit. What a reader misses least goes first: the
// plaintext of application data, then its records, and then whatever else comes. So a long
// connection keeps its handshake. It has no lock of its own: see Sink.
type Bounded struct {
	limit   int
	size    int
	spared  spared
	entries []Entry
	dropped Dropped
}

// spared says what is not kept any more.
type spared uint8

const (
	keepsAll spared = iota
	noPlaintext
	noData
	nothing
)

// NewBounded returns a Bounded that keeps at most limit bytes, as Entry.Size counts them.
func NewBounded(limit int) *Bounded { return &Bounded{limit: limit} }

// Put keeps e, or drops it or what was kept before.
func (b *Bounded) Put(e Entry) {
	e, ok := b.without(e)
	for ok && b.size+e.Size() > b.limit {
		b.spare()
		e, ok = b.without(e)
	}
	if ok {
		b.size += e.Size()
		b.entries = append(b.entries, e)
	}
}

// Spare drops what is missed least of what is still kept, and what would follow of it: the
// plaintext of application data, or its records, or everything that is still to come.
func (b *Bounded) Spare() {
	if b.spared < nothing {
		b.spare()
	}
}

func (b *Bounded) spare() {
	b.spared++
	if b.spared == nothing {
		return
	}
	all := b.entries
	b.entries, b.size = make([]Entry, 0, len(all)), 0 // readers may have the old ones
	for _, e := range all {
		if e, ok := b.without(e); ok {
			b.entries = append(b.entries, e)
			b.size += e.Size()
		}
	}
}

// without returns e without what is not kept any more, and counts that; ok is false if it is all of
// e.
func (b *Bounded) without(e Entry) (kept Entry, ok bool) {
	r, record := e.Event.(*Record)
	data := record && r.ContentType == iana.RecordApplicationData
	switch {
	case b.spared == keepsAll, !data && b.spared < nothing:
		return e, true
	case !data:
		b.dropped.Events++
		return e, false
	}
	b.dropped.Plaintext += int64(len(r.Plaintext))
	if b.spared > noPlaintext {
		b.dropped.Records++
		return e, false
	}
	if len(r.Plaintext) > 0 {
		bare := *r
		bare.Plaintext = nil
		if r.Protection == "" || bytes.Equal(r.Fragment, r.Plaintext) {
			bare.Fragment = nil // the same bytes
		}
		e.Event = &bare
	}
	return e, true
}

// Entries returns the events that are kept. The slice stays as it is when more come.
func (b *Bounded) Entries() []Entry { return b.entries[:len(b.entries):len(b.entries)] }

// Dropped returns what was not kept.
func (b *Bounded) Dropped() Dropped { return b.dropped }

// Held returns how many bytes the kept events take, about.
func (b *Bounded) Held() int { return b.size }

// take returns the events and forgets them, so that there is room again for all kinds.
func (b *Bounded) take() []Entry {
	taken := b.entries
	b.entries, b.size, b.spared = nil, 0, keepsAll
	return taken
}

// Format prints how much is kept, whatever the verb.
func (b Bounded) Format(f fmt.State, _ rune) { Print(f, b.described()) }

// MarshalText returns what Format prints.
func (b Bounded) MarshalText() ([]byte, error) { return Text(b.described()) }

func (b Bounded) described() string {
	return fmt.Sprintf("trace.Bounded of %d events", len(b.entries))
}
