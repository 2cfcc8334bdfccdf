package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// open cuts off and opens the next record.
func (c *Connection) open(l *lane) (t iana.ContentType, plain []byte, got outcome) {
	if l.lost {
		return c.regain(l)
	}
	if l.waitsForCopy() {
		return 0, nil, starved
	}
	if t, ok := l.peek(); ok && t == iana.RecordApplicationData && !l.half.Protected() && !l.blind {
		if c.overdue(l) {
			return 0, nil, passed
		}
		if got, ok := c.refusedEarly(l); ok {
			return 0, nil, got
		}
		return 0, nil, starved // TLS 1.3: its keys come with the other side's messages
	}
	c.openAhead(l)
	start := l.start
	r, got := l.cut()
	switch {
	case l.err != nil && l.err != errClear && c.reconsider(l, start, record.HeaderLen):
		l.err = nil
		return 0, nil, passed
	case got != opened:
		return 0, nil, got
	}
	l.half.Arrived()
	switch {
	case l.inner && r.Type != iana.RecordApplicationData:
		// RFC 8446 §5: change_cipher_spec is for middleboxes. Others are not authenticated.
		l.readOuter(r.Header, r.fragment)
		return 0, nil, passed
	case r.torn && l.blind:
		l.flow.refused(r.Header, 0, r.torn)
		return 0, nil, passed
	case r.torn && l.half.Protected():
		l.half.Pass(r.Length, r.fragment[len(r.fragment)-r.tail:])
		l.flow.refused(r.Header, 0, r.torn)
		if l.inner || r.Type == iana.RecordHandshake {
			c.torn(l)
		}
		return 0, nil, passed
	case r.torn:
		c.machine.Unsound()
	case l.blind:
		l.readOuter(r.Header, r.fragment)
	}
	return c.unseal(l, r)
}

// unseal opens a record under the direction's keys, or under later ones.
func (c *Connection) unseal(l *lane, r sealed) (t iana.ContentType, plain []byte, got outcome) {
	var spare []byte
	if c.hasLaterKeys(l) {
		spare = bytes.Clone(r.fragment)
	}
	var back func()
	if c.Repeats {
		back = l.half.Mark()
	}
	seq, keyless := l.half.SeqNum(), l.blind && !l.half.Protected()
	if !keyless {
		t, plain, err := c.openNext(l, r)
		if err == nil && l.inflate != nil {
			plain, err = l.inflate.record(plain)
		}
		if err == nil {
			l.read, l.fresh = l.read || l.half.Protected(), false
			return t, plain, opened
		}
	}
	if t, plain, ok := c.tryLaterKeys(l, r.Header, spare); ok {
		return t, plain, opened
	}
	if !keyless && !c.sealing(l) && !r.torn &&
		c.reconsider(l, l.start-record.HeaderLen-r.Length, record.HeaderLen+r.Length) {
		if back != nil {
			back()
		}
		l.half.Seek(seq)
		l.half.SetNumber(l.half.Number() - 1)
		return 0, nil, passed
	}
	l.half.Seek(seq + 1)
	if c.sealing(l) {
		l.seal(r.Header)
	} else {
		l.flow.refused(r.Header, seq, false)
	}
	return 0, nil, passed
}

// sort passes data on and holds what must wait for its turn. It returns true if it holds an item.
func (c *Connection) sort(l *lane, t iana.ContentType, plain []byte) bool {
	switch t {
	case iana.RecordHandshake:
		l.messages.Add(l.half.Number(), plain)
	case iana.RecordApplicationData:
		if !l.half.Protected() { // not authenticated
			break
		}
		l.flow.add(plain)
		if l.early {
			l.flow.Early += int64(len(plain))
		}
		if c.Data != nil && len(plain) > 0 {
			c.Data(l.from, plain)
		}
	case iana.RecordChangeCipherSpec:
		if !c.protocol().hidesTypes() { // RFC 8446 §D.4: otherwise for middleboxes only
			l.held = &item{typ: t}
			return true
		}
	case iana.RecordAlert:
		if len(plain) != 2 {
			break
		}
		d := alert.Description(plain[1])
		c.log.AlertIn(l.half.Number(), l.from, alert.Level(plain[0]), d, "", c.protocol().alerts())
		if alert.Level(plain[0]) == alert.Fatal && c.alerted == nil {
			c.alerted = &alert.Received{Level: alert.Fatal, Description: d}
			c.alertedBy = l.from
		}
		if alert.Level(plain[0]) == alert.Warning {
			c.warned[l.from] = &d
		}
		if l.from == iana.Server && d == alert.NoRenegotiation {
			l.held = &item{typ: t}
			return true
		}
	}
	return false
}
