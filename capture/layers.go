package capture

import "net/netip"

// Decoding finds the TCP segment, or the EAP packet, in a packet. The layers are read in place,
// without copies or allocations, unless IP datagrams come in fragments. See links.go for what a
// layer is.

// endpoint is an address and a port. IPv4 addresses are in the first 4 bytes.
type endpoint struct {
	addr [16]byte
	port uint16
}

func (e endpoint) addrPort(v6 bool) netip.AddrPort {
	if v6 {
		return netip.AddrPortFrom(netip.AddrFrom16(e.addr), e.port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(e.addr[:4])), e.port)
}

// segment is the TCP segment of one packet.
type segment struct {
	src, dst endpoint
	v6       bool
	flags    uint8
	seq, ack uint32
	data     []byte // what was captured of the payload
	cut      int    // how many bytes of the payload after data were not captured
}

// The flags of RFC 9293 §3.1.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// part is a layer with its payload: the captured bytes, and the length on the wire.
type part struct {
	b      []byte
	length int
}

// from removes the first n bytes, which must have been captured.
func (p part) from(n int) part { return part{p.b[n:], p.length - n} }

// to limits a layer to n bytes; what follows is padding.
func (p part) to(n int) part {
	return part{p.b[:min(n, len(p.b))], min(n, p.length)}
}

// sum continues the Internet checksum, whose complement is sent. Only the last part may have an odd
// length. See RFC 1071 §1.
func sum(start uint16, b []byte) uint16 {
	n := uint32(start)
	for ; len(b) >= 2; b = b[2:] {
		n += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		n += uint32(b[0]) << 8
	}
	for n > 0xFFFF {
		n = n>>16 + n&0xFFFF
	}
	return uint16(n)
}
