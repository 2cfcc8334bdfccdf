package front

import (
	"net"
	"net/netip"
)

// The bounds of what those may cost together that have not shaken hands. A connection that says
// nothing is counted with 20 KiB, and each byte that it sends with two: what is not a whole message
// yet lies in buffers that grow. TestAFloodOfHelloBytesIsBounded measures the sum.
const (
	idleWeight = 20 << 10
	byteWeight = 2
	maxWeight  = 60 << 20
)

// seats counts who is here. The server's lock guards it.
type seats struct {
	max, perAddr int
	taken        int
	byAddr       map[string]int
	waiting      []*guest // those that have not shaken hands, the oldest first
	weight       int      // what the waiting ones may cost, in bytes
}

func newSeats(all, perAddr int) seats {
	if perAddr == 0 {
		perAddr = max(8, all/8)
	}
	return seats{max: all, perAddr: perAddr, byAddr: map[string]int{}}
}

// short reports whether three quarters of all seats are taken.
func (s *seats) short() bool { return s.taken >= s.max-s.max/4 }

// oldest returns who has been shaking hands for the longest time, of one address or of all.
func (s *seats) oldest(addr string) *guest {
	for _, g := range s.waiting {
		if addr == "" || g.addr == addr {
			return g
		}
	}
	return nil
}

// admit gives g a seat, or says why not. When seats are short, and only then, an address may have
// PerAddr of them. Who makes room has not shaken hands: the oldest of the address that has too
// many, or of all. It needs the lock.
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

// release takes a connection's seat back. It needs the lock.
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

// sendAway cuts a connection that has not shaken hands. It needs the lock.
func (s *Server) sendAway(g *guest) {
	g.away = true
	s.release(g)
	g.cut()
}

// weigh adds to what a waiting connection costs, and sends away the oldest if all together cost too
// much. It needs the lock.
func (s *Server) weigh(g *guest, n int) {
	g.weight += n
	s.seats.weight += n
	for s.seats.weight > maxWeight && len(s.seats.waiting) > 0 {
		s.sendAway(s.seats.waiting[0])
	}
}

// forget takes a connection off the list of the waiting. It needs the lock.
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

// addrOf returns what counts as one address: an IPv4 address, or the 64 bits of an IPv6 address
// that name a network, since whoever has one such address has them all.
func addrOf(a net.Addr) string {
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
