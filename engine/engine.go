package engine

import (
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// Engine is one live end of a connection. Once the handshake is done, its inbound and its outbound
// half may be used at the same time by two callers: one calls Read, the other Seal and what else
// sends. Replies that a Read causes wait for SealReplies.
type Engine struct {
	me  iana.Side
	In  *Inbound
	Out *Outbound
	log *trace.Log

	machine *handshake.Machine
	flight  []outgoing

	// Renegotiates, if set, reports whether a client answers a HelloRequest. See RFC 5246 §7.4.1.1.
	Renegotiates func() bool

	// Proved, if set, is called at a server with the identity that a client has proved after the
	// handshake; an error refuses it. Shown, if set, is called at a client with what it has sent.
	// Both are called by Read.
	Proved func(*handshake.Peer) error
	Shown  func(*pki.Credential)

	checking []byte // the message that is processed, or was last
	failed   bool   // the trace has why

	plain          []byte // opened, and not read yet
	zeroRTT        []byte // the client's early data, opened and not read yet
	skipsEarly     bool   // the peer's early data is being skipped
	dataReceived   bool   // the peer has sent application data
	awaitsFinished bool   // the peer's keys were changed, and its Finished has not come
	eof            error  // io.EOF after the peer's close_notify: nothing more can be read
	over           bool   // the peer ended the connection, by close_notify or a fatal alert
	warnings       int    // warnings in a row
	requests       int    // HelloRequests in a row
	tickets        int    // tickets of TLS 1.3, in a row
	updates        int    // KeyUpdates since the last data

	rekey  atomic.Bool // the peer asked us to update our keys
	asked  atomic.Bool // we asked the peer, and it has not updated its keys yet
	epochs uint64      // how often our keys were updated; guarded as Out is

	mu sync.Mutex // guards replies
	replies
}

// replies holds the answers that Read has caused, until a caller may send them. Its size is
// bounded, because a peer could send requests without end and read none of the answers.
type replies struct {
	declines bool // a no_renegotiation waits; one answers all requests that came before it
	// why the connection ends: a fatal alert that is to be sent, unless the peer ended it
	ended  error
	silent bool // the peer ended the connection: no alert is sent
	muted  bool // nothing can be sent any more

	answers []*handshake.LateAnswer // to requests for a certificate, at most maxLate
}

// NewEngine returns the engine of a client or a server. It sends nothing yet.
func NewEngine(me iana.Side, c *negotiation.Config) *Engine {
	e := &Engine{me: me, In: NewInbound(me.Peer(), c.Log), Out: NewOutbound(me, c.Log), log: c.Log}
	if me == iana.Client {
		e.machine = handshake.NewClient(c, e)
		e.Out.half.SetMaxFragment(c.HelloFragment)
	} else {
		e.machine = handshake.NewServer(c, e)
		if c.Hello2 {
			e.In.AcceptHello2()
		}
	}
	return e
}

// Machine returns the handshake, which holds what was negotiated.
func (e *Engine) Machine() *handshake.Machine { return e.machine }

// flightEnds returns an error if handshake bytes follow the message that ended the peer's flight.
func (e *Engine) flightEnds(last iana.HandshakeType) error {
	if n := e.In.Leftover(); n > 0 {
		return alert.KindFlight.Fail(alert.UnexpectedMessage, "RFC 5246 §7.3",
			"got %d bytes of another message after the %v's %v, which ends its flight",
			n, e.me.Peer(), last)
	}
	return nil
}
