package capture

import "github.com/vitrine-tls/vitrine/iana"

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

// eapTable has the EAP conversations.
type eapTable struct {
	byMAC   map[[6]byte]*eapConversation // of 802.1X and PPP, by the client's
	byState map[string]*eapConversation
	byID    map[radiusKey]*eapConversation
	open    queue[*eapConversation] // in the order of their last packets
	n       int
}

// radiusKey finds the conversation of the answer to a RADIUS packet.
type radiusKey struct {
	client, server endpoint
	id             byte
}

// eapConversation is the EAP packets between a peer, which is the client, and an authenticator.
type eapConversation struct {
	Connection
	carrier string
	mac     [6]byte // of the client
	state   string
	key     radiusKey
	handler Handler
	last    [2]int // identifier of the last packet of a side, plus 1
	begun   bool   // it has bytes of TLS
	link    links[*eapConversation]
}

func (c *eapConversation) links() *links[*eapConversation] { return &c.link }

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

// A lane is one direction of a connection. Its sequence numbers are unwrapped to 64 bits, by their
// distance from the next byte, which a 32-bit number determines up to 2 GiB either way.
type lane struct {
	conn *connection

	next     uint64 // number of the byte that comes next
	first    uint32 // number of the first byte or, if not opened, the first number seen
	end      uint64 // number after the last byte, if finished
	opened   bool   // next was known from a SYN
	started  bool   // bytes may have been passed on, so that no earlier ones can be
	based    bool   // next has a meaning
	finished bool   // a FIN came
	ending   Ending // how it ended, by its first FIN or RST
	packets  int

	held []*piece // in order, disjoint, all after next (or, before started, around it)
	size int      // of memory in held

	copies []piece // of held bytes, with other contents
	link   links[*lane]
}

// piece is a run of bytes that wait or, if b is nil, of bytes that the capture does not have.
type piece struct {
	at   uint64
	b    []byte
	lost uint64
}

const (
	pieceSize = 64       // of memory, besides b
	maxPiece  = 64 << 10 // pieces that touch are joined up to this size
	maxHeld   = 1 << 12  // pieces: inserting at the front costs as much as there are
	maxBefore = 64 << 10 // bytes that wait for earlier ones when the capture has no SYN
	unwrapped = 1 << 33  // keeps numbers before the first one positive
)

func (p *piece) end() uint64 { return p.at + uint64(len(p.b)) + p.lost }

func (l *lane) links() *links[*lane] { return &l.link }

func (c *connection) links() *links[*connection] { return &c.link }

func (l *lane) side() iana.Side {
	if l == &l.conn.lanes[0] {
		return l.conn.side[0]
	}
	return l.conn.side[1]
}

const (
	isOpen    state = iota
	isClosing       // a RST or both FINs came; earlier packets may still come late
	hasEnded        // End was called
)

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
			c.Facts.Opened[c.side[i]] = c.lanes[i].opened
		}
		if a.New != nil {
			c.handler = a.New(&c.Connection)
		}
	}
	return c.handler
}
