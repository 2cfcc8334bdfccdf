package capture

import (
	"net/netip"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// A Handler receives the data of one connection. Each direction comes in order and without
// repetition; the two are interleaved as the packets were, except where one had to wait for a
// missing segment.
type Handler interface {
	// Bytes receives the next bytes of a direction and the time of the packet that made them
	// available. The bytes are valid during the call.
	Bytes(from iana.Side, at time.Time, b []byte)

	// Gap is called if the next n bytes of a direction are not in the capture.
	Gap(from iana.Side, n int64)

	// End is called last.
	End()
}

// Connection is a TCP connection in a capture.
type Connection struct {
	Stream int // from 0, in the order of first packets: Wireshark's tcp.stream

	// Client opened the connection, according to a SYN. If there was none, Guessed is true and the
	// Server is the end with the lower port; the data may show otherwise.
	Client, Server netip.AddrPort
	Guessed        bool

	// Opened reports for each side whether its direction is known from the first byte on. If not,
	// the capture began later.
	Opened [2]bool

	// Start and Last are the times of the first packet and of the last so far.
	Start, Last time.Time

	Packets int

	// Carrier says what carries a connection that is not one of TCP, such as EAP-TLS in IEEE
	// 802.1X. Its Stream is negative. Names replace the addresses if it has none.
	Carrier string
	Names   [2]string

	// Facts are complete when the Handler's End is called.
	Facts Facts
}

// Facts are properties of a connection that its packets show and its bytes do not.
type Facts struct {
	Packets [2]int    // of each side
	Endings [2]Ending // how each side ended its direction
	First   iana.Side // who ended it first, if anybody did
	Cut     int       // packets whose payload was not captured whole
	Snaplen int       // bytes captured of the longest of these packets
}

// Ended reports whether a side ended the connection within the capture.
func (f *Facts) Ended() bool { return f.Endings[0] != NotEnded || f.Endings[1] != NotEnded }

// Ending is how a side ended its direction of a connection.
type Ending int

// The endings.
const (
	NotEnded Ending = iota // within the capture
	EndedFIN
	EndedRST
)

func (e Ending) String() string { return [...]string{"not ended", "FIN", "RST"}[e] }

// Assembler reassembles TCP connections. Memory grows with the open connections, within Limits. Of
// the 16,384 connections that ended last it keeps a few hundred bytes each, so that a late packet
// does not begin a new one.
//
// Where segments overlap and differ, the first copy of a byte wins, as in most receivers. An
// attacker who knows the receiver better can make it see other bytes than the Assembler, but not
// bytes that TLS authenticates. A missing segment is awaited until the connection ends or Limits
// are reached; then it is a Gap.
type Assembler struct {
	// New is called when a connection's first byte, or gap, is known, and returns its Handler, or
	// nil to ignore the connection.
	New func(*Connection) Handler

	// Limits bound the memory. They are read at the first packet.
	Limits Limits

	decoder decoder
	table   map[tuple]*connection
	last    *connection // found last, since packets come in bursts
	streams int
	packets int

	open    queue[*connection] // in the order of their last packets
	closing queue[*connection] // in the order of the packets that closed them
	ended   queue[*connection]
	holes   queue[*lane] // directions that wait, longest first
	waiting int          // bytes in all lanes
	copies  int          // bytes of copies in all lanes
	eaps    eapTable
}

// tuple identifies a connection regardless of direction: a is the lesser end.
type tuple struct {
	a, b endpoint
	v6   bool
}

// connection is a Connection with the state of its reassembly.
type connection struct {
	Connection
	key     tuple
	lanes   [2]lane // of a and of b
	side    [2]iana.Side
	handler Handler
	state   state
	closed  int // number of the packet that closed it
	link    links[*connection]
	handled bool // New was called
	ender   int  // the lane that ended first
}

type state uint8

const (
	isOpen    state = iota
	isClosing       // a RST or both FINs came; earlier packets may still come late
	hasEnded        // End was called
)

const (
	// lingering is for how many packets of the capture a closed connection waits for missing bytes.
	lingering = 1 << 16
	// remembering is how many ended connections keep their number.
	remembering = 1 << 14
)

// Add takes the next packet of the capture. An error says that packets of its link type cannot be
// decoded; the packet is ignored, as is everything else that has neither TCP nor EAP. See Skipped.
func (a *Assembler) Add(p Packet) error {
	if a.table == nil {
		a.table = map[tuple]*connection{}
		a.Limits = a.Limits.withDefaults()
		a.decoder.fragments.limit = a.Limits.Fragments
	}
	a.packets++
	for c := a.closing.first(); c != nil && a.packets-c.closed > lingering; c = a.closing.first() {
		a.end(c)
	}
	what, err := a.decoder.decode(&p)
	switch what {
	case nothing:
		return err
	case anEAP:
		a.eap(p.Time)
		return nil
	}
	s := &a.decoder.segment
	k, from := tuple{s.src, s.dst, s.v6}, 0
	if less(&s.dst, &s.src) {
		k, from = tuple{s.dst, s.src, s.v6}, 1
	}
	c := a.find(k, from, s)
	c.Last = p.Time
	if c.Packets++; c.Packets == 1 {
		c.Start = p.Time
	}
	if c.state == hasEnded {
		return nil
	}
	c.count(from, s, &p)
	a.segment(c, from, s)
	return nil
}

// count records the facts that a packet shows.
func (c *connection) count(from int, s *segment, p *Packet) {
	l := &c.lanes[from]
	l.packets++
	if s.cut > 0 {
		c.Facts.Cut++
		c.Facts.Snaplen = max(c.Facts.Snaplen, len(p.Data))
	}
	if s.flags&(flagFIN|flagRST) == 0 || l.ending != NotEnded {
		return
	}
	if c.lanes[1-from].ending == NotEnded {
		c.ender = from
	}
	l.ending = EndedFIN
	if s.flags&flagRST != 0 {
		l.ending = EndedRST
	}
}

// facts completes the facts, once it is known which end is the client.
func (c *connection) facts() {
	for i := range c.lanes {
		c.Facts.Packets[c.side[i]] = c.lanes[i].packets
		c.Facts.Endings[c.side[i]] = c.lanes[i].ending
	}
	c.Facts.First = c.side[c.ender]
}

// Close ends all connections.
func (a *Assembler) Close() {
	for _, q := range []*queue[*connection]{&a.closing, &a.open} {
		for c := q.first(); c != nil; c = q.first() {
			a.end(c)
		}
	}
	for c := a.eaps.open.first(); c != nil; c = a.eaps.open.first() {
		a.eaps.end(c)
	}
	a.table, a.last, a.ended = nil, nil, queue[*connection]{}
}

// find returns the connection of a segment, which it creates for the first.
func (a *Assembler) find(k tuple, from int, s *segment) *connection {
	c := a.last
	if c == nil || c.key != k {
		c = a.table[k]
	}
	if c != nil && s.flags&(flagSYN|flagACK) == flagSYN && c.lanes[from].reopened(s.seq+1) {
		a.end(c)
		a.forget(c)
		c = nil
	}
	if c == nil {
		c = a.start(k, from, s)
	}
	a.last = c
	if c.state == isOpen && a.open.tail != c {
		a.open.remove(c)
		a.open.push(c)
	}
	return c
}

func (a *Assembler) start(k tuple, from int, s *segment) *connection {
	c := &connection{key: k}
	c.Stream = a.streams
	a.streams++
	for i := range c.lanes {
		c.lanes[i].conn = c
	}
	c.Guessed = true
	client := from
	if k.a.port != k.b.port {
		client = 0 // the higher port is the client's
		if k.a.port < k.b.port {
			client = 1
		}
	}
	c.orient(client)
	a.table[k] = c
	a.open.push(c)
	if a.open.n > a.Limits.Connections {
		a.end(a.open.first())
	}
	return c
}

// orient sets which end is the client. It does not change after New was called.
func (c *connection) orient(client int) {
	c.side[client], c.side[1-client] = iana.Client, iana.Server
	ends := [2]endpoint{c.key.a, c.key.b}
	c.Client, c.Server = ends[client].addrPort(c.key.v6), ends[1-client].addrPort(c.key.v6)
}

// segment processes a segment of a connection that has not ended.
func (a *Assembler) segment(c *connection, from int, s *segment) {
	mine, theirs := &c.lanes[from], &c.lanes[1-from]
	seq := s.seq
	if s.flags&flagSYN != 0 {
		if c.Guessed && !c.handled {
			client := from
			if s.flags&flagACK != 0 {
				client = 1 - from
			}
			c.orient(client)
			c.Guessed = false
		}
		seq++ // RFC 9293 §3.4: SYN and FIN count as a byte
		a.begin(mine, seq)
		if s.flags&flagACK != 0 {
			a.begin(theirs, s.ack)
		}
	}
	if s.flags&flagACK != 0 {
		a.acknowledge(theirs, s.ack)
	}
	if ignored := c.handled && c.handler == nil; !ignored && len(s.data)+s.cut > 0 {
		a.insert(mine, seq, s)
	}
	if s.flags&flagFIN != 0 {
		mine.finish(seq + uint32(len(s.data)+s.cut))
	}
	switch {
	case c.lanes[0].done() && c.lanes[1].done():
		a.end(c)
	case c.state == isOpen && (s.flags&flagRST != 0 || c.lanes[0].finished && c.lanes[1].finished):
		a.open.remove(c)
		c.state, c.closed = isClosing, a.packets
		a.closing.push(c)
	}
}

// end gives up what is missing and calls the Handler's End.
func (a *Assembler) end(c *connection) {
	switch c.state {
	case isOpen:
		a.open.remove(c)
	case isClosing:
		a.closing.remove(c)
	case hasEnded:
		return
	}
	for i := range c.lanes {
		a.flush(&c.lanes[i])
	}
	c.state = hasEnded
	c.facts()
	if c.handler != nil {
		c.handler.End()
		c.handler = nil
	}
	a.ended.push(c)
	if a.ended.n > remembering {
		a.forget(a.ended.first())
	}
}

// forget removes c, so that the next packet between its ends begins a new connection.
func (a *Assembler) forget(c *connection) {
	a.ended.remove(c)
	if a.table[c.key] == c {
		delete(a.table, c.key)
	}
	if a.last == c {
		a.last = nil
	}
}

// bytes and gap pass what comes next in a lane to the Handler.
func (a *Assembler) bytes(l *lane, b []byte) {
	if h := a.handlerOf(l.conn); h != nil {
		h.Bytes(l.side(), l.conn.Last, b)
	}
}

func (a *Assembler) gap(l *lane, n int64) {
	if h := a.handlerOf(l.conn); h != nil {
		h.Gap(l.side(), n)
	}
}

func (a *Assembler) handlerOf(c *connection) Handler {
	if !c.handled {
		c.handled = true
		for i := range c.lanes {
			c.Opened[c.side[i]] = c.lanes[i].opened
		}
		if a.New != nil {
			c.handler = a.New(&c.Connection)
		}
	}
	return c.handler
}

func less(x, y *endpoint) bool {
	for i := range x.addr {
		if x.addr[i] != y.addr[i] {
			return x.addr[i] < y.addr[i]
		}
	}
	return x.port < y.port
}

func (e endpoint) addrPort(v6 bool) netip.AddrPort {
	if v6 {
		return netip.AddrPortFrom(netip.AddrFrom16(e.addr), e.port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(e.addr[:4])), e.port)
}
