package explain

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// said is a line of the ladder with the events behind it.
type said struct {
	Line
	Kind    iana.ContentType
	Message *trace.Message // of handshake lines: as its sender saw it
	Heard   *trace.Message // as the other side saw it; nil if it never did
	Record  *trace.Record  // the record in which it begins, as its sender saw it
	Opened  *trace.Record  // the same as the other side saw it
	Alert   *trace.Alert
}

// Ladder lists what crossed the wire in the order of the merged events, numbered as it is printed.
func Ladder(entries []trace.Entry) []Line {
	var lines []Line
	said, _ := climb(entries)
	for _, s := range said {
		lines = append(lines, s.Line)
	}
	return lines
}

// climb walks the records of whoever sealed them, or of whoever opened them where the sender left
// no events, and finds the messages in them. wire is the length of all records.
func climb(entries []trace.Entry) (lines []*said, wire int) {
	c := climber{views: [2]*view{see(entries, trace.Client), see(entries, trace.Server)}}
	for _, e := range entries {
		r, ok := e.Event.(*trace.Record)
		if !ok || e.Role != c.teller(r.From) {
			continue
		}
		wire += len(r.Header) + len(r.Fragment)
		c.record(r)
	}
	lines = c.foldClosing()
	for i, s := range lines {
		s.Number = i + 1
	}
	return lines, wire
}

type climber struct {
	views    [2]*view
	lines    []*said
	progress [2]progress
}

// progress is how far one direction has come.
type progress struct {
	records, messages, alerts int
	pending                   int  // bytes of a message that began in an earlier record and goes on
	protected                 bool // ChangeCipherSpec was sent
}

// teller is the role whose records of a direction tell the ladder.
func (c *climber) teller(from iana.Side) trace.Role {
	if roles[from] == trace.Client && c.views[iana.Client].here ||
		roles[from] == trace.Server && c.views[iana.Server].here {
		return roles[from]
	}
	return roles[from.Peer()]
}

var roles = [2]trace.Role{trace.Client, trace.Server}

// sight gives what the teller and the other side saw.
func (c *climber) sight(from iana.Side) (teller, other *view) {
	if c.teller(from) == roles[from] {
		return c.views[from], c.views[from.Peer()]
	}
	return c.views[from.Peer()], &view{}
}

func (c *climber) record(r *trace.Record) {
	p := &c.progress[r.From]
	_, other := c.sight(r.From)
	s := said{Kind: r.ContentType, Record: r, Opened: at(other.records[r.From], p.records)}
	s.From, s.Place.Record, s.Protected = r.From, p.records, p.protected
	p.records++
	switch r.ContentType {
	case iana.RecordHandshake:
		c.messages(s)
	case iana.RecordAlert:
		teller, _ := c.sight(r.From)
		s.Alert = at(teller.alerts[r.From], p.alerts)
		if len(r.Plaintext) == 2 {
			s.Alert = &trace.Alert{From: r.From, Level: alert.Level(r.Plaintext[0]),
				Description: alert.Description(r.Plaintext[1])}
		}
		p.alerts++
		c.lines = append(c.lines, &s)
	default:
		p.protected = p.protected || r.ContentType == iana.RecordChangeCipherSpec
		c.lines = append(c.lines, &s)
	}
}

// messages finds the handshake messages that begin in a record. A redacted record is taken to hold
// one.
func (c *climber) messages(s said) {
	p := &c.progress[s.From]
	teller, other := c.sight(s.From)
	left := len(s.Record.Plaintext)
	redacted := left == 0
	if redacted && !s.Protected {
		left, redacted = len(s.Record.Fragment), false
	}
	carried := min(left, p.pending)
	left, p.pending = left-carried, p.pending-carried
	for left > 0 || redacted {
		line := s
		line.Message, line.Heard = at(teller.messages[s.From], p.messages),
			at(other.messages[s.From], p.messages)
		if line.Message == nil {
			return
		}
		line.Altered = line.Heard != nil && string(line.Heard.Raw) != string(line.Message.Raw)
		c.lines = append(c.lines, &line)
		p.messages++
		s.Place.Message++
		if redacted {
			return
		}
		length := max(len(line.Message.Raw), message.HeaderLen)
		p.pending = max(length-left, 0)
		left = max(left-length, 0)
	}
}

// foldClosing makes one line of the two close_notify alerts that end a connection.
func (c *climber) foldClosing() []*said {
	n := len(c.lines)
	if n < 2 || !c.lines[n-1].closes() || !c.lines[n-2].closes() ||
		c.lines[n-1].From == c.lines[n-2].From {
		return c.lines
	}
	c.lines[n-2].BothWays = true
	return c.lines[:n-1]
}

func (s *said) closes() bool { return s.Alert != nil && s.Alert.Description == alert.CloseNotify }

func at[T any](list []*T, n int) *T {
	if n < len(list) {
		return list[n]
	}
	return nil
}
