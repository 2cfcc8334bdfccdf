package observe

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// effort bounds, in bytes, what is decrypted in vain to find the way back into a direction behind a hole.
const effort = 128 << 20

// regain looks for the next record behind a hole that took a record's beginning away: for a place where a header may stand, and a number
// with which what follows opens.
func (c *Connection) regain(l *lane) (t iana.ContentType, plain []byte, got outcome) {
	if l.half.Protected() && l.inner {
		c.torn(l)
	}
	for spent := 0; ; l.start++ {
		for l.straight() < record.HeaderLen && len(l.holes) > 0 {
			l.lose()
		}
		if l.straight() < record.HeaderLen {
			break
		}
		h, good := header(l.buf[l.start:])
		if !good || !plausible(h, l.inner) {
			continue
		}
		whole := record.HeaderLen + h.Length
		switch {
		case l.straight() < whole && !l.closed && len(l.holes) == 0:
			return 0, nil, starved // it may be one
		case l.straight() < whole:
			continue
		case !l.half.Protected():
			l.lost = false
			return 0, nil, passed
		}
		t, plain, ok := l.attempt(&l.half, h, &spent)
		if next := c.landing(l); !ok && next != nil {
			if t, plain, ok = l.attempt(next, h, &spent); ok {
				c.land(l, next)
			}
		}
		if ok {
			l.start += whole
			l.lost, l.skipped = false, 0
			if t == iana.RecordApplicationData && !l.inner {
				c.torn(l)
			}
			return t, plain, opened
		}
		if spent >= effort {
			l.err = errLost
			return 0, nil, starved
		}
	}
	if l.closed {
		l.err = errLost
	}
	return 0, nil, starved
}

// attempt tries the record at the lane's start with all numbers that it can have.
func (l *lane) attempt(half *record.Half, h record.Header, spent *int) (t iana.ContentType, plain []byte, ok bool) {
	const shortest = record.HeaderLen + 17
	fragment := l.buf[l.start+record.HeaderLen:][:h.Length]
	before := l.buf[max(l.since, l.start-chainTail):l.start]
	from := half.SeqNum()
	last := from + uint64(l.skipped)/shortest + 1
	scratch := make([]byte, len(fragment))
	try := func(seq uint64) bool {
		copy(scratch, fragment)
		*spent += len(fragment)
		half.Pass(0, before)
		half.Seek(seq)
		var err error
		t, plain, err = half.Open(h, scratch)
		return err == nil
	}
	if explicit := guess(fragment); explicit >= from && explicit <= last {
		ok = try(explicit)
	}
	for seq := from; seq <= last && !ok && *spent < effort; seq++ {
		ok = try(seq)
	}
	if !ok {
		half.Seek(from)
	}
	return t, plain, ok
}

// chainTail is how much of what stands before a record tells how its decryption begins: a block, and behind it a MAC.
const chainTail = 16 + 48

// guess is the number that most implementations put into the explicit part of a nonce.
func guess(fragment []byte) uint64 {
	if len(fragment) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(fragment)
}

// plausible tells whether a header can stand between records of data. In the middle of ciphertext one in some millions of places can.
func plausible(h record.Header, inner bool) bool {
	return h.Length > 0 && h.Type <= iana.RecordApplicationData && (!inner || h.Type == iana.RecordApplicationData && h.Version == iana.TLS12)
}
