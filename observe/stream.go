package observe

import (
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/framing"
)

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

	broken *Report // after a panic
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

// Again takes another copy of bytes that Bytes has received before. They begin back bytes before
// the end of what it has received. The Connection must have Repeats.
func (s *Stream) Again(from iana.Side, back int64, b []byte) {
	w := &s.ways[from]
	switch {
	case w.started && w.splitter == nil:
		s.conn.again(s.side(from), back, b)
		return
	case w.started || s.ended:
		return
	}
	// No hello was found, so what is there may be the wrong copy.
	at := int64(len(w.kept)) - back
	if at < 0 {
		b, at = b[min(int64(len(b)), -at):], 0
	}
	if at >= int64(len(w.kept)) || copy(w.kept[at:], b) == 0 {
		return
	}
	w.seen = min(w.seen, max(0, int(at)-headLen))
	s.Bytes(from, nil)
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

// clear counts bytes of a direction that continues without TLS.
func (c *Connection) clear(from iana.Side, n int) {
	l := &c.lanes[from]
	l.flow.Clear += int64(n)
	if l.err == nil {
		l.err = errClear
	}
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

// memory returns how many bytes the stream holds.
func (s *Stream) memory() int {
	n := cap(s.ways[0].kept) + cap(s.ways[1].kept)
	if s.conn != nil {
		n += s.conn.memory()
	}
	return n
}

// shrink frees memory that the stream does not need while no bytes come.
func (s *Stream) shrink() {
	if s.conn != nil {
		s.conn.shrink()
	}
}

// abandon frees everything that waits.
func (s *Stream) abandon() {
	if s.conn != nil {
		s.conn.abandon()
		return
	}
	s.end()
}
