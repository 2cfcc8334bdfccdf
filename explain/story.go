// Package explain turns events into a story: six chapters from the first hello to the last
// protected record, with what each step is for, the values that each side holds, and whether they
// are equal. A story of TLS 1.3 has seven, and a key schedule that grows between its messages.
//
// The prose about a connection is here, as data (prose.go, suites.go, newcomer.go, simplified.go,
// terms.tsv); the packages under render lay it out. A story is built from the events alone, so live
// runs, saved runs and captures are told in the same way. Values of the client come from the
// client's events and values of the server from the server's: values shown as equal were compared.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one, except for the table of what differs between the versions:
//
//	text.go pair.go schedule.go hello.go view.go          texts, values, what a side's events have
//	story.go prose13.go prose.go commands.go protocol.go  a story; what each step is for; versions
//	way.go ladder.go rungs.go                             the lines of the ladder
//	suites.go teller.go ended.go anatomy.go               until TLS 1.2: suites, records and ends,
//	derivation.go exchange.go hellos.go                   keys, key exchanges, messages,
//	fields12.go fields13.go                               and their fields
//	schedule_rows.go schedule_read.go transcript13.go     TLS 1.3: its key schedule,
//	exposed.go schedule_merge.go teller13.go              what its hashes cover,
//	exchange13.go hellos13.go finished13.go               its messages
//	anatomy13.go lines13.go                               and records
//	compare.go lessons.go holdings.go                     two runs; who can read, and who knows what
//	saved.go result.go result13.go tell13.go tell.go      results; the whole story
//	wire.go writekeys.go                                  what an eavesdropper has; what opens it
//	term.go simplified.go newcomer.go terms.go            words, and what the prose leaves out
//	messages.go lookup.go                                 the words that a text has
//	commands_keys.go commands_hybrid.go                   the same values by other programs
//	commands_record.go commands13.go commands_exchange.go
//	notebook.go detail.go                                 all of a step's bytes, fields and commands
//	derive_given.go derive_forms.go derive_search.go      exercises of TLS 1.2: inputs, the search,
//	derive_transcript.go derive_tried.go derive.go        a transcript,
//	derive13_given.go derive_told.go derive_mistakes.go   and mistakes
//	derive_typos.go derive_expect.go
//	derive13_messages.go derive13_run.go                  exercises of TLS 1.3
//	derive13_schedule.go derive13.go derive13_parts.go
//	derive13_mistakes.go derive13_swaps.go derive13_search.go
//	print.go                                              printing
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Run describes how and where a handshake was made. The events do not say.
type Run struct {
	Command        string        // "vitrine handshake"
	Flags          string        // " --seed docs": those that the run depends on
	Client, Server string        // addresses, or empty
	Seed           string        // not empty: everything of this run is reproducible, and public
	Setup          time.Duration // to make the certificates; 0 if times are not shown
	Handshake      time.Duration // 0 if times are not shown
	Tampered       *Tampered     // what was altered on the way, or nil
	Note           string        // what saved events say of themselves, or empty
	Fingerprints   bool          // secrets are not there, and are shown by their fingerprints
	Open           bool          // the connection continues after the last event
	Failed         string        // how the handshake ended, which no event tells, or empty
}

// explainCommand is the command of a run that was saved.
const explainCommand = "vitrine explain"

// Ending is how a connection ended, as far as the events of one side, or of both, can tell.
type Ending struct {
	Handshake Progress
	// Goodbye tells of each side whether it sent close_notify, as it or its peer saw it.
	Goodbye [2]bool
	// Cut says that a side saw the stream end without its peer's close_notify.
	Cut bool
	// Partial says that there may be alerts which the events do not have.
	Partial bool
	// Fatal is the first fatal alert, from whichever side, or empty.
	Fatal string
}

// Progress is how far a handshake came.
type Progress uint8

// How far it came.
const (
	Unfinished Progress = iota // no side saw its end
	Failed                     // a side saw it fail
	Finished                   // every side with events saw its end
)

// Truncated reports whether data may be missing at the end, since nobody sent close_notify, or a
// side missed that of its peer. See RFC 5246 §7.2.1 and RFC 8446 §6.1.
func (e *Ending) Truncated() bool { return e.Cut || e.Goodbye == [2]bool{} && !e.Partial }

// Tampered describes what somebody between the two sides did. The events say what became of each
// record: see trace.Delivery.
type Tampered struct {
	Acts  []Act // in the order of the lines
	Stall bool  // a side waited for what never came
}

// Act is one thing that was done to a line.
type Act struct {
	Line  int    // of the ladder; 0: of none, such as a record that was forged
	Field string // "mac", or "" for the line as a whole
	How   string // "one bit of byte 40 of 101 was flipped"
	Idle  string // why it changed nothing, or empty
	// Unnoticed is why neither side could notice it, or empty if nothing forbids that.
	Unnoticed string
}

// at returns what was done to a line.
func (t *Tampered) at(line int) (facts []Fact) {
	if t == nil {
		return nil
	}
	for _, a := range t.Acts {
		if a.Line == line {
			facts = append(facts, Fact{Name: "ALTERED", Text: a.How, Alarm: true})
		}
	}
	return facts
}

// Where returns the lines at which somebody interfered, in words.
func (t *Tampered) Where() string {
	var list []string
	for _, a := range t.Acts {
		if n := fmt.Sprint(a.Line); a.Line > 0 && a.Idle == "" && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	switch len(list) {
	case 0:
		return "with what was sent"
	case 1:
		return "at line " + list[0]
	}
	if len(list) > 10 {
		return fmt.Sprintf("at %d lines", len(list))
	}
	return "at lines " + strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// Idle returns why nothing was changed, or an empty string if something was.
func (t *Tampered) Idle() string {
	var list []string
	for _, a := range t.Acts {
		if a.Idle == "" {
			return ""
		}
		list = append(list, a.Idle)
	}
	return strings.Join(list, "; ")
}

// unnoticed returns why neither side could notice what was done, or an empty string if that is not
// known of all of it.
func (t *Tampered) unnoticed() string {
	var list []string
	for _, a := range t.Acts {
		switch {
		case a.Idle != "" || slices.Contains(list, a.Unnoticed):
		case a.Unnoticed == "":
			return ""
		default:
			list = append(list, a.Unnoticed)
		}
	}
	return strings.Join(list, "; ")
}

// Story describes a connection from the first hello to its end.
type Story struct {
	Run      Run
	Version  iana.Version // whose rules it is told by
	Chosen   iana.Version // the server's choice, or 0
	Suite    *suite.Suite // nil if none was agreed
	Warnings []Sentence
	Chapters []Chapter
	Keys     []Key     // the key_block, cut; empty if none was derived
	Schedule *Schedule // of TLS 1.3; nil up to TLS 1.2
	Result   Result
	Reveals  bool // the events have keys
}

// Chapter is one of the six parts of a story, or seven in TLS 1.3. Their names and numbers are the
// same in all outputs.
type Chapter struct {
	Number int
	Name   string // "HELLOS"
	Motto  string // "two nonces, in the clear, before any secret exists"
	Ref    string // "RFC 5246 §8.1", or empty
	Steps  []Step
}

// Step is a line of the ladder, or something that each side computes for itself.
type Step struct {
	Key   string // into the catalogue: "client_hello", "key_block"
	Line  *Line  // nil: nothing is sent
	Facts []Fact
	Nodes []*Node // of the story's Schedule: what grows in this step
}

// Line is a line of the ladder: a handshake message, or a record with something else.
type Line struct {
	Number    int
	From      iana.Side
	BothWays  bool
	Name      string // "ClientHello"
	Remark    string // "(encrypted)"
	Size      string // "85 bytes", or of a message in a protected record: "16 in 85 bytes"
	Ref       string
	Protected bool
	Sealed    bool // protected, and encrypted: who records it sees only the record
	Altered   bool // what was received differs from what was sent
	// Fate is what became of its record on the way; empty if nobody was in between.
	Fate  trace.Fate
	Place Place // where on the wire
	// Keys has, by sender, the name of the key that protects its record: "client_write_key", in TLS
	// 1.3 "client_application_write_key_0"; "" if nothing does, or it is not known.
	Keys [2]string
}

// Place is the position of a line in what its sender sent: the record, and the message among those
// that begin in that record, both from 0.
type Place struct{ Record, Message int }

// Fact is one thing to know about a step: bytes, text, or both.
type Fact struct {
	Name    string // "client_random"
	Secret  string // the family that the bytes belong to, "master_secret"; empty for what is public
	Under   string // a second label, "48 bytes"
	Deeper  bool   // belongs to the fact before
	Offset  string // in the key_block; "-" for a part that is not taken
	Count   string // of bytes, for the parts of a record
	Value   Pair
	Short   bool   // a value that is shown by its ends
	Text    string // text in place of the bytes, or after them
	Note    string // a remark
	Sent    bool   // sent in the clear, and so not counted among the compared values
	Checked bool   // the receiver verified it
	Formula bool   // Text is how the value is computed
	Alarm   bool   // an alteration by a man in the middle
	Heading bool   // Text spans the line, without a label
	Part    bool   // the value is part of one that was shown before, and is not counted again
}

// Key is one part of the key_block.
type Key struct {
	Name        string // "client_write_MAC_key"
	Offset, Len int    // in bytes; Len 0: not taken
	Value       Pair
	Purpose     string // or the reason why it is not taken
}

// Result describes how a connection ended.
type Result struct {
	Complete bool     // handshake, data and close, on both sides
	Ending   Ending   // what is known if it is not complete
	Summary  string   // "TLS 1.2, RSA, AES_256_CBC, …"
	Compared int      // values that both sides hold
	Equal    int      // of these
	Names    []string // of these values, in order
	Wire     int      // bytes of all records, both ways
	// ForwardSecret is false of a handshake that was not completed: see Judged.
	ForwardSecret bool
	EarlyData     bool // was sent, under the PSK alone: that data is never forward secret
	// Judged says that the handshake was completed and no side failed, so that there is a verdict
	// about who could read the data.
	Judged      bool
	PostQuantum bool   // a quantum computer that reads a recording does not read the data
	KeyOpens    bool   // the private key of the server's certificate opens a recording
	KeySays     string // what it opens, and why
	exchange    iana.KeyExchange
	preShared   bool     // a pre-shared key goes into the keys
	ticket      bool     // that pre-shared key is known to be from a ticket
	before      *Result  // of the connection that brought the ticket, if it is known
	resumed     bool     // up to TLS 1.2: from the master_secret of another connection
	Stalled     bool     // no side detected an error, but one waited for what never came
	Forged      string   // the alert that ended the connection, and that nobody sent; or empty
	Noticed     []Notice // the errors that were detected, in order
	Sentences   []Sentence
	Try         []Hint // what to look at next
}

// Sentence is a sentence about the run as a whole.
type Sentence struct {
	Text string
	Tone Tone
}

// Tone is the tone of a sentence.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Good
	Bad
)

// Hint is a flag of the command and what it would show.
type Hint struct{ Flag, What string }

// Notice is a side that detected an error and sent an alert.
type Notice struct {
	By     iana.Side
	Alert  string // "bad_record_mac"
	Reason string
}

// Stopped reports whether tampering had no effect but to end the connection: a side noticed it, or
// waited for what never came, or took a forged alert for its peer's.
func (r *Result) Stopped() bool { return len(r.Noticed) > 0 || r.Stalled || r.Forged != "" }

// Explanation says what a kind of step is for, independent of a run.
type Explanation struct {
	Title   string // as the ladder prints it
	Ref     string
	Client  string // what the client does
	Server  string // what the server does
	Purpose string
}
