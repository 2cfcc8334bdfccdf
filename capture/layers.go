package capture

import (
	"encoding/binary"
	"fmt"
)

// Decoding finds the TCP segment in a packet. The layers are read in place, without copies or
// allocations, unless IP datagrams come in fragments.

// endpoint is an address and a port. IPv4 addresses are in the first 4 bytes.
type endpoint struct {
	addr [16]byte
	port uint16
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

// The EtherTypes that matter.
const (
	etherIPv4     = 0x0800
	etherVLAN     = 0x8100 // IEEE 802.1Q
	etherIPv6     = 0x86DD
	etherQinQ     = 0x88A8 // IEEE 802.1ad
	etherQinQOld  = 0x9100 // used before 802.1ad
	etherMPLS     = 0x8847
	etherPPPoE    = 0x8864
	pppIPv4       = 0x0021
	pppIPv6       = 0x0057
	linuxLoopback = 772 // ARPHRD_LOOPBACK, in Linux cooked captures
)

// The protocol numbers that matter. Those of IPv6 extension headers are in RFC 8200 §4.1.
const (
	protoHopByHop = 0
	protoIPv4     = 4
	protoTCP      = 6
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoOptions  = 60
	protoMobility = 135
)

// maxTunnels bounds the nesting of IP in IP.
const maxTunnels = 4

// decoder keeps the fragments of IP datagrams between packets.
type decoder struct{ fragments fragments }

// decode returns the TCP segment of a packet; ok is false if there is none. An error means that
// packets of this link type cannot be decoded.
func (d *decoder) decode(p *Packet) (s segment, ok bool, err error) {
	frame := part{p.Data, max(p.Length, len(p.Data))}
	ip, version, err := network(p.Link, frame)
	if err != nil || version == 0 {
		return segment{}, false, err
	}
	for range maxTunnels {
		var proto uint8
		switch version {
		case 4:
			ip, proto, ok = d.ipv4(ip, &s)
		case 6:
			ip, proto, ok = d.ipv6(ip, &s)
		}
		if !ok {
			return segment{}, false, nil
		}
		switch proto {
		case protoTCP:
			return s, tcp(ip, &s), nil
		case protoIPv4:
			version = 4
		case protoIPv6:
			version = 6
		default:
			return segment{}, false, nil
		}
	}
	return segment{}, false, nil
}

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

// network finds the IP datagram in a frame. version is 0 if the frame carries something else.
func network(link LinkType, p part) (ip part, version int, err error) {
	header, kind := 0, 0 // where the network layer begins and where its EtherType is
	switch link {
	case LinkEthernet:
		header, kind = 14, 12
	case LinkSLL:
		header, kind = 16, 14
	case LinkSLL2:
		header, kind = 20, 0
	case LinkNull, LinkLoop:
		// The numbers of address families differ between systems; the datagram has its version.
		header = 4
	case LinkRaw, LinkRawBSD, LinkRawOpen, LinkIPv4, LinkIPv6:
	default:
		return part{}, 0, fmt.Errorf("capture: packets of %v are not understood", link)
	}
	if len(p.b) < header {
		return part{}, 0, nil
	}
	if header <= 4 {
		ip, version = byVersion(p.from(header))
		return ip, version, nil
	}
	ip, version = byEtherType(binary.BigEndian.Uint16(p.b[kind:]), p.from(header))
	return ip, version, nil
}

// byVersion determines the version by the first four bits of a datagram.
func byVersion(p part) (part, int) {
	if len(p.b) > 0 {
		if v := int(p.b[0] >> 4); v == 4 || v == 6 {
			return p, v
		}
	}
	return part{}, 0
}

// byEtherType skips VLAN tags, MPLS labels and PPPoE headers.
func byEtherType(t uint16, p part) (part, int) {
	for {
		switch t {
		case etherIPv4:
			return p, 4
		case etherIPv6:
			return p, 6
		case etherVLAN, etherQinQ, etherQinQOld:
			if len(p.b) < 4 {
				return part{}, 0
			}
			t, p = binary.BigEndian.Uint16(p.b[2:]), p.from(4)
		case etherMPLS:
			for {
				if len(p.b) < 4 {
					return part{}, 0
				}
				bottom := p.b[2]&1 != 0
				if p = p.from(4); bottom {
					return byVersion(p)
				}
			}
		case etherPPPoE:
			if len(p.b) < 8 {
				return part{}, 0
			}
			switch binary.BigEndian.Uint16(p.b[6:]) {
			case pppIPv4:
				return p.from(8), 4
			case pppIPv6:
				return p.from(8), 6
			}
			return part{}, 0
		default:
			return part{}, 0
		}
	}
}

// ipv4 reads an IPv4 header and returns its payload and protocol. See RFC 791 §3.1.
func (d *decoder) ipv4(p part, s *segment) (part, uint8, bool) {
	if len(p.b) < 20 || p.b[0]>>4 != 4 {
		return part{}, 0, false
	}
	h := p.b
	header, total := int(h[0]&15)*4, int(binary.BigEndian.Uint16(h[2:]))
	if total == 0 { // the network card will segment it
		total = p.length
	}
	if header < 20 || total < header || len(h) < header {
		return part{}, 0, false
	}
	s.v6 = false
	s.src.addr, s.dst.addr = [16]byte{}, [16]byte{}
	copy(s.src.addr[:], h[12:16])
	copy(s.dst.addr[:], h[16:20])
	proto, body := h[9], p.to(total).from(header)
	frag := binary.BigEndian.Uint16(h[6:])
	if frag&0x3FFF == 0 { // neither "more fragments" nor an offset
		return body, proto, true
	}
	k := datagram{src: s.src.addr, dst: s.dst.addr, id: uint32(binary.BigEndian.Uint16(h[4:])),
		proto: proto}
	whole, ok := d.fragments.add(k, int(frag&0x1FFF)*8, frag&0x2000 != 0, body)
	return whole, proto, ok
}

// ipv6 reads an IPv6 header with its extension headers and returns the payload and protocol. See
// RFC 8200 §3 and §4.
func (d *decoder) ipv6(p part, s *segment) (part, uint8, bool) {
	if len(p.b) < 40 || p.b[0]>>4 != 6 {
		return part{}, 0, false
	}
	h := p.b
	total := int(binary.BigEndian.Uint16(h[4:]))
	if total == 0 { // a jumbogram, or the network card will segment it
		total = p.length - 40
	}
	s.v6 = true
	copy(s.src.addr[:], h[8:24])
	copy(s.dst.addr[:], h[24:40])
	next, body := h[6], p.from(40).to(total)
	for {
		size := 8
		switch next {
		case protoHopByHop, protoRouting, protoOptions, protoMobility:
			if len(body.b) >= 2 {
				size += int(body.b[1]) * 8
			}
		case protoAH:
			if len(body.b) >= 2 {
				size = (int(body.b[1]) + 2) * 4 // RFC 4302 §2.2
			}
		case protoFragment:
		default:
			return body, next, true
		}
		if size < 8 || len(body.b) < size {
			return part{}, 0, false
		}
		ext := body.b[:size]
		this := next
		next, body = ext[0], body.from(size)
		if this != protoFragment {
			continue
		}
		if frag := binary.BigEndian.Uint16(ext[2:]); frag&0xFFF9 != 0 {
			k := datagram{src: s.src.addr, dst: s.dst.addr, v6: true,
				id: binary.BigEndian.Uint32(ext[4:]), proto: next}
			whole, ok := d.fragments.add(k, int(frag&0xFFF8), frag&1 != 0, body)
			if !ok {
				return part{}, 0, false
			}
			body = whole
		}
	}
}

// tcp reads a TCP header and reports whether it is valid. See RFC 9293 §3.1.
func tcp(p part, s *segment) bool {
	if len(p.b) < 20 {
		return false
	}
	h := p.b
	s.src.port, s.dst.port = binary.BigEndian.Uint16(h), binary.BigEndian.Uint16(h[2:])
	s.seq, s.ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	s.flags = h[13]
	header := int(h[12]>>4) * 4
	if header < 20 || header > p.length {
		return false
	}
	s.data = h[min(header, len(h)):]
	s.cut = p.length - header - len(s.data)
	return true
}
