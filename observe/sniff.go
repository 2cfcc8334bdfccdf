package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// TLS is recognized by its first bytes, on any port and in either direction, also after bytes in
// the clear such as STARTTLS or a proxy's CONNECT.

const (
	headLen  = record.HeaderLen + message.HeaderLen + 2 // identifies a hello
	maxClear = 1 << 20                                  // bytes without TLS before giving up
	maxKept  = 64 << 10                                 // of them, in each direction
)

// hello finds where a ClientHello begins. fresh says that b begins where its direction does: only
// there SSL 2.0's form and short fragments are recognized.
func hello(b []byte, fresh bool) (at int, ssl2, ok bool) {
	if _, old := message.Hello2Length(b); old && fresh {
		return 0, true, true
	}
	if h, good := headerOf(b); fresh && good && h.Type == iana.RecordHandshake && h.Length > 0 &&
		h.Length < message.HeaderLen+2 &&
		len(b) > record.HeaderLen && b[record.HeaderLen] == byte(iana.ClientHello) {
		return 0, false, true // in small fragments
	}
	at, ok = opening(b, iana.ClientHello)
	return at, false, ok
}

// opening finds a record in which a hello of this type begins.
func opening(b []byte, t iana.HandshakeType) (at int, ok bool) {
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], byte(iana.RecordHandshake))
		if i < 0 || len(b)-at-i < headLen {
			return 0, false
		}
		at += i
		h, good := header(b[at:])
		body := b[at+record.HeaderLen:]
		length := message.Length(body) - message.HeaderLen
		if good && body[0] == byte(t) && length >= 38 && length < 1<<16 &&
			h.Length >= message.HeaderLen+2 && body[4] == 3 && body[5] <= 4 {
			return at, true
		}
	}
}

func headerOf(b []byte) (h record.Header, ok bool) {
	if len(b) < record.HeaderLen {
		return h, false
	}
	return header(b)
}

// answer finds where the server's answer to a ClientHello begins, a ServerHello or an alert.
func answer(b []byte, fresh bool) (at int, ok bool) {
	if h, good := headerOf(b); fresh && good &&
		(h.Type == iana.RecordHandshake || h.Type == iana.RecordAlert && h.Length == 2) {
		return 0, true
	}
	return opening(b, iana.ServerHello)
}

// records reports whether b looks like the middle of a TLS connection: a header is followed, after
// the length that it gives, by another one. It is searched for anywhere, since the capture may have
// begun within a record.
func records(b []byte) bool {
	h, ok := headerOf(b)
	for at := 0; ; {
		if ok && h.Length > 0 {
			next := at + record.HeaderLen + h.Length
			if _, ok := headerOf(b[min(next, len(b)):]); ok || at == 0 && next >= len(b) {
				return true
			}
		}
		i := bytes.IndexByte(b[min(at+1, len(b)):], byte(iana.RecordApplicationData))
		if i < 0 {
			return false
		}
		at += 1 + i
		h, ok = headerOf(b[at:])
	}
}
