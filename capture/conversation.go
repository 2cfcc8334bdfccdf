package capture

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// What the segments look like. Every burst is acknowledged, so that no window ever seems full.
const (
	linkMTU = 1500
	window  = 65535
	burst   = 16      // segments
	maxWait = 1 << 20 // bytes of packets that wait for their secrets
)

// Connection begins a TCP connection. If an address is not valid, or they are of different
// families, both are replaced by addresses reserved for documentation (RFC 5737). A port 0 becomes
// 443 for the server and one from 49152 on for the client.
func (w *Writer) Connection(client, server netip.AddrPort) *Conversation {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun++
	return newConversation(w, w.begun, client, server)
}

func newConversation(w *Writer, n int, client, server netip.AddrPort) *Conversation {
	client, server = usable(client), usable(server)
	if client.Addr().Is6() != server.Addr().Is6() || !client.IsValid() || !server.IsValid() {
		client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), client.Port())
		server = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), server.Port())
	}
	if client.Port() == 0 {
		client = netip.AddrPortFrom(client.Addr(), uint16(49152+(n-1)%16384))
	}
	if server.Port() == 0 {
		server = netip.AddrPortFrom(server.Addr(), 443)
	}
	c := &Conversation{w: w, v6: client.Addr().Is6()}
	// Initial sequence numbers must differ if ports are reused.
	first := uint32(n) << 20
	c.ends[iana.Client] = end{addr: client, seq: first}
	c.ends[iana.Server] = end{addr: server, seq: first + 1<<19}
	return c
}

// usable converts an IPv4 address mapped into IPv6 to IPv4, and removes a zone.
func usable(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// Send writes bytes that a side sent at this time. The zero time means the Writer's clock. A time
// before the last one is replaced by the last one: packets are in the order of the calls.
func (c *Conversation) Send(from iana.Side, at time.Time, b []byte) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if len(b) == 0 || c.ends[from].finished {
		return c.w.err
	}
	c.advance(at)
	c.open()
	mss := c.mss()
	for n := 1; len(b) > 0; n++ {
		size := min(len(b), mss)
		flags := uint8(flagACK)
		if size == len(b) {
			flags |= flagPSH
		}
		c.writeSegment(from, flags, b[:size])
		b = b[size:]
		if n%burst == 0 || len(b) == 0 {
			c.writeSegment(from.Peer(), flagACK, nil)
		}
	}
	return c.w.flush()
}

// Finish writes the FIN of a side, after which Send ignores its data.
func (c *Conversation) Finish(from iana.Side, at time.Time) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if !c.ends[from].finished {
		c.advance(at)
		c.open()
		c.finish(from)
	}
	if c.ends[from.Peer()].finished {
		c.release()
	}
	return c.w.flush()
}

// Close writes a FIN of each side that has not sent one, the client's first.
func (c *Conversation) Close() error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.ends[iana.Client].finished && c.ends[iana.Server].finished {
		return c.w.err
	}
	c.advance(time.Time{})
	c.open()
	c.finish(iana.Client)
	c.finish(iana.Server)
	c.release()
	return c.w.flush()
}

func (c *Conversation) finish(from iana.Side) {
	if e := &c.ends[from]; !e.finished {
		c.writeSegment(from, flagFIN|flagACK, nil)
		e.finished = true
		c.writeSegment(from.Peer(), flagACK, nil)
	}
}

// advance sets the time of the packets to come.
func (c *Conversation) advance(at time.Time) {
	if at.IsZero() {
		at = c.w.now()
	}
	if at.After(c.last) {
		c.last = at
	}
}

// open writes the three-way handshake of RFC 9293 §3.5.
func (c *Conversation) open() {
	if c.opened {
		return
	}
	c.opened = true
	c.netif = c.w.describe(LinkRaw)
	if c.w.options.HoldsSecrets {
		c.waiting = true
		c.w.held = append(c.w.held, c)
	}
	c.writeSegment(iana.Client, flagSYN, nil)
	c.writeSegment(iana.Server, flagSYN|flagACK, nil)
	c.writeSegment(iana.Client, flagACK, nil)
}

// mss returns the most bytes that one segment carries.
func (c *Conversation) mss() int {
	if c.v6 {
		return linkMTU - 40 - 20
	}
	return linkMTU - 20 - 20
}

// writeSegment writes one segment.
func (c *Conversation) writeSegment(from iana.Side, flags uint8, data []byte) {
	var scratch [linkMTU]byte
	b := c.segment(scratch[:0], from, flags, data)
	me := &c.ends[from]
	me.seq += uint32(len(data))
	if flags&(flagSYN|flagFIN) != 0 {
		me.seq++
	}
	p := Packet{Time: c.last, Data: b}
	if !c.waiting {
		c.w.buf = packetBlock(c.w.buf, c.netif, p)
		return
	}
	if c.held = packetBlock(c.held, c.netif, p); len(c.held) > maxWait {
		c.release()
	}
}

// segment appends an IP datagram with one TCP segment. See RFC 791 §3.1, RFC 8200 §3 and RFC 9293
// §3.1.
func (c *Conversation) segment(b []byte, from iana.Side, flags uint8, data []byte) []byte {
	me, peer := &c.ends[from], &c.ends[from.Peer()]
	var options []byte
	if flags&flagSYN != 0 {
		// Maximum segment size: RFC 9293 §3.7.1.
		options = binary.BigEndian.AppendUint16([]byte{2, 4}, uint16(c.mss()))
	}
	size := 20 + len(options) + len(data)
	be := binary.BigEndian
	srcAddr, dstAddr := me.addr.Addr().As16(), peer.addr.Addr().As16()
	src, dst := srcAddr[:], dstAddr[:]
	if c.v6 {
		b = append(b, 0x60, 0, 0, 0)
		b = be.AppendUint16(b, uint16(size))
		b = append(b, protoTCP, 64)
		b = append(append(b, src...), dst...)
	} else {
		src, dst = src[12:], dst[12:]
		b = append(b, 0x45, 0)
		b = be.AppendUint16(b, uint16(20+size))
		// "Don't fragment", so that no identification is needed: RFC 6864 §4.1.
		b = append(b, 0, 0, 0x40, 0, 64, protoTCP, 0, 0)
		b = append(append(b, src...), dst...)
		be.PutUint16(b[10:], ^sum(0, b))
	}
	at := len(b)
	b = be.AppendUint16(b, me.addr.Port())
	b = be.AppendUint16(b, peer.addr.Port())
	b = be.AppendUint32(b, me.seq)
	if flags&flagACK != 0 {
		b = be.AppendUint32(b, peer.seq)
	} else {
		b = be.AppendUint32(b, 0)
	}
	b = append(b, byte(20+len(options))<<2, flags)
	b = be.AppendUint16(b, window)
	b = append(b, 0, 0, 0, 0)
	b = append(append(b, options...), data...)
	pseudo := sum(sum(sum(protoTCP, src), dst), []byte{byte(size >> 8), byte(size)})
	be.PutUint16(b[at+16:], ^sum(pseudo, b[at:]))
	return b
}
