package capture

import "encoding/binary"

// udpLayers has the protocols of UDP that carry other packets, by port.
var udpLayers map[uint16]layer

func init() { // the layers refer to the table
	udpLayers = map[uint16]layer{
		1701: l2tp,                 // RFC 2661
		1812: radius, 1645: radius, // RFC 2865; 1645 is the older port
		2152:  gtp,                     // 3GPP TS 29.281
		3544:  teredo,                  // RFC 4380
		4341:  after(8, datagramLayer), // LISP, RFC 9300
		4754:  gre,                     // RFC 8086
		4789:  vxlan,                   // RFC 7348
		8472:  vxlan,                   // Linux's default
		4790:  vxlanGPE,
		5247:  capwap,              // RFC 5415
		6080:  gue,                 // draft-ietf-intarea-gue
		6081:  geneve,              // RFC 8926
		6635:  mpls,                // RFC 7510
		7932:  after(12, ethernet), // HP's mirrored ports
		37008: tzsp,
	}
}

// udpNames names the protocols that are not read, by port.
var udpNames = map[uint16]string{
	53: "UDP to port %d (DNS)", 67: "UDP to port %d (DHCP)", 68: "UDP to port %d (DHCP)",
	123: "UDP to port %d (NTP)", 137: "UDP to port %d (NetBIOS)",
	138: "UDP to port %d (NetBIOS)", 161: "UDP to port %d (SNMP)",
	443: quicName, 500: "UDP to port %d (IKE)",
	1194:  "UDP to port %d: OpenVPN, whose TLS Vitrine does not read",
	1813:  "UDP to port %d (RADIUS accounting)",
	1900:  "UDP to port %d (SSDP)",
	3478:  "UDP to port %d (STUN)",
	4500:  "UDP to port %d: IPsec, which the network encrypts",
	5246:  "UDP to port %d: CAPWAP's control channel (DTLS), which Vitrine does not read",
	5353:  "UDP to port %d (mDNS)",
	5355:  "UDP to port %d (LLMNR)",
	6343:  "UDP to port %d: sFlow, which has samples of packets only",
	51820: "UDP to port %d: WireGuard, which the network encrypts",
}

const (
	quicName = "UDP to port %d: QUIC, which Vitrine does not read"
	dtlsName = "UDP to port %d: DTLS, which Vitrine does not read"
	udpName  = "UDP to port %d"
)

// maxKnownPorts bounds the ports that are remembered for QUIC or DTLS.
const maxKnownPorts = 64

// udp reads a UDP header and finds what it carries: by its port, or by how it begins.
func udp(d *decoder, p part) (layer, part) {
	if len(p.b) < 8 {
		return d.short()
	}
	src, dst := binary.BigEndian.Uint16(p.b), binary.BigEndian.Uint16(p.b[2:])
	n := int(binary.BigEndian.Uint16(p.b[4:]))
	d.segment.src.port, d.segment.dst.port = src, dst
	if n >= 8 {
		p = p.to(n)
	}
	p = p.from(8)
	for _, port := range []uint16{dst, src} {
		if next, ok := udpLayers[port]; ok {
			return next, p
		}
	}
	port := min(src, dst)
	for _, q := range []uint16{dst, src} {
		if udpNames[q] != "" || d.ports[q] != "" {
			port = q
			break
		}
	}
	switch name := secured(p.b); {
	case name != "":
		if d.ports[port] == "" && len(d.ports) < maxKnownPorts {
			if d.ports == nil {
				d.ports = map[uint16]string{}
			}
			d.ports[port] = name
		}
		return d.skip(name, int(port))
	case d.ports[port] != "":
		return d.skip(d.ports[port], int(port))
	case exactDatagram(p):
		return datagramLayer, p
	case udpNames[port] != "":
		return d.skip(udpNames[port], int(port))
	case otherVXLAN(p):
		return vxlan, p
	case mirrored(p):
		return datagramLayer, p.from(8)
	}
	return d.skip(udpName, int(port))
}

// secured names QUIC or DTLS if a datagram begins as theirs do: RFC 9000 §17.2, RFC 6347 §4.1.
func secured(b []byte) string {
	if len(b) >= 13 && b[0] >= 20 && b[0] <= 26 && b[1] == 0xFE && b[2] >= 0xFC &&
		int(binary.BigEndian.Uint16(b[11:])) <= len(b)-13 {
		return dtlsName
	}
	if unified(b) {
		return dtlsName
	}
	if len(b) < 20 || b[0]&0xC0 != 0xC0 {
		return ""
	}
	switch v := binary.BigEndian.Uint32(b[1:]); {
	case v == 1, v == 0x6B3343CF, v>>8 == 0xFF0000, v>>24 == 'Q':
		return quicName
	}
	return ""
}

// unified reports whether a datagram is one record of DTLS 1.3 with a length and without a
// connection ID. See RFC 9147 §4.
func unified(b []byte) bool {
	const fixed, connectionID, longSequence, length = 0x20, 0x10, 0x08, 0x04
	if len(b) < 20 || b[0]&^31 != fixed || b[0]&(connectionID|length) != length {
		return false
	}
	n := 2
	if b[0]&longSequence != 0 {
		n = 3
	}
	return int(binary.BigEndian.Uint16(b[n:])) == len(b)-n-2
}

// exactDatagram reports whether a part is an IP datagram from its first byte to its last: IP in UDP
// has no port of its own.
func exactDatagram(p part) bool {
	b := p.b
	switch {
	case len(b) >= 40 && b[0]>>4 == 4:
		header := int(b[0]&15) * 4
		return header >= 20 && int(binary.BigEndian.Uint16(b[2:])) == p.length &&
			len(b) >= header && sum(0, b[:header]) == 0xFFFF
	case len(b) >= 60 && b[0]>>4 == 6:
		return int(binary.BigEndian.Uint16(b[4:]))+40 == p.length && (b[6] == protoTCP ||
			b[6] == protoUDP || b[6] == protoIPv4 || b[6] == protoIPv6)
	}
	return false
}

// otherVXLAN reports whether a part is VXLAN, whose port many programs let their users choose: by
// its flag, its reserved bytes, and a frame with an IP datagram of the right length. See RFC 7348.
func otherVXLAN(p part) bool {
	if len(p.b) < 8+14 || p.b[0] != 8 || [3]byte(p.b[1:4]) != [3]byte{} || p.b[7] != 0 ||
		!plausibleFrame(p.from(8)) {
		return false
	}
	kind := binary.BigEndian.Uint16(p.b[8+12:])
	return kind != etherIPv4 && kind != etherIPv6 || plausibleDatagram(p.from(8+14))
}

// mirrored reports whether a part is an IP datagram behind the 8 bytes of Juniper's mirror: an
// intercept and a session that the receiver chose.
func mirrored(p part) bool { return len(p.b) > 8 && exactDatagram(p.from(8)) }

// vxlan reads VXLAN, RFC 7348.
func vxlan(d *decoder, p part) (layer, part) {
	if len(p.b) < 8 {
		return d.short()
	}
	if p.b[0]&0x04 != 0 { // the flag of a next protocol
		return vxlanGPE, p
	}
	return ethernet, p.from(8)
}

// vxlanGPE reads draft-ietf-nvo3-vxlan-gpe §3.
func vxlanGPE(d *decoder, p part) (layer, part) {
	if len(p.b) < 8 {
		return d.short()
	}
	if p.b[0]&0x04 == 0 {
		return ethernet, p.from(8)
	}
	return d.nextProtocol(p.b[3], p.from(8))
}

// geneve reads RFC 8926.
func geneve(d *decoder, p part) (layer, part) {
	if len(p.b) < 8 {
		return d.short()
	}
	n := 8 + int(p.b[0]&0x3F)*4
	if len(p.b) < n {
		return d.short()
	}
	return d.etherType(binary.BigEndian.Uint16(p.b[2:]), p.from(n))
}

// gtp reads a user's packet in GTP version 1, with its extension headers. See 3GPP TS 29.281 §5.
func gtp(d *decoder, p part) (layer, part) {
	const user = 255
	if len(p.b) < 8 {
		return d.short()
	}
	flags := p.b[0]
	if flags>>5 != 1 || flags&0x10 == 0 || p.b[1] != user {
		return d.skip("GTP without a user's packet", 0)
	}
	p = p.to(8 + int(binary.BigEndian.Uint16(p.b[2:]))).from(8)
	if flags&7 != 0 {
		if len(p.b) < 4 {
			return d.short()
		}
		next := p.b[3]
		if p = p.from(4); flags&4 == 0 {
			next = 0
		}
		for next != 0 {
			if len(p.b) < 4 || p.b[0] == 0 || len(p.b) < int(p.b[0])*4 {
				return d.short()
			}
			n := int(p.b[0]) * 4
			next, p = p.b[n-1], p.from(n)
		}
	}
	if plausibleFrame(p) && !plausibleDatagram(p) {
		return ethernet, p
	}
	return datagramLayer, p
}

// teredo reads the indicators that may precede IPv6: RFC 4380.
func teredo(d *decoder, p part) (layer, part) {
	for len(p.b) >= 4 && p.b[0] == 0 {
		n := 8 // an origin
		if p.b[1] == 1 {
			n = 4 + int(p.b[2]) + int(p.b[3]) + 9
		}
		if len(p.b) < n {
			return d.short()
		}
		p = p.from(n)
	}
	return datagramLayer, p
}

// tzsp reads the TaZmen Sniffer Protocol: tags up to an end, and a frame.
func tzsp(d *decoder, p part) (layer, part) {
	if len(p.b) < 5 {
		return d.short()
	}
	kind := binary.BigEndian.Uint16(p.b[2:])
	for p = p.from(4); ; {
		switch {
		case len(p.b) == 0:
			return d.short()
		case p.b[0] == 1:
			return d.tazmen(kind, p.from(1))
		case p.b[0] == 0:
			p = p.from(1)
		case len(p.b) < 2 || len(p.b) < 2+int(p.b[1]):
			return d.short()
		default:
			p = p.from(2 + int(p.b[1]))
		}
	}
}

func (d *decoder) tazmen(kind uint16, p part) (layer, part) {
	switch kind {
	case 1:
		return ethernet, p
	case 18:
		return wifi, p
	case 119:
		return d.within(LinkPrism, p)
	case 127:
		return d.within(LinkAVS, p)
	}
	return d.skip("TZSP with protocol %d", int(kind))
}

// gue reads draft-ietf-intarea-gue §3.
func gue(d *decoder, p part) (layer, part) {
	if len(p.b) < 4 {
		return d.short()
	}
	switch p.b[0] >> 6 {
	case 1:
		return datagramLayer, p
	case 0:
		n := 4 + int(p.b[0]&0x1F)*4
		if len(p.b) < n {
			return d.short()
		}
		if p.b[0]&0x20 == 0 {
			return d.protocol(p.b[1], p.from(n))
		}
	}
	return d.skip("control messages of GUE", 0)
}

// l2tp reads the header of a session, RFC 2661 or RFC 3931.
func l2tp(d *decoder, p part) (layer, part) {
	const control, length, sequence, offset = 0x80, 0x40, 0x08, 0x02
	if len(p.b) < 6 {
		return d.short()
	}
	flags, version := p.b[0], p.b[1]&15
	switch {
	case flags&control != 0:
		return d.skip("control messages of L2TP", 0)
	case version == 3:
		return l2tpSession, p.from(4)
	}
	n := 6
	if flags&length != 0 {
		n += 2
	}
	if flags&sequence != 0 {
		n += 4
	}
	if flags&offset != 0 {
		if len(p.b) < n+2 {
			return d.short()
		}
		n += 2 + int(binary.BigEndian.Uint16(p.b[n:]))
	}
	return after(n, ppp), p
}

// capwap reads the data channel of RFC 5415 if it is not under DTLS.
func capwap(d *decoder, p part) (layer, part) {
	if len(p.b) < 8 {
		return d.short()
	}
	n := int(p.b[1]>>3) * 4
	switch {
	case p.b[0]&15 != 0:
		return d.skip(dtlsName, 5247)
	case p.b[3]&0x80 != 0:
		return d.skip("fragments of CAPWAP", 0)
	case n < 8 || len(p.b) < n:
		return d.short()
	case p.b[2]&1 != 0:
		return wifi, p.from(n)
	}
	return ethernet, p.from(n)
}
