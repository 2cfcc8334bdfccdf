// Package explain turns events into a story: six chapters from the first hello to the last
// protected record, with what each step is for, the values that each side holds, and whether they
// agree.
//
// All prose lives here, in data (prose.go, suites.go, simplified.go); the packages under render
// only lay it out. A story is built from the events and nothing else, so it can be told of a live
// run, of a saved one and of a capture alike. Values of the client come from the client's events
// and values of the server from the server's: where they are said to be equal, they were compared.
package explain

import (
	"bytes"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// Run is what the events do not tell: where and how the handshake was made.
type Run struct {
	Command        string        // "vitrine handshake"
	Flags          string        // " --seed docs": those that the run depends on
	Client, Server string        // addresses, or empty
	Seed           string        // not empty: everything of this run is reproducible, and public
	Setup          time.Duration // making the certificates; 0 where time is not told
	Handshake      time.Duration // 0 where time is not told
	Tampered       *Tampered     // what was altered on the way, or nil
	Note           string        // what saved events say of themselves, or empty
}

// Tampered is an alteration between the two sides.
type Tampered struct {
	Line  int    // of the ladder
	Field string // "mac", or "" for the line as a whole
	How   string // "one bit of byte 40 of 101 was flipped"
	Stall bool   // the run ended by a deadline

	From   iana.Side // whose record
	Record int       // which of its sender, from 0
	Byte   int       // which of the record, from 0
	Mask   byte      // what was flipped of it; 0: nothing
}

// Story is a connection from hello to close.
type Story struct {
	Run      Run
	Version  iana.Version
	Suite    *suite.Suite // nil if none was agreed
	Warnings []Sentence
	Chapters []Chapter
	Keys     []Key // the key_block, cut; empty if none was derived
	Result   Result
}

// Chapter is one of the six. Their names and numbers are the same wherever the story is told.
type Chapter struct {
	Number int
	Name   string // "HELLOS"
	Motto  string // "two nonces, in the clear, before any secret exists"
	Ref    string // "RFC 5246 §8.1", or empty
	Steps  []Step
}

// Step is one thing that happens: a line of the ladder, or something that each side computes for
// itself.
type Step struct {
	Key   string // into the catalogue: "client_hello", "key_block"
	Line  *Line  // nil: nothing is sent
	Facts []Fact
}

// Line is one line of the ladder: a message, or a record that is no handshake message.
type Line struct {
	Number   int
	From     iana.Side
	BothWays bool
	Name     string // "ClientHello"
	Remark   string // "(encrypted)"
	// "85 bytes", "16 in 85 bytes": the message, and the record where it is protected
	Size      string
	Ref       string
	Protected bool
	Altered   bool  // what was heard is not what was said
	Place     Place // where on the wire
}

// Place is where a line is in what its sender sends: the record, and the message among those that
// begin in this record, both from 0.
type Place struct{ Record, Message int }

// Fact is one thing to know about a step: bytes, words, or both.
type Fact struct {
	Name   string // "client_random"
	Secret string // the family that the bytes belong to, "master_secret"; empty for what is public
	Under  string // a second label, "48 bytes"
	Deeper bool   // belongs to the fact before
	Offset string // in the key_block; "-" for a part that is not taken
	Count  string // of bytes, for the parts of a record
	Value  Pair
	Short  bool   // a value that is shown by its ends
	Text   string // words in the place of bytes, or behind them
	Note   string // a remark
	// was on the wire in the clear: the sides agree on it unless somebody altered it, so that it
	// counts for nothing
	Sent    bool
	Checked bool // the receiver verified it
	Formula bool // Text is how the value is computed
	Alarm   bool // somebody interfered
	Heading bool // Text spans the line, without a label
}

// Pair is a value as each side holds it. Nil is a side that does not have it.
type Pair struct{ Client, Server []byte }

// Verdict is what comparing a Pair gave.
type Verdict uint8

// The verdicts.
const (
	Uncompared Verdict = iota // only one side has it
	Equal
	Different
)

// Compare compares the two values.
func (p Pair) Compare() Verdict {
	switch {
	case p.Client == nil || p.Server == nil:
		return Uncompared
	case bytes.Equal(p.Client, p.Server):
		return Equal
	}
	return Different
}

// Bytes is the value of whoever has one, the client first.
func (p Pair) Bytes() []byte {
	if p.Client != nil {
		return p.Client
	}
	return p.Server
}

// Of is the value of one side.
func (p Pair) Of(s iana.Side) []byte {
	if s == iana.Client {
		return p.Client
	}
	return p.Server
}

// Key is one part of the key_block.
type Key struct {
	Name        string // "client_write_MAC_key"
	Offset, Len int    // in bytes; Len 0: not taken
	Value       Pair
	Purpose     string // or the reason why it is not taken
}

// Result is how it ended.
type Result struct {
	Complete      bool   // handshake, data and close, on both sides
	Summary       string // "TLS 1.2, RSA, AES_256_CBC, …"
	Compared      int    // values that both sides hold
	Equal         int    // of these
	Wire          int    // bytes of all records, both ways
	ForwardSecret bool
	// nobody noticed anything, but somebody waited for bytes until a deadline
	Stalled   bool
	Noticed   []Notice // who found something wrong, in order
	Sentences []Sentence
	Try       []Hint // what to look at next
}

// Sentence is something to say of a run as a whole.
type Sentence struct {
	Text string
	Tone Tone
}

// Tone is how a sentence is meant.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Good
	Bad
)

// Hint is a flag and what it would show.
type Hint struct{ Flag, What string }

// Notice is a side that found something wrong and said so.
type Notice struct {
	By     iana.Side
	Alert  string // "bad_record_mac"
	Reason string
}

// Stopped reports whether tampering came to nothing: somebody noticed, or waited in vain.
func (r *Result) Stopped() bool { return len(r.Noticed) > 0 || r.Stalled }
