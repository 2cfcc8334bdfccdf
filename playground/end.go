package playground

import (
	"bytes"
	"context"
	"crypto"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// end is one of the two sides: an engine, and the program above it. The client sends its request,
// reads the answer and closes; the server reads a request and answers it.
type end struct {
	*plan
	me iana.Side
	e  *engine.Engine

	events *trace.Memory
	key    crypto.PrivateKey // of the server's certificate

	waiting       []byte // what has arrived and the engine has not got
	last          []byte // the record that arrived last
	heardExchange bool   // the careless twin has looked into the ClientKeyExchange

	early     []byte // what the server has read of early data
	received  []byte
	sentEarly bool // our data is sealed as early data
	sent      bool // our data is sealed
	said      bool // our close_notify is sealed
	heard     bool // the peer's close_notify has come
	lost      bool // the peer's stream has ended
	absent    bool // nobody is at this end
	err       error
}

func newEnd(p *plan, me iana.Side, c *negotiation.Config) *end {
	return &end{plan: p, me: me, e: engine.NewEngine(me, c)}
}

// Over reports whether the end neither sends nor reads any more.
func (x *end) Over() bool { return x.err != nil || x.absent || x.said && x.heard }

// Arrive takes bytes from the peer.
func (x *end) Arrive(b []byte) {
	x.last = b
	if err := x.refuse(b); err != nil && !x.Over() {
		x.fail(err)
		x.refused(b)
	}
	if x.Over() {
		return
	}
	x.waiting = b
	if x.Receive() == nil {
		x.proceed()
	}
}

// proceed goes on until more bytes are needed.
func (x *end) proceed() {
	if _, err := engine.Drive(context.Background(), x, x.step); err != nil &&
		err != engine.ErrMore {
		x.fail(err)
	}
}

// Send seals the replies that reading has caused. The wire collects what is sealed. It implements
// engine.Transport.
func (x *end) Send() error {
	_, _, err := x.e.SealReplies()
	return err
}

// Receive gives the engine what has arrived. It implements engine.Transport.
func (x *end) Receive() error {
	if len(x.waiting) == 0 {
		return engine.ErrMore
	}
	n := copy(x.e.In.Space(), x.waiting)
	x.e.In.Arrived(n)
	x.waiting = x.waiting[n:]
	return nil
}

// step is what the end does with what has arrived. It returns engine.ErrMore if that is all.
func (x *end) step() error {
	if !x.e.Machine().Done() {
		if err := x.e.Advance(); err != nil {
			return err
		}
		if err := x.exchangeEarly(); err != nil {
			return err
		}
		if !x.e.Machine().Done() {
			return engine.ErrMore
		}
	}
	if x.me == iana.Client {
		if err := x.say(x.request); err != nil {
			return err
		}
	} else if err := x.respond(false); err != nil { // to early data
		return err
	}
	for !x.Over() {
		if err := x.read(); err != nil {
			return err
		}
	}
	return nil
}

// exchangeEarly sends a client's early data, or reads it at a server.
func (x *end) exchangeEarly() error {
	if m := x.e.Machine(); x.me == iana.Client && x.EarlyData && !x.sentEarly && m.EarlyOpen() &&
		len(x.request) <= m.EarlyLeft() {
		x.sentEarly = true
		return x.e.SealEarly(x.request)
	}
	for x.e.BufferedEarly() > 0 {
		b := make([]byte, x.e.BufferedEarly())
		x.early = append(x.early, b[:x.e.ReadEarly(b)]...)
	}
	return nil
}

// say seals our data once, unless it was accepted as early data.
func (x *end) say(data []byte) error {
	if x.sent {
		return nil
	}
	x.sent = true
	if x.KeyUpdate && x.me == iana.Client {
		if err := x.e.UpdateKeys(iana.UpdateRequested); err != nil {
			return err
		}
	}
	if x.sentEarly && x.e.Machine().EarlyData() == handshake.EarlyAccepted {
		return nil
	}
	for len(data) > 0 {
		n := len(data)
		if x.Pieces > 0 {
			n = min(n, x.Pieces)
		}
		if err := x.e.Seal(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// read reads once, and does what follows from it. It returns engine.ErrMore if more bytes are
// needed.
func (x *end) read() error {
	b := make([]byte, maxData)
	n, err := x.e.Read(b)
	x.received = append(x.received, b[:n]...)
	if err != nil && err != io.EOF {
		return err
	}
	if err := x.Send(); err != nil { // before what the program has to say
		return err
	}
	x.heard = err == io.EOF
	return x.respond(x.heard)
}

// respond does what the program does with what has come: the server answers a whole request, the
// client ends the connection once it has the whole answer, and either once the other has.
func (x *end) respond(ended bool) error {
	want := x.response
	if x.me == iana.Server {
		want = x.request
	}
	if len(x.early)+len(x.received) >= len(want) && x.me == iana.Server {
		if err := x.say(x.response); err != nil {
			return err
		}
	}
	if ended || x.me == iana.Client && len(x.received) >= len(want) {
		return x.close()
	}
	return nil
}

// close seals close_notify once. See RFC 5246 §7.2.1.
func (x *end) close() error {
	if x.said {
		return nil
	}
	x.said = true
	return x.e.SealAlert(alert.Warning, alert.CloseNotify, "")
}

// Ended takes the end of the peer's stream.
func (x *end) Ended() {
	if x.Over() || x.lost {
		return
	}
	x.lost = true
	if x.heard {
		return
	}
	if x.Careless == AnyEnd && x.me == iana.Server && x.e.Machine().Done() {
		x.heard = true
		if err := x.say(x.response); err != nil {
			x.fail(err)
		} else if err := x.close(); err != nil {
			x.fail(err)
		}
		return
	}
	x.err = x.e.Ended()
	if !x.e.Machine().Done() {
		x.e.Fail(x.err)
	}
}

// fail ends the connection and tells the peer why.
func (x *end) fail(err error) {
	err = x.careless(err)
	if !x.e.Machine().Done() {
		x.e.Fail(err)
	}
	x.e.Abort(err)
	_ = x.Send() // what cannot be sealed is not sent
	x.err = err
}

// Sealed returns what the end has sealed, and forgets it.
func (x *end) Sealed() []byte {
	b := bytes.Clone(x.e.Out.Sealed())
	if len(b) > 0 {
		x.e.Out.Sent()
	}
	return b
}
