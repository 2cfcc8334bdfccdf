package capture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
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

func less(x, y *endpoint) bool {
	for i := range x.addr {
		if x.addr[i] != y.addr[i] {
			return x.addr[i] < y.addr[i]
		}
	}
	return x.port < y.port
}

// Skipped counts packets of one kind that were not read.
type Skipped struct {
	What    string // "UDP to port 443: QUIC, which Vitrine does not read"
	Packets int
}

// Skipped returns what the packets were in which no TCP segment was found, the most frequent first.
func (a *Assembler) Skipped() []Skipped {
	var list []Skipped
	for k, n := range a.decoder.skipped {
		what := k.what
		if strings.Contains(what, "%") {
			what = fmt.Sprintf(what, k.n)
		}
		list = append(list, Skipped{what, n})
	}
	slices.SortFunc(list, func(x, y Skipped) int {
		return cmp.Or(cmp.Compare(y.Packets, x.Packets), cmp.Compare(x.What, y.What))
	})
	return list
}
