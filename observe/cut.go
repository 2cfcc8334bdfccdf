package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

const (
	maxMessage = 1 << 20 // bytes of a handshake message: certificate chains are much shorter
	heartbeat  = iana.ContentType(24)
)

// outcome is the result of opening a record.
type outcome uint8

const (
	starved outcome = iota // it needs more bytes, or keys
	passed                 // it was skipped
	opened
)

// header reads a record's header and reports whether it is valid. Heartbeats (RFC 6520) are
// records, too.
func header(b []byte) (h record.Header, ok bool) {
	h = record.Header{Type: iana.ContentType(b[0]),
		Version: iana.Version(binary.BigEndian.Uint16(b[1:])),
		Length:  int(binary.BigEndian.Uint16(b[3:]))}
	return h, h.Type >= iana.RecordChangeCipherSpec && h.Type <= heartbeat && h.KnownVersion() &&
		h.Length <= record.MaxCiphertext
}

// cut removes the next record from the buffer, once it is whole or known never to be.
func (l *lane) cut() (r sealed, got outcome) {
	n := l.straight()
	if n < record.HeaderLen {
		if len(l.holes) == 0 {
			return r, starved
		}
		l.lose()
		return r, passed
	}
	b := l.buf[l.start:]
	h, good := header(b)
	if !good && l.framing != nil && l.framing.Plain(b[:record.HeaderLen]) {
		l.toClear()
		return r, starved
	}
	if !good {
		l.err = fmt.Errorf("observe: what the %v sends is not a TLS record: it begins with %x",
			l.from, b[:record.HeaderLen])
		return r, starved
	}
	whole := record.HeaderLen + h.Length
	if n >= whole {
		l.start += whole
		return sealed{Header: h, fragment: b[record.HeaderLen:whole:whole]}, opened
	}
	if len(l.holes) == 0 {
		return r, starved
	}
	return l.mend(h)
}

// mend removes a record that has holes. Zeros replace the missing bytes.
func (l *lane) mend(h record.Header) (r sealed, got outcome) {
	if int64(record.HeaderLen+h.Length) > int64(len(l.buf)-l.start)+l.gone {
		return r, starved
	}
	whole, tail := make([]byte, 0, record.HeaderLen+h.Length), 0
	for left := cap(whole); left > 0; {
		n := min(left, l.straight())
		whole, l.start, left, tail = append(whole, l.buf[l.start:l.start+n]...), l.start+n, left-n,
			n
		if left == 0 {
			break
		}
		n = int(min(int64(left), l.holes[0].n))
		whole, left, tail = append(whole, make([]byte, n)...), left-n, 0
		l.gone -= int64(n)
		if l.holes[0].n -= int64(n); l.holes[0].n == 0 {
			l.holes = l.holes[1:]
		}
	}
	return sealed{h, whole[record.HeaderLen:], true, min(tail, h.Length)}, opened
}

// wholeMessage removes a handshake message from the content of records. It returns nil if none is
// whole.
func (l *lane) wholeMessage() []byte {
	raw, err := l.messages.Next(maxMessage, func(t iana.HandshakeType, n int) error {
		return fmt.Errorf("observe: the %v's %v has %d bytes", l.from, t, n)
	})
	if err != nil {
		l.err = err
	}
	l.half.Log.Begins(l.from, l.messages.Begun())
	return raw
}

// first finds the first record after the ChangeCipherSpec that is to come, or in TLS 1.3 the first
// of application_data: a sample to try keys on. known is false if it may still come; sample is nil
// if it never does. The search continues where it ended last time, since nothing is removed
// meanwhile.
func (l *lane) first(hidesTypes, passed bool) (h record.Header, sample []byte, known bool) {
	p := &l.probe
	for p.passed = p.passed || passed; ; l.steps++ {
		at, end := l.start+p.at, len(l.buf)
		if len(l.holes) > 0 {
			end = l.holes[0].at
		}
		hole := len(l.holes) > 0 || l.closed
		if end-at < record.HeaderLen {
			return h, nil, hole
		}
		h, ok := header(l.buf[at:])
		whole := at + record.HeaderLen + h.Length
		switch {
		case !ok:
			return h, nil, true
		case whole > end:
			return h, nil, hole
		case p.passed && (!hidesTypes || h.Type == iana.RecordApplicationData):
			return h, slices.Clone(l.buf[at+record.HeaderLen : whole]), true
		case h.Type == iana.RecordAlert:
			return h, nil, true
		case h.Type == iana.RecordChangeCipherSpec && !hidesTypes:
			p.passed = true
		}
		p.at = whole - l.start
	}
}

// count skips and counts records that cannot be read.
func (l *lane) count() {
	for {
		n := l.straight()
		if l.unread > 0 {
			k := min(n, l.unread)
			l.start, l.unread, n = l.start+k, l.unread-k, n-k
		}
		switch {
		case l.unaligned:
			l.flow.Unread += int64(n)
			l.start += n
		case l.unread == 0 && n >= record.HeaderLen:
			h, ok := header(l.buf[l.start:])
			if !ok && l.framing != nil && l.framing.Plain(l.buf[l.start:]) && len(l.holes) == 0 {
				l.toClear()
				return
			}
			if !ok {
				l.unaligned = true
				continue
			}
			l.half.Arrived()
			if h.Type == iana.RecordApplicationData {
				l.flow.Unread += int64(h.Length)
				l.flow.UnreadRecords++
			}
			l.start, l.unread = l.start+record.HeaderLen, h.Length
			l.readOuter(h, l.buf[l.start:l.start+min(h.Length, l.straight())])
			continue
		}
		if len(l.holes) == 0 {
			return
		}
		if lost := l.holes[0].n; lost <= int64(l.unread) && l.straight() == 0 {
			l.unread -= int(lost)
		} else {
			l.unaligned, l.unread, l.start = true, 0, l.holes[0].at
		}
		l.fill()
	}
}

// readOuter notes a fatal alert in the clear where TLS 1.3 has keys. A client that refuses the
// server's flight before it has changed to its own keys sends it so; nothing authenticates it.
func (l *lane) readOuter(h record.Header, fragment []byte) {
	if h.Type == iana.RecordAlert && h.Length == 2 && len(fragment) >= 2 && l.outer == nil &&
		alert.Level(fragment[0]) == alert.Fatal {
		d := alert.Description(fragment[1])
		l.outer = &d
	}
}

// errClear ends a direction that goes on in the clear. It is no failure.
var errClear = errors.New("observe: what follows is in the clear")

// toClear ends a direction whose next bytes are not records but the protocol that TLS protected.
func (l *lane) toClear() {
	l.err = errClear
	l.flow.Clear += int64(len(l.buf) - l.start)
	l.start = len(l.buf)
}
