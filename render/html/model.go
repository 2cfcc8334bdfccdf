package html

import (
	"encoding/hex"
	"html/template"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// What the template reads of a connection. The functions that make it are in the files named after
// its parts.

// run is a connection, prepared for the template.
type run struct {
	*explain.Story
	ID       string // "" alone, "a", "b", … among several: begins every fragment
	Letter   string
	Part     bool // of another page
	Suite    string
	Code     string
	Verdicts []verdict
	Chapters []chapter
	Steps    []*step
	Ladder   *ladder
	Ring     []*secret
	Schedule *schedule // of TLS 1.3
	Readers  []explain.Reader
	Erasures []explain.Erasure
	Holdings []explain.Holding
	Signs    []string // what is signed, and why
	Resumes  *link    // to the ticket of an earlier run
	Opens    []explain.WriteKey
	secrets  map[string]*secret
	nodes    map[*explain.Node]*node
	entries  []trace.Entry
	dialect  [2]message.Dialect // by sender
	seenBy   [2]bool            // which sides' events there are
	prints   map[string]string
	marks    map[*trace.Record]string
}

// verdict is a short statement in the header.
type verdict struct{ Text, Tone string }

type chapter struct {
	explain.Chapter
	Intro string
	Name  string
	Steps []*step
}

// step is one page of the story.
type step struct {
	ID          string
	Number      int // from 1
	Chapter     int
	Of          string // "Chapter 2 · Identity"
	Title       string
	Line        *explain.Line
	Size        string
	Way         string // "client → server"
	Ref         string
	Client      string
	Server      string
	Purpose     string
	Facts       []fact
	Derivations []*derivation
	Tree        string // fragment of the key schedule, if values of it grow here
	Bar         *keyBar
	Message     *opened
	Records     []*taken
	Signed      []signed
	Commands    []command
	Choices     []*trace.Choice
	Next, Prev  string
	key         string
	story       []*explain.Node
	nodes       []*node // of the key schedule, that grow here
	rung        *explain.Rung
}

// fact is a fact of the story: text, or a value on both sides.
type fact struct {
	explain.Fact
	Value value
	Label string
	Link  *link // to another run
}

// link leads from one run of a page to another.
type link struct{ Text, To, At string }

// value is a value as the two sides have it.
type value struct {
	Family         string // the class of its hue, and its place in the family
	Client, Server string // hex
	Verdict        string // "equal", "different", or "" if only one side has it
	Public         bool   // was on the wire in the clear
	Anyone         bool   // an eavesdropper has it all the same, read or computed
	Bytes          int
	Print          string // the fingerprint of a secret that is not shown
}

func newValue(family string, p explain.Pair, public bool) value {
	v := value{Family: family, Client: hex.EncodeToString(p.Client),
		Server: hex.EncodeToString(p.Server), Public: public, Bytes: len(p.Bytes())}
	switch p.Compare() {
	case explain.Equal:
		v.Verdict = "equal"
	case explain.Different:
		v.Verdict = "different"
	}
	return v
}

// Any returns the client's value in hex, or the server's if the client has none.
func (v value) Any() string {
	if v.Client != "" {
		return v.Client
	}
	return v.Server
}

// base returns a key without its variant.
func base(key string) string {
	kind, _, _ := strings.Cut(key, "/")
	return kind
}

// command computes a value of a step with another tool.
type command struct {
	Name, Tool, Text string
	Prints           string
	Note             string
	Hex              bool // Prints is a value, not a verdict
	Open             bool // an eavesdropper can run it
}

// derivation is one call of the PRF: inputs, intermediate values and output.
type derivation struct {
	Name     string // its family
	Title    string
	Use      string // what the value is for, in TLS 1.3
	Function string // "PRF_SHA256"
	Label    string
	Inputs   []input
	Output   value
	Bytes    int
	Seeds    value // the two sides' seeds, where these are hashes
	Chain    []expansion
}

// input is an argument of a derivation.
type input struct {
	Family string
	Name   string
	Value  value
	Note   string
	Anchor string // fragment of the node in the key schedule
	Born   string // fragment of the step where it came to be
	At     string // that step's title

}

// expansion is one P_hash, block by block. See RFC 5246 §5.
type expansion struct {
	Hash   string
	Rounds []round
	Used   int // bytes that are used of the output
	Made   int
}

type round struct {
	Number  int
	A, Out  string
	Used    string // of Out
	Dropped string
}

// keyBar is the key_block, cut into keys.
type keyBar struct {
	Len   int
	Parts []barPart
	Keys  []barKey
}

type barPart struct {
	X, Width, Middle, End int    // of 1000
	Family, Short         string // Short: what fits of the name
	Offset, Len           int
}

type barKey struct {
	explain.Key
	Value value
}

// signed is a signature with the bytes that it covers.
type signed struct {
	Scheme    string
	Parts     []signedPart
	Bytes     int
	Signature string
	Verified  bool
	By        string
	Rest      string // what is not signed, or why so much is
}

type signedPart struct{ Family, Name, Hex, Note string }

// opened is a message with its fields and its bytes.
type opened struct {
	ID           string
	Name         string
	Bytes        int
	Leaves       int
	Encrypted    bool // an eavesdropper sees only the record
	Tree         []branch
	Dump         template.HTML
	Certificates []certificate
	Altered      string // hex of what the other side received, if that differs
}

// branch is a row of the tree of fields.
type branch struct {
	Index, Level, Offset, Len  int
	Name, Value, Kind, Summary string
	Note                       string // a sentence about the field
	Leaf                       bool
}

// certificate describes a certificate of a chain.
type certificate struct {
	Title string
	Rows  []row
}

type row struct{ Name, Text string }

// taken is a record with its parts.
type taken struct {
	Title     string
	Protected bool
	Readable  bool     // authenticated, and not encrypted
	How       string   // "MAC-then-encrypt"
	Order     []string // of operations
	Layers    []layer  // from the inside to the wire
	Parts     []part   // each with its bytes
	Text      string   // the plaintext, printable
	SeqNum    uint64
	Bytes     int
	Mark      string // a sentence about this record
	Shared    string // which messages share it
}

// layer is a row of boxes.
type layer struct {
	Name  string
	Sent  bool // all of it is on the wire
	Boxes []box
}

// box is a part of a layer. The picture has a width of 1000.
type box struct {
	X, Width, Middle int
	Name, Kind       string
	Len              int
	Small            bool
}

// part is a part of a record with its bytes.
type part struct {
	Name, Note, Kind string
	Value            value
	Wire             bool // on the wire as it is
}

// ladder is the picture of the connection: the client on the left, the server on the right, time
// downwards.
type ladder struct {
	Height int
	Groups []rungGroup
	Heads  []head
	Tracks []track
	Flows  []flow
	Bottom int
}

// head is the heading of a chapter.
type head struct {
	Y, Number int
	Name      string
}

// rungGroup is the drawing of one step.
type rungGroup struct {
	ID, Title, Way string
	Number         int
	Top, Height    int
	Arrow          *arrow
	Chips          []chip
}

type arrow struct {
	Y, From, To, Label       int
	Wing, Up, Down           int // the ends of the tip
	Number                   int
	Name, Remark, Size       string
	Protected, Both, Altered bool
	Long                     bool // the text is set smaller
}

// chip is a value drawn on a side that has it.
type chip struct {
	X, Y, Width, Middle, Text int
	Family, Name              string
	On                        bool // a key that is switched on
}

// track marks a key in use, beside a lifeline.
type track struct {
	X, Y1, Y2 int
	Family    string
}

// flow is a line from where an input was created to where it is used.
type flow struct {
	Step, Family, Path string
}

// schedule is the picture of the key schedule of TLS 1.3: a trunk of HKDF-Extracts, from which the
// other values branch off. See RFC 8446 §7.1.
type schedule struct {
	ID       string
	Hash     string
	Observed bool
	Declined bool    // begins with the tree of a PSK that the server did not take
	Trunk    []trunk // from the Early Secret down
	Values   int
	Compared int // that both sides hold
	Equal    int
	// Elsewhere says what the count of the whole run has besides, or is empty.
	Elsewhere  string
	Prev, Next string // fragments
}

// trunk is one HKDF-Extract on the trunk of the tree.
type trunk struct {
	Input    *node // what is mixed in; nil for zeros
	Root     *node
	Branches []*node
	Next     *node // the derived secret that leads down, or nil
	Declined bool
}

// node is a value of the schedule.
type node struct {
	*explain.Node
	Anchor   string
	Family   string
	Value    value
	Inputs   []input
	Info     []infoPart
	Formula  string
	Before   string // what stands before the name: `"c hs traffic" + SHA-256(1-2)`
	Commands []command
	Step     *step // where it grows
	Kids     []*node
	Into     []*node
	Short    string // the beginning of the value in hex
	Open     bool   // an eavesdropper has the value, and what it is made from
}

// infoPart is a part of an HkdfLabel.
type infoPart struct {
	Name, Hex, Note string
	Hidden          bool // from an eavesdropper
}

// secret is a value with the values that it was made from and those made from it.
type secret struct {
	Name  string // also the class of its hue
	Short string
	Value value
	Born  *step
	Slot  bool      // has a place in the key ring
	On    [2]bool   // which sides hold it at birth: 0 the client
	Holds [2]string // whether a side comes to hold it, in words
	Heard string    // whether an eavesdropper does
	From  []string
	Into  []string
}

// resultID is the fragment of the result in a run without others.
const resultID = "result"

// BeforeResult returns the fragment of what stands before the result, or nothing.
func (r *run) BeforeResult() string {
	if r.Schedule != nil {
		return r.Schedule.ID
	}
	if n := len(r.Steps); n > 0 {
		return r.Steps[n-1].ID
	}
	return ""
}

// Last returns the number of the last chapter.
func (r *run) Last() int {
	if len(r.Chapters) == 0 {
		return 0
	}
	return r.Chapters[len(r.Chapters)-1].Number
}
