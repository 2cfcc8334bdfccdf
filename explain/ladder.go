package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// rung is a line of the ladder with the events behind it.
type rung struct {
	Line
	Kind     iana.ContentType
	Message  *trace.Message // of handshake lines: as its sender saw it
	Received *trace.Message // as the other side saw it; nil if it never did
	Record   *trace.Record  // the record in which it begins, as its sender saw it
	Opened   *trace.Record  // the same as the other side saw it
	Alert    *trace.Alert
}

// Ladder returns what was sent, in the order of the merged events, with the numbers that are
// printed.
func Ladder(entries []trace.Entry) []Line {
	var lines []Line
	rungs, _ := buildLadder(entries)
	for _, s := range rungs {
		lines = append(lines, s.Line)
	}
	return lines
}

// buildLadder makes the lines of the ladder from the records that the sender logged, or that the
// receiver logged if the sender left no events. wire is the length of all records in bytes.
func buildLadder(entries []trace.Entry) (lines []*rung, wire int) {
	c := ladderBuilder{views: [2]*view{see(entries, trace.Client), see(entries, trace.Server)},
		way: newWay(entries)}
	for _, e := range entries {
		if d, ok := e.Event.(*trace.Delivery); ok {
			c.forged(d)
		}
		r, ok := e.Event.(*trace.Record)
		if !ok || !e.Plays(c.source(r.From)) {
			continue
		}
		wire += len(r.Header) + len(r.Fragment)
		c.record(r)
	}
	lines = c.foldClosing()
	for i, s := range lines {
		s.Number = i + 1
	}
	c.nameKeys()
	return lines, wire
}

type ladderBuilder struct {
	views    [2]*view
	way      way
	lines    []*rung
	progress [2]progress
	tls13    bool // the server chose it: a ChangeCipherSpec means nothing
}

// progress is what has been read of one direction.
type progress struct {
	carried   int  // bytes of a message that began in an earlier record in the clear and goes on
	protected bool // ChangeCipherSpec was sent
}

// source returns the role whose events about one direction are used.
func (c *ladderBuilder) source(from iana.Side) trace.Role {
	if roles[from] == trace.Client && c.views[iana.Client].here ||
		roles[from] == trace.Server && c.views[iana.Server].here {
		return roles[from]
	}
	return roles[from.Peer()]
}

var roles = [2]trace.Role{trace.Client, trace.Server}

// sides returns the events of the source and of the other side.
func (c *ladderBuilder) sides(from iana.Side) (source, other *view) {
	if c.source(from) == roles[from] {
		return c.views[from], c.views[from.Peer()]
	}
	return c.views[from.Peer()], &view{}
}

func (c *ladderBuilder) record(r *trace.Record) {
	p := &c.progress[r.From]
	source, other := c.sides(r.From)
	s := rung{Kind: r.ContentType, Record: r}
	if arrival, ok := c.way.arrival(r); ok {
		s.Opened = other.arrived(r.From, arrival)
	}
	if d := c.way.of(r); d != nil && d.Fate != trace.FateDelivered {
		s.Fate, s.Altered = d.Fate, changed(d, r, 0, len(r.Fragment))
	}
	s.From, s.Place.Record, s.Protected = r.From, int(r.Number)-1, p.protected
	if c.tls13 {
		s.Protected = outerType(r) == iana.RecordApplicationData
	}
	s.Sealed = s.Protected && !readable(r)
	switch r.ContentType {
	case iana.RecordHandshake:
		c.messages(s)
	case iana.RecordAlert:
		s.Alert = source.alertIn(r)
		c.lines = append(c.lines, &s)
	default:
		p.protected = p.protected || r.ContentType == iana.RecordChangeCipherSpec
		c.lines = append(c.lines, &s)
	}
}

// outerType returns the type in a record's header, which in TLS 1.3 is not that of its content.
func outerType(r *trace.Record) iana.ContentType {
	if len(r.Header) == 0 {
		return r.ContentType
	}
	return iana.ContentType(r.Header[0])
}

// messages adds a line for each handshake message that begins in a record.
func (c *ladderBuilder) messages(s rung) {
	p := &c.progress[s.From]
	source, other := c.sides(s.From)
	var received []*trace.Message
	if arrival, ok := c.way.arrival(s.Record); ok {
		received = other.received(s.From, arrival)
	}
	start := p.carried
	for n, m := range source.begin(s.Record) {
		line := s
		line.Message, line.Received, line.Place.Message = m, at(received, n), n
		line.Altered = line.Received == nil &&
			changed(c.way.of(s.Record), s.Record, start, len(m.Raw)) ||
			line.Received != nil && string(line.Received.Raw) != string(m.Raw)
		c.lines = append(c.lines, &line)
		start += len(m.Raw)
		if hello, ok := parseHello[*message.ServerHello](m); ok {
			c.tls13 = chooses13(hello)
		}
	}
	p.carried = 0
	if s.Record.Protection == "" {
		p.carried = max(start-len(s.Record.Fragment), 0)
	}
}

// foldClosing merges the two close_notify alerts that end a connection into one line.
func (c *ladderBuilder) foldClosing() []*rung {
	n := len(c.lines)
	if n < 2 || !c.lines[n-1].closes() || !c.lines[n-2].closes() ||
		c.lines[n-1].From == c.lines[n-2].From {
		return c.lines
	}
	c.lines[n-2].BothWays = true
	return c.lines[:n-1]
}

// readable reports whether a record is authenticated and not encrypted, as with the suites of the
// cipher NULL.
func readable(r *trace.Record) bool { return strings.HasPrefix(r.Protection, "NULL, ") }

// senders returns the sides that sent a line.
func (l *Line) senders() []iana.Side {
	if l.BothWays {
		return []iana.Side{iana.Client, iana.Server}
	}
	return []iana.Side{l.From}
}

// nameKeys names the keys that protect the lines. Up to TLS 1.2 each side has one; in TLS 1.3 it
// changes its key after some of its messages. See RFC 8446 §4.4.4, §4.5 and §4.6.3.
func (c *ladderBuilder) nameKeys() {
	epochs := [2]epoch{}
	for _, s := range c.lines {
		for _, side := range s.senders() {
			if !s.Protected {
				continue
			}
			name := "_write_key"
			if c.tls13 || len(s.Record.AAD) == recordHeader {
				name = epochs[side].key(side, s)
			}
			if name != "" {
				s.Keys[side] = side.String() + name
			}
		}
	}
}

// epoch says which key of TLS 1.3 a side sends under.
type epoch struct {
	unread   bool // a record could not be read, so it is not known what followed
	finished bool
	answered bool // by the client: its early data is over
	updates  int
}

// key returns the name of a side's key of a line, without the side, and goes on to the next key
// where the line is the last one under its key.
func (e *epoch) key(from iana.Side, s *rung) string {
	e.unread = e.unread || len(s.Record.Plaintext)+len(s.Record.Ciphertext) == 0
	early := s.is(iana.EndOfEarlyData) || s.Kind == iana.RecordApplicationData && !e.answered
	switch {
	case e.unread:
		return ""
	case e.finished:
		name := fmt.Sprintf("_application_write_key_%d", e.updates)
		if s.is(iana.KeyUpdate) {
			e.updates++
		}
		return name
	case from == iana.Client && early:
		e.answered = s.is(iana.EndOfEarlyData)
		return "_early_write_key"
	}
	e.answered, e.finished = true, s.is(iana.Finished)
	return "_handshake_write_key"
}

func (s *rung) is(t iana.HandshakeType) bool { return s.Message != nil && s.Message.Type == t }

func (s *rung) closes() bool { return s.Alert != nil && s.Alert.Description == alert.CloseNotify }

func at[T any](list []*T, n int) *T {
	if n < len(list) {
		return list[n]
	}
	return nil
}

// forged adds a line for a record that its side did not send there: what the receiver opened, or
// what arrived if it opened nothing.
func (c *ladderBuilder) forged(d *trace.Delivery) {
	if !added(d.Fate) || d.Arrival == 0 {
		return
	}
	v := c.views[d.From.Peer()]
	r := v.arrived(d.From, d.Arrival)
	if r == nil && len(d.Bytes) >= recordHeader {
		r = &trace.Record{From: d.From, Direction: trace.Opened, Number: d.Arrival,
			ContentType: iana.ContentType(d.Bytes[0]),
			Header:      d.Bytes[:recordHeader], Fragment: d.Bytes[recordHeader:]}
	}
	if r == nil {
		return
	}
	s := rung{Kind: r.ContentType, Record: r, Opened: r}
	s.From, s.Place.Record, s.Fate, s.Altered = d.From, -1, d.Fate, true
	s.Protected = r.Protection != ""
	s.Sealed = s.Protected && !readable(r)
	if r.ContentType == iana.RecordAlert {
		s.Alert = v.alertIn(r)
	}
	c.lines = append(c.lines, &s)
}
