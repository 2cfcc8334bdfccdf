package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/framing"
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

// Stream is a TCP connection that may contain TLS.
type Stream struct {
	// New returns the Connection to feed when TLS begins.
	New func() *Connection

	// Flipped reports that the TCP server is the client of TLS.
	Flipped bool

	// Facts, if set, are read by End: what the packets tell besides the bytes. They say who ended a
	// connection whose handshake was not completed.
	Facts *capture.Facts

	conn  *Connection
	ways  [2]way // by who opened the TCP connection
	ended bool
}

// way is a direction before TLS begins.
type way struct {
	started bool
	clear   int64 // bytes in the clear before
	missing int64
	kept    []byte // the last of these bytes
	dropped bool   // some were not kept
	middle  bool   // they look like records
	seen    int    // bytes of kept that were searched
	before  int64  // of clear, when the ClientHello was found

	splitter *framing.Splitter // if records are in packets of another protocol
	plain    bool              // what follows is that protocol in the clear again
}

// Connection returns the TLS connection, or nil if none was found.
func (s *Stream) Connection() *Connection { return s.conn }

func (s *Stream) side(from iana.Side) iana.Side {
	if s.Flipped {
		return from.Peer()
	}
	return from
}

// Bytes takes the next bytes of a direction.
func (s *Stream) Bytes(from iana.Side, b []byte) {
	w := &s.ways[from]
	if w.started {
		s.feed(from, b)
		return
	}
	w.clear += int64(len(b))
	if s.ended {
		return
	}
	w.kept = append(w.kept, b...)
	if s.conn == nil {
		s.begin(from)
	}
	if s.conn != nil {
		s.answered()
	}
	if len(w.kept) > maxKept {
		w.middle = w.middle || !w.dropped && records(w.kept)
		n := copy(w.kept, w.kept[len(w.kept)-maxKept/2:])
		w.seen = max(0, w.seen-(len(w.kept)-n))
		w.kept, w.dropped = w.kept[:n], true
	}
	if s.conn == nil && s.ways[0].clear+s.ways[1].clear > maxClear {
		s.end()
	}
}

// end gives up looking for TLS.
func (s *Stream) end() {
	s.ended = true
	for i := range s.ways {
		w := &s.ways[i]
		w.middle = w.middle || !w.dropped && records(w.kept)
		w.kept, w.seen, w.dropped = nil, 0, true
	}
}

// begin looks for a ClientHello.
func (s *Stream) begin(from iana.Side) {
	w := &s.ways[from]
	at, ssl2, ok := hello(w.kept[w.seen:], w.fresh() && w.seen == 0)
	if !ok {
		w.seen = max(w.seen, len(w.kept)-headLen)
		return
	}
	s.conn = s.New()
	s.Flipped = from == iana.Server
	s.ways[from.Peer()].seen = 0
	s.ways[from.Peer()].before = s.ways[from.Peer()].clear
	b := w.start(w.seen + at)
	if ssl2 {
		s.conn.hello2(b)
	} else {
		s.feed(from, b)
	}
}

// feed passes bytes on to the Connection, without the packets of another protocol that they are in.
func (s *Stream) feed(from iana.Side, b []byte) {
	w, side := &s.ways[from], s.side(from)
	switch {
	case w.plain:
		s.conn.clear(side, len(b))
		return
	case w.splitter == nil:
		s.conn.Feed(side, b) // its error is in the report
		return
	}
	rest := len(b)
	w.plain = !w.splitter.Split(b, func(b []byte) {
		rest -= len(b)
		s.conn.Feed(side, b)
	})
	if s.conn.lanes[side].framing = w.splitter.Framing; w.plain {
		s.conn.clear(side, rest)
	}
}

// answered looks for the server's first record.
func (s *Stream) answered() {
	from := iana.Server
	if s.Flipped {
		from = iana.Client
	}
	w := &s.ways[from]
	if w.started {
		return
	}
	at, ok := answer(w.kept[w.seen:], w.fresh() && w.seen == 0)
	if !ok {
		w.seen = max(w.seen, len(w.kept)-headLen)
		return
	}
	s.feed(from, w.start(w.seen+at))
}

// fresh reports whether kept begins where the direction does.
func (w *way) fresh() bool { return !w.dropped && w.missing == 0 }

// start sets where in kept TLS begins, and returns what is there.
func (w *way) start(at int) []byte {
	w.started = true
	w.clear -= int64(len(w.kept) - at)
	if f, left := framing.Before(w.kept, at); f != nil {
		w.splitter = &framing.Splitter{Framing: f, Left: left}
	}
	b := w.kept[at:]
	w.kept = nil
	return b
}

// Gap reports that the next n bytes of a direction are missing.
func (s *Stream) Gap(from iana.Side, n int64) {
	w := &s.ways[from]
	if s.conn != nil && !w.started {
		w.start(len(w.kept))
	}
	if w.started {
		s.conn.Gap(s.side(from), n)
		return
	}
	w.missing += n
	w.seen = len(w.kept)
}

// End says that no more bytes will come.
func (s *Stream) End() {
	s.ended = true
	if s.conn == nil {
		return
	}
	s.conn.ending = s.ending()
	s.conn.Close()
}

// Report returns the Connection's report, or one that says why there is no Connection.
func (s *Stream) Report() *Report {
	if s.conn != nil {
		return s.conn.Report()
	}
	r := &Report{Reason: &Reason{Code: NotTLS,
		Detail: "no TLS handshake begins in this connection"}}
	for i := range s.ways {
		w := &s.ways[i]
		r.Flows[i].Missing = w.missing
		if w.middle || !w.dropped && records(w.kept) {
			r.Reason = &Reason{Code: HandshakeNotCaptured,
				Detail: "the records of a TLS connection, without the ClientHello that began it",
				Remedy: "begin the capture before the connection"}
		}
	}
	if r.Reason.Code == NotTLS {
		r.Clear = s.inTheClear()
	}
	if r.Reason.Code == HandshakeNotCaptured {
		for i := range s.ways {
			r.Flows[i].Unread = s.ways[i].clear
		}
	}
	return r
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
