package observe

import (
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Connection is one watched connection.
type Connection struct {
	// Data, if set, receives authenticated application data in the order of each direction. It is
	// valid during the call.
	Data func(from iana.Side, plain []byte)

	// Sessions, if set, has the sessions of other connections, so that connections that resume them
	// can be read.
	Sessions *Sessions

	// Late says that secrets may still come: records wait for them until Retry finds one, or GiveUp
	// ends the waiting. With Sessions, a resumed session waits for the connection that it comes
	// from in any case.
	Late bool

	// Repeats says that other copies of bytes may come by Stream.Again. A record that does not
	// authenticate then waits for one, within a bound.
	Repeats bool

	// Name is how connections that resume this one's session refer to it.
	Name string

	source  Source
	learned *message.ServerHello
	log     *trace.Log
	machine *handshake.Machine
	before  *handshake.Machine // since a renegotiation began, the handshake before it
	initial *handshake.Machine // the connection's first
	pending pending
	asked   int  // number of known sessions when a secret was last looked for
	final   bool // it does not wait any more
	untried bool // secrets cannot be tried before they are used
	resumes bool // TLS 1.3: another connection may give the pre-shared key
	// TLS 1.3: the pre-shared key is known and the key exchange is not, so that only early data
	// can be read
	earlyAlone bool
	// TLS 1.3: the client_early_traffic_secret, if it was given
	earlySecret []byte
	// TLS 1.3: those that early data in front of a second ClientHello may have
	refusedSecrets [][]byte
	// TLS 1.3: the lengths of given secrets that cannot be right
	misfits map[keylog.Label]int
	some    bool // TLS 1.3: some of the secrets were given, which could not be tried before
	// TLS 1.3: the handshake cannot be followed, so later keys are tried; see ahead
	tryingLater bool

	scratch *[scratchSize]byte // where records are opened if so
	cores   int                // that may open records ahead

	lanes  [2]lane // by sender
	prefix []byte  // of a ClientHello in the form of SSL 2.0

	secrets        []keylog.Line // what opened it
	about          *Report       // of the first handshake, once it is done
	renegotiations int
	messages       int                   // bytes of the handshake messages that are kept
	used           string                // the source of the secret
	missing        *Reason               // why there is no secret
	abandoned      *Reason               // the reason of an abandoned handshake
	draft          iana.Version          // the version of a ServerHello that cannot be parsed
	failure        error                 // what was wrong with the handshake
	alerted        *alert.Received       // the first fatal alert that was seen
	warned         [2]*alert.Description // the last warning of each side
	alertedBy      iana.Side             // who sent it
	last           step                  // the last message that took its place in a figure
	ending         ending                // how the connection ended, if that is known
}

// pending is what a handshake that cannot continue waits for.
type pending uint8

const (
	nothing pending = iota
	aRecord         // to try secrets on
	aSecret         // one may still be given
)

var (
	errPending = &handshake.Pending{What: "a secret"}
	errLost    = errors.New("observe: the next record behind missing bytes could not be found")
)

// scratchSize is the size of a buffer in which a record is opened whose bytes may be needed again.
const scratchSize = record.MaxCiphertext

// step is a message that was seen.
type step struct {
	from iana.Side
	kind handshake.Kind
}

// ending describes how a connection ended, according to its packets. The sides are those of TLS.
type ending struct {
	known    bool // one of the sides ended it within the capture
	by       iana.Side
	how      capture.Ending
	packets  [2]int // of each side; both 0 if that is not known
	cut      int    // packets that were not captured whole
	snaplen  int    // bytes that were captured of them
	answer   []byte // the beginning of what the server sent in the clear after the ClientHello
	answered bool   // there is such an answer
}

// Machine returns the handshake as far as it was read.
func (c *Connection) Machine() *handshake.Machine { return c.machine }

// Secrets returns the secrets that opened the connection, in the form of a key log. Anyone who has
// them can read the connection.
func (c *Connection) Secrets() []keylog.Line { return c.secrets }

// Skipped returns how many bytes of a direction's records could not be read.
func (c *Connection) Skipped(from iana.Side) int64 { return c.lanes[from].flow.Unread }

// Waiting reports whether the handshake is waiting for a secret.
func (c *Connection) Waiting() bool { return c.pending == aSecret }

// MaxBuffered bounds how many bytes wait in a connection for the other side's turn or for secrets.
const MaxBuffered = 64 << 20

var errStalled = errors.New("observe: too many bytes wait for a handshake that does not go on")

// Buffered returns the number of bytes that wait.
func (c *Connection) Buffered() int { return c.lanes[0].waiting() + c.lanes[1].waiting() }

// memory returns about how many bytes the connection holds because something waits. A parsed
// message takes twice as much as its bytes, which are kept for the transcript.
func (c *Connection) memory() int {
	return c.lanes[0].memory() + c.lanes[1].memory() + len(c.prefix) + 3*c.messages
}

// shrink frees memory that the connection does not need while no bytes come.
func (c *Connection) shrink() {
	c.lanes[0].shrink()
	c.lanes[1].shrink()
}
