package playground

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
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

// Verdict says who noticed what somebody between the two sides did.
type Verdict struct {
	Outcome Outcome `json:"outcome"`

	// The rest but Sentence is of Caught: which side, by which check.
	By iana.Side `json:"by"`
	// Check says it in words, "the MAC". Kind is for programs; it is empty if the alert says it
	// all.
	Check   string     `json:"check,omitempty"`
	Kind    alert.Kind `json:"kind,omitempty"`
	Section string     `json:"section,omitempty"` // "RFC 5246 §6.2.3.1"
	Alert   string     `json:"alert,omitempty"`   // "bad_record_mac"
	Why     string     `json:"why,omitempty"`     // as the side gives the reason
	// Step is the line of the glass, and Index says which of Records was refused, from 1; 0: none.
	Step  int `json:"step,omitempty"`
	Index int `json:"index,omitempty"`

	// Changes says what became different, if it was Undetected.
	Changes  []string `json:"changes,omitempty"`
	Sentence string   `json:"sentence"`
}

// Outcome is what came of a run.
type Outcome string

// The outcomes.
const (
	Untouched  Outcome = "untouched"  // nothing was changed, and all went to its end
	Running    Outcome = "running"    // more is on its way
	Caught     Outcome = "caught"     // a side noticed
	Undetected Outcome = "undetected" // all went to its end, and nobody noticed
	Stalled    Outcome = "stalled"    // a side waits for what never comes
	Ended      Outcome = "ended"      // an alert that nobody has sent ended it
)
