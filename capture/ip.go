package capture

import "encoding/binary"

// The protocol numbers that are read. Those of IPv6 extension headers are in RFC 8200 §4.1.
const (
	protoHopByHop = 0
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoOptions  = 60
	protoEtherIP  = 97
	protoL2TP     = 115
	protoMobility = 135
	protoMPLS     = 137
	protoHIP      = 139
	protoShim6    = 140
	protoEthernet = 143
)

// protoNames names protocols that are not read.
var protoNames = map[uint8]string{1: "ICMP", 2: "IGMP", 33: "DCCP", 46: "RSVP",
	50: "ESP (IPsec), which the network encrypts", 58: "ICMPv6", 88: "EIGRP", 89: "OSPF",
	103: "PIM",
	108: "IPComp, which is compressed", 112: "VRRP",
	132: "SCTP, in which Vitrine does not read TLS or DTLS", 136: "UDP-Lite"}

// ipv4 reads an IPv4 header. See RFC 791 §3.1.
func ipv4(d *decoder, p part) (layer, part) {
	if len(p.b) < 20 {
		return d.short()
	}
	h, s := p.b, &d.segment
	header, total := int(h[0]&15)*4, int(binary.BigEndian.Uint16(h[2:]))
	if total == 0 { // the network card will segment it
		total = p.length
	}
	if h[0]>>4 != 4 || header < 20 || total < header {
		return d.skip("malformed IPv4", 0)
	}
	if len(h) < header {
		return d.short()
	}
	s.v6 = false
	s.src.addr, s.dst.addr = [16]byte{}, [16]byte{}
	copy(s.src.addr[:], h[12:16])
	copy(s.dst.addr[:], h[16:20])
	proto, body := h[9], p.to(total).from(header)
	frag := binary.BigEndian.Uint16(h[6:])
	if frag&0x3FFF == 0 { // neither "more fragments" nor an offset
		return d.protocol(proto, body)
	}
	k := datagram{src: s.src.addr, dst: s.dst.addr, id: uint32(binary.BigEndian.Uint16(h[4:])),
		proto: proto}
	whole, ok := d.fragments.add(k, int(frag&0x1FFF)*8, frag&0x2000 != 0, body)
	if !ok {
		return nil, part{}
	}
	return d.protocol(proto, whole)
}

// ipv6 reads an IPv6 header with its extension headers. See RFC 8200 §3 and §4.
func ipv6(d *decoder, p part) (layer, part) {
	if len(p.b) < 40 {
		return d.short()
	}
	h, s := p.b, &d.segment
	if h[0]>>4 != 6 {
		return d.skip("malformed IPv6", 0)
	}
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
		case protoHopByHop, protoRouting, protoOptions, protoMobility, protoHIP, protoShim6:
			if len(body.b) >= 2 {
				size += int(body.b[1]) * 8
			}
		case protoFragment:
		default:
			return d.protocol(next, body)
		}
		if len(body.b) < size {
			return d.short()
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
				return nil, part{}
			}
			body = whole
		}
	}
}

// protocol returns the layer for a protocol number of IP.
func (d *decoder) protocol(proto uint8, p part) (layer, part) {
	switch proto {
	case protoTCP:
		return tcp, p
	case protoUDP:
		return udp, p
	case protoIPv4:
		return ipv4, p
	case protoIPv6:
		return ipv6, p
	case protoGRE:
		return gre, p
	case protoAH:
		return authentication, p
	case protoEtherIP: // RFC 3378
		return after(2, ethernet), p
	case protoL2TP:
		return l2tpSession, p
	case protoMPLS: // RFC 4023
		return mpls, p
	case protoEthernet: // RFC 8986
		return ethernet, p
	}
	if name, ok := protoNames[proto]; ok {
		return d.skip(name, 0)
	}
	return d.skip("IP protocol %d", int(proto))
}

// authentication skips the header of RFC 4302 §2.
func authentication(d *decoder, p part) (layer, part) {
	if len(p.b) < 12 {
		return d.short()
	}
	n := (int(p.b[1]) + 2) * 4
	if len(p.b) < n {
		return d.short()
	}
	return d.protocol(p.b[0], p.from(n))
}

// gre reads Generic Routing Encapsulation with its key and sequence number, and PPTP's version of
// it. See RFC 2784, RFC 2890 and RFC 2637.
func gre(d *decoder, p part) (layer, part) {
	const checksum, routing, key, sequence, ack = 0x80, 0x40, 0x20, 0x10, 0x80 // ack in byte 1
	if len(p.b) < 4 {
		return d.short()
	}
	flags, version, proto := p.b[0], p.b[1]&7, binary.BigEndian.Uint16(p.b[2:])
	n := 4
	if flags&(checksum|routing) != 0 {
		n += 4
	}
	if flags&key != 0 {
		n += 4
	}
	if flags&sequence != 0 {
		n += 4
	}
	if version == 1 && p.b[1]&ack != 0 {
		n += 4
	}
	if len(p.b) < n {
		return d.short()
	}
	body := p.from(n)
	switch {
	case flags&routing != 0:
		return d.skip("GRE with source routes", 0)
	case proto == 0, version == 1 && proto == etherPPP && len(body.b) == 0:
		return d.skip("keep-alives of GRE", 0)
	case version == 1 && proto == 0x6400: // MikroTik's EoIP, whose key has the length
		return ethernet, body
	case proto == etherERSPAN && flags&sequence == 0: // type I has no header
		return ethernet, body
	}
	return d.etherType(proto, body)
}

// l2tpSession reads a session of L2TPv3, whose header both sides agreed on: the cookie of 0, 4 or 8
// bytes and the sublayer of 0 or 4 bytes are found by what follows. See RFC 3931.
func l2tpSession(d *decoder, p part) (layer, part) {
	if len(p.b) < 4 {
		return d.short()
	}
	if binary.BigEndian.Uint32(p.b) == 0 {
		return d.skip("control messages of L2TP", 0)
	}
	for n := 4; n <= 16 && n < len(p.b); n += 4 {
		switch q := p.from(n); {
		case plausibleFrame(q):
			return ethernet, q
		case plausibleDatagram(q):
			return datagramLayer, q
		case len(q.b) > 4 && q.b[0] == 0xFF && q.b[1] == 3:
			return ppp, q
		}
	}
	return d.skip("L2TPv3 sessions that carry neither Ethernet nor IP", 0)
}

// tcp reads a TCP header. See RFC 9293 §3.1.
func tcp(d *decoder, p part) (layer, part) {
	if len(p.b) < 20 {
		return d.short()
	}
	h, s := p.b, &d.segment
	s.src.port, s.dst.port = binary.BigEndian.Uint16(h), binary.BigEndian.Uint16(h[2:])
	s.seq, s.ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	s.flags = h[13]
	header := int(h[12]>>4) * 4
	if header < 20 || header > p.length {
		return d.skip("malformed TCP", 0)
	}
	s.data = h[min(header, len(h)):]
	s.cut = p.length - header - len(s.data)
	d.found = aSegment
	return nil, part{}
}

// datagramLayer determines the version of an IP datagram by its first four bits.
func datagramLayer(d *decoder, p part) (layer, part) {
	if len(p.b) == 0 {
		return d.short()
	}
	switch p.b[0] >> 4 {
	case 4:
		return ipv4, p
	case 6:
		return ipv6, p
	}
	return d.skip("no IP, where IP is expected", 0)
}
