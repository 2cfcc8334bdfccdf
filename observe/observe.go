package observe

import (
	"bytes"
	"runtime"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// New returns a Connection to be fed from its first byte on. source may be nil: then the handshake
// is shown up to ChangeCipherSpec.
func New(source Source, sink trace.Sink) *Connection {
	c := &Connection{source: source, cores: runtime.GOMAXPROCS(0)}
	if sink != nil {
		c.log = trace.New(trace.Observer, sink, nil)
	}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		c.lanes[side].from = side
		c.lanes[side].half = record.Half{From: side, Log: c.log}
	}
	c.machine = handshake.NewObserver(c.find, c.log, c)
	c.machine.LogKeys(c.derived)
	c.initial = c.machine
	return c
}

// Send is never called: an observer sends nothing. It implements handshake.Carrier.
func (c *Connection) Send(handshake.Kind, []byte) {}

// SetNegotiated does nothing. It implements handshake.Carrier.
func (c *Connection) SetNegotiated(*negotiation.Agreed) {}

// Protect installs the keys of a direction. Without keys its records are only counted, unless they
// open under keys of a later epoch: see ahead.
func (c *Connection) Protect(from iana.Side, k *handshake.TrafficKeys) error {
	l, m := &c.lanes[from], c.machine
	switch {
	case l.early && !m.EarlyAccepted():
		return nil // rejected early data: nothing marks the boundary, so it is found by trial
	case l.keysFound && !m.Done():
		return nil // its data has begun, although the handshake has not been followed to that point
	case k == nil:
		l.blind, l.inner, l.early = true, c.protocol().hidesTypes(), c.mayBeEarlyData(l)
		return nil
	}
	if err := l.messages.ChangeKeys(from); err != nil {
		return err
	}
	p, err := record.NewReader(k.Suite.Cipher, k.Suite.MAC, k.Params(nil))
	if err != nil {
		return err
	}
	l.half.Protect(p)
	l.setKeys(k)
	l.inner = l.half.InnerType()
	l.inflate = nil
	if k.Compression == iana.CompressionDeflate && !l.inner {
		l.inflate = &inflater{}
		l.half.AllowCompressed()
	}
	l.early = c.mayBeEarlyData(l)
	l.epoch, l.blind, l.fresh, l.sealed = k.Epoch, false, true, sealedRecords{}
	return nil
}

// mayBeEarlyData reports whether early data may come next in a direction.
func (c *Connection) mayBeEarlyData(l *lane) bool {
	m := c.machine
	return l.from == iana.Client && c.protocol().epochs() && !m.Done() &&
		l.epoch == handshake.Early &&
		!l.early && m.ClientHello.Extensions.Has(iana.ExtEarlyData)
}

// Feed takes the next bytes of one direction. An error ends that direction; the other can go on.
func (c *Connection) Feed(from iana.Side, b []byte) error {
	l := &c.lanes[from]
	if from == iana.Client && c.prefix != nil {
		c.hello2(append(c.prefix, b...))
		return l.err
	}
	l.add(b)
	c.run()
	if c.Buffered() > MaxBuffered {
		c.GiveUp()
	}
	return l.err
}

// hello2 processes a ClientHello in the form of SSL 2.0, which is not in a record: two bytes of
// length precede it.
func (c *Connection) hello2(b []byte) {
	n, _ := message.Hello2Length(b)
	if len(b) < n {
		c.prefix = bytes.Clone(b)
		return
	}
	c.prefix = nil
	c.result(c.machine.Take(iana.Client, handshake.Kind(iana.ClientHello),
		bytes.Clone(b[message.Hello2HeaderLen:n])), iana.Client)
	c.Feed(iana.Client, b[n:])
}

// Gap reports that the next n bytes of a direction are missing.
func (c *Connection) Gap(from iana.Side, n int64) {
	c.lanes[from].gap(n)
	c.run()
}

// Close says that no more bytes will come. What waits for more bytes is given up; what waits for
// secrets is not: see Waiting.
func (c *Connection) Close() {
	for i := range c.lanes {
		c.lanes[i].closed = true
	}
	c.run()
	c.leave()
}

// again keeps a copy of bytes that wait, if it differs.
func (c *Connection) again(from iana.Side, back int64, b []byte) {
	l := &c.lanes[from]
	at := l.fed - back
	base := l.fed - int64(len(l.buf))                 // the place of buf[0]
	if skip := base + int64(l.start) - at; skip > 0 { // these were already processed
		if skip >= int64(len(b)) {
			return
		}
		b, at = b[skip:], at+skip
	}
	i := int(at - base)
	if i >= len(l.buf) || len(l.holes) > 0 || l.err != nil {
		return
	}
	b = b[:min(len(b), len(l.buf)-i)]
	if bytes.Equal(b, l.buf[i:i+len(b)]) || len(l.copies) >= maxCopies {
		return
	}
	held := len(b)
	for _, k := range l.copies {
		held += len(k.b)
	}
	if held > maxCopied {
		return
	}
	l.copies = append(l.copies, otherCopy{at, bytes.Clone(b)})
	if l.doubt {
		l.doubt = false
		c.run()
	}
}
