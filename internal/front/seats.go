package front

import (
	"net"
	"net/netip"
)

// The limits of what connections whose handshake is not done may cost together. Each counts 8 KiB,
// 12 KiB more once a record has begun, because then there is a handshake, and 2 bytes for each byte
// received, because incomplete messages are in buffers that grow. TestAFloodOfHelloBytesIsBounded
// and TestHalfOpenConnectionsCostLittle measure what it is.
const (
	idleWeight  = 8 << 10
	begunWeight = 12 << 10
	byteWeight  = 2
	maxWeight   = 60 << 20
)

// seats counts connections. The server's lock guards it.
type seats struct {
	max, perAddr int
	taken        int
	byAddr       map[string]int
	waiting      []*guest // those whose handshake is not done, the oldest first
	weight       int      // what waiting may cost, in bytes
}

func newSeats(all, perAddr int) seats {
	if perAddr == 0 {
		perAddr = max(8, all/8)
	}
	return seats{max: all, perAddr: perAddr, byAddr: map[string]int{}}
}

// short reports whether three quarters of all seats (connections of MaxConns) are taken.
func (s *seats) short() bool { return s.taken >= s.max-s.max/4 }

// oldest returns the connection whose handshake has taken the longest, of one address or, with an
// empty addr, of all.
func (s *seats) oldest(addr string) *guest {
	for _, g := range s.waiting {
		if addr == "" || g.addr == addr {
			return g
		}
	}
	return nil
}

// admit gives g a seat, or returns why not. When seats are short, an address may have PerAddr of
// them. To make room, it closes the oldest connection whose handshake is not done: of that address
// if it has its share, otherwise of all. The lock must be held.
func (s *Server) admit(g *guest) error {
	if s.seats.short() && s.seats.byAddr[g.addr] >= s.seats.perAddr {
		own := s.seats.oldest(g.addr)
		if own == nil {
			return ErrShare
		}
		s.sendAway(own)
	}
	if s.seats.taken >= s.seats.max {
		oldest := s.seats.oldest("")
		if oldest == nil {
			return ErrFull
		}
		s.sendAway(oldest)
	}
	s.guests[g] = true
	s.seats.taken++
	s.seats.byAddr[g.addr]++
	g.waits = true
	s.seats.waiting = append(s.seats.waiting, g)
	s.weigh(g, idleWeight)
	return nil
}

// release frees a connection's seat. The lock must be held.
func (s *Server) release(g *guest) {
	s.forget(g)
	if !s.guests[g] {
		return
	}
	delete(s.guests, g)
	s.seats.taken--
	if s.seats.byAddr[g.addr]--; s.seats.byAddr[g.addr] == 0 {
		delete(s.seats.byAddr, g.addr)
	}
}

// sendAway closes a connection whose handshake is not done. The lock must be held.
func (s *Server) sendAway(g *guest) {
	g.away = true
	s.release(g)
	g.cut()
}

// weigh adds to the cost of a connection whose handshake is not done, and closes the oldest ones
// while all together exceed the limit. The lock must be held.
func (s *Server) weigh(g *guest, n int) {
	g.weight += n
	s.seats.weight += n
	for s.seats.weight > maxWeight && len(s.seats.waiting) > 0 {
		s.sendAway(s.seats.waiting[0])
	}
}

// forget removes a connection from those whose handshake is not done. The lock must be held.
func (s *Server) forget(g *guest) {
	if !g.waits {
		return
	}
	g.waits = false
	s.seats.weight -= g.weight
	for i, other := range s.seats.waiting {
		if other == g {
			s.seats.waiting = append(s.seats.waiting[:i], s.seats.waiting[i+1:]...)
			return
		}
	}
}

// AddressKey returns what counts as one address: an IPv4 address, or the /64 network of an IPv6
// address, all of whose addresses are usually one host's.
func AddressKey(a net.Addr) string {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := p.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
