package playground

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Fate is what became of a record on the wire.
type Fate = trace.Fate

// The fates.
const (
	Delivered  = trace.FateDelivered
	Changed    = trace.FateChanged
	Dropped    = trace.FateDropped
	Moved      = trace.FateMoved
	Duplicated = trace.FateDuplicated
	Replayed   = trace.FateReplayed
	Forged     = trace.FateForged
)

// Result is a run, or what has happened of it so far. Its secrets are public: they follow from the
// seed.
type Result struct {
	Setup Setup `json:"setup"`
	Acts  []Act `json:"acts,omitempty"`
	// Records are in the order in which they were put on the wire.
	Records []Record `json:"records"`
	Verdict Verdict  `json:"verdict"`
	Ends    [2]End   `json:"ends"` // by side
	// Unused are the acts whose record was never sent, or has no such byte.
	Unused []int `json:"unused,omitempty"`
	// Idle are the acts that have changed nothing so far: those, and others without an effect.
	Idle []Idle `json:"idle,omitempty"`
	// Digest is the SHA-256 of all that arrived, in hex.
	Digest string `json:"digest"`
	// Before is the connection that this one resumes.
	Before *Result `json:"before,omitempty"`
	// Again is the other connection of a Replay that is Fresh.
	Again *Result `json:"again,omitempty"`
	// Entries are the events of both sides, in the order in which they happened, and Run is what
	// the glass says with them.
	Entries []trace.Entry `json:"-"`
	Run     explain.Run   `json:"-"`
}

// Idle is an act that has changed nothing.
type Idle struct {
	Act int    `json:"act"` // an index of Acts
	Why string `json:"why"` // "there is no record 9 of the client"
}

// Record is a record on the wire, or what arrived in its place.
type Record struct {
	Side iana.Side `json:"side"`
	// Number counts the records that the side has sent, from 1; a forged one has 0. Arrival counts
	// what has arrived from it; 0 if this has not, or not yet.
	Number  int  `json:"number"`
	Arrival int  `json:"arrival,omitempty"`
	Fate    Fate `json:"fate"`
	// Sent is nil of what the side did not send here, and Got if nothing arrives.
	Sent trace.Hex `json:"sent,omitempty"`
	Got  trace.Hex `json:"got,omitempty"`
	// Unread says that the receiver had ended the connection before.
	Unread bool `json:"unread,omitempty"`
	// Type is that of the content, also where the wire does not show it.
	Type      iana.ContentType `json:"-"`
	TypeName  string           `json:"type"`
	Encrypted bool             `json:"encrypted"`
	Carries   []Carried        `json:"carries,omitempty"`
}

// Bytes returns what arrived, or what was sent if nothing did.
func (r *Record) Bytes() []byte {
	if r.Got != nil {
		return r.Got
	}
	return r.Sent
}

// Carried is a message, an alert or data that begins in a record.
type Carried struct {
	Name string `json:"name"` // "client_hello", "application_data"
	Step int    `json:"step"` // the number of its line in the glass
}

// End is what a side came to.
type End struct {
	Done     bool   `json:"done"`            // its handshake was completed
	Closed   bool   `json:"closed"`          // close_notify was sent and received
	Early    string `json:"early,omitempty"` // the early data that a server has read
	Received string `json:"received"`        // application data
	Error    string `json:"error,omitempty"` // why it ended the connection
	Alert    string `json:"alert,omitempty"` // the fatal alert that it sent
	Err      error  `json:"-"`
}

// Result returns what has happened so far. While the connection goes on, its Verdict is that of
// now.
func (w *Wire) Result() *Result {
	r := &Result{
		Setup:   w.ends[iana.Server].Setup,
		Acts:    w.acts,
		Records: append([]Record(nil), w.records...),
		Before:  w.before,
		Again:   w.replay,
		Entries: append([]trace.Entry(nil), w.events.Entries...),
	}
	r.Run = explain.Run{Command: "vitrine playground", Seed: w.x.seedName(), Client: "client",
		Server: "server"}
	for i, used := range w.used {
		if !used {
			r.Unused = append(r.Unused, i)
		}
		if why := w.Link.Idle(i); why != "" {
			r.Idle = append(r.Idle, Idle{i, why})
		}
	}
	for side, x := range w.ends {
		r.Ends[side] = x.outcome(r.Entries)
	}
	r.Digest = digest(r.Records)
	r.describe()
	w.judge(r)
	r.Run.Tampered = r.tampered()
	return r
}

// seedName returns the seed as the glass shows it, which must not be empty.
func (p *plan) seedName() string {
	if p.Seed == "" {
		return "0"
	}
	return p.Seed
}

func (x *end) outcome(entries []trace.Entry) End {
	e := End{Done: x.e.Machine().Done(), Closed: x.said && x.heard, Early: string(x.early),
		Received: string(x.received), Err: x.err}
	if x.err != nil {
		e.Error = x.err.Error()
	}
	for _, entry := range entries {
		if a, ok := entry.Event.(*trace.Alert); ok && a.From == x.me &&
			entry.Role == trace.Role(x.me.String()) && a.Level == alert.Fatal {
			e.Alert = a.Description.String()
		}
	}
	return e
}

func digest(records []Record) string {
	h := sha256.New()
	for _, r := range records {
		h.Write([]byte(r.Side.String() + "\x00"))
		h.Write(r.Got)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// describe says what each record carries.
func (r *Result) describe() {
	type place struct {
		side   iana.Side
		number int
	}
	sealed, carried := map[place]*trace.Record{}, map[place][]Carried{}
	var last [2]int // record that each side has sealed
	for _, e := range r.Entries {
		if x, ok := e.Event.(*trace.Record); ok && x.Direction == trace.Sealed {
			last[x.From] = int(x.Number)
			sealed[place{x.From, last[x.From]}] = x
		}
	}
	for _, g := range explain.Rungs(r.Entries) {
		at := place{g.From, g.Place.Record + 1}
		carried[at] = append(carried[at], Carried{carriedName(&g), g.Number})
		if other := (place{g.From.Peer(), last[g.From.Peer()]}); g.BothWays &&
			carried[other] == nil {
			carried[other] = []Carried{{carriedName(&g), g.Number}}
		}
	}
	for i := range r.Records {
		x := &r.Records[i]
		at := place{x.Side, x.Number}
		if len(x.Bytes()) > 0 {
			x.Type = iana.ContentType(x.Bytes()[0])
		}
		if s := sealed[at]; s != nil {
			x.Type, x.Encrypted = s.ContentType, s.Protection != ""
			if x.Carries = carried[at]; x.Carries == nil {
				x.Carries = []Carried{{Name: contentName(s)}}
			}
		}
		x.TypeName = x.Type.String()
	}
}

func carriedName(g *explain.Rung) string {
	if g.Message != nil && message.IsHelloRetryRequest(g.Message.Raw) {
		return "hello_retry_request"
	}
	if g.Message != nil {
		return g.Message.Type.String()
	}
	return contentName(g.Record)
}

// contentName names what a record carries that is no handshake message.
func contentName(r *trace.Record) string {
	if r.ContentType == iana.RecordAlert && len(r.Plaintext) == 2 {
		return alert.Description(r.Plaintext[1]).String()
	}
	return r.ContentType.String()
}
