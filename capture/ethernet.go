package capture

import "encoding/binary"

// The EtherTypes that are read, besides IP.
const (
	etherIPv4     = 0x0800
	etherIPv6     = 0x86DD
	etherVLAN     = 0x8100 // IEEE 802.1Q
	etherQinQ     = 0x88A8 // IEEE 802.1ad
	etherQinQOld  = 0x9100 // used before 802.1ad
	etherQinQOld2 = 0x9200
	etherITag     = 0x88E7 // IEEE 802.1ah
	etherVNTag    = 0x8926 // Cisco, on the way to IEEE 802.1BR
	etherETag     = 0x893F // IEEE 802.1BR
	etherHSR      = 0x892F // IEC 62439-3
	etherCMD      = 0x8909 // Cisco MetaData
	etherMPLS     = 0x8847
	etherMPLSUp   = 0x8848 // with a label of the upstream's
	etherMACsec   = 0x88E5 // IEEE 802.1AE
	etherPPPoE    = 0x8864
	etherPPP      = 0x880B
	etherBridge   = 0x6558 // Ethernet in GRE
	etherERSPAN   = 0x88BE
	etherERSPAN3  = 0x22EB
	etherNSH      = 0x894F // RFC 8300
	etherEAPOL    = 0x888E // IEEE 802.1X
	etherPreAuth  = 0x88C7
	etherWCCP     = 0x883E
	etherTRILL    = 0x22F3 // of the IETF: bridges that route
	etherBatman   = 0x4305 // batman-adv
)

// etherNames names EtherTypes that are not read.
var etherNames = map[uint16]string{0x0806: "ARP", 0x88CC: "LLDP", 0x8863: "PPPoE discovery",
	0x8902: "CFM", 0x88F7: "PTP", 0x8809: "slow protocols (LACP)", 0x8906: "FCoE", 0x8915: "RoCE",
	0x9000: "loopback tests", 0x8035: "RARP", 0x8137: "IPX", 0x893A: "IEEE 1905",
	0x88E1: "HomePlug"}

// ethernet reads an Ethernet header, or that of IEEE 802.3, which has a length in place of a type.
func ethernet(d *decoder, p part) (layer, part) {
	if len(p.b) < 14 {
		return d.short()
	}
	if isl := [5]byte(p.b[:5]); (isl == [5]byte{1, 0, 0x0C} || isl == [5]byte{3, 0, 0x0C}) &&
		len(p.b) > 26 && [3]byte(p.b[14:17]) == [3]byte{0xAA, 0xAA, 3} {
		return ethernet, p.from(26) // Cisco's ISL, whose first 5 bytes are no address
	}
	copy(d.macs[0][:], p.b[:6])
	copy(d.macs[1][:], p.b[6:12])
	t := binary.BigEndian.Uint16(p.b[12:])
	if t < 1536 {
		return llc, p.from(14).to(int(t))
	}
	return d.etherType(t, p.from(14))
}

// etherType returns the layer for an EtherType.
func (d *decoder) etherType(t uint16, p part) (layer, part) {
	switch t {
	case etherIPv4:
		return ipv4, p
	case etherIPv6:
		return ipv6, p
	case etherVLAN, etherQinQ, etherQinQOld, etherQinQOld2:
		return typed(2, 4), p
	case etherVNTag, etherHSR:
		return typed(4, 6), p
	case etherETag:
		return typed(6, 8), p
	case etherCMD:
		return typed(6, 8), p
	case etherITag:
		return after(4, ethernet), p
	case etherMPLS, etherMPLSUp:
		return mpls, p
	case etherMACsec:
		return macSec, p
	case etherPPPoE:
		return after(6, ppp), p
	case etherPPP:
		return ppp, p
	case etherBridge:
		return ethernet, p
	case etherERSPAN:
		return after(8, ethernet), p
	case etherERSPAN3:
		return erspan3, p
	case etherNSH:
		return nsh, p
	case etherEAPOL, etherPreAuth:
		return eapol, p
	case etherWCCP:
		return after(4, datagramLayer), p
	case etherTRILL:
		return trill, p
	case etherBatman:
		return batman, p
	}
	if name, ok := etherNames[t]; ok {
		return d.skip(name, 0)
	}
	if t < 1536 {
		return llc, p
	}
	return d.skip("EtherType 0x%04X", int(t))
}

// trill reads the header of TRILL, whose options are counted in units of 4 bytes.
func trill(d *decoder, p part) (layer, part) {
	if len(p.b) < 6 {
		return d.short()
	}
	options := int(binary.BigEndian.Uint16(p.b)>>6) & 0x1F
	return after(6+4*options, ethernet), p
}

// batman reads a frame to one node of a mesh; the other packets of batman-adv are its own.
func batman(d *decoder, p part) (layer, part) {
	const unicast, unicast4 = 0x40, 0x42
	if len(p.b) < 10 {
		return d.short()
	}
	switch p.b[0] {
	case unicast:
		return after(10, ethernet), p
	case unicast4:
		return after(18, ethernet), p
	}
	return d.skip("packets of batman-adv of type 0x%02X", int(p.b[0]))
}

// plausibleFrame reports whether a part looks like an Ethernet frame whose payload is read.
func plausibleFrame(p part) bool {
	if len(p.b) < 15 {
		return false
	}
	switch binary.BigEndian.Uint16(p.b[12:]) {
	case etherIPv4:
		return p.b[14]>>4 == 4
	case etherIPv6:
		return p.b[14]>>4 == 6
	case etherVLAN, etherQinQ, etherMPLS, etherPPPoE, 0x0806:
		return true
	}
	return false
}

// plausibleDatagram reports whether a part is, by its lengths, an IP datagram.
func plausibleDatagram(p part) bool {
	switch {
	case len(p.b) >= 20 && p.b[0]>>4 == 4:
		n := int(binary.BigEndian.Uint16(p.b[2:]))
		return p.b[0]&15 >= 5 && n >= 20 && n <= p.length
	case len(p.b) >= 40 && p.b[0]>>4 == 6:
		return int(binary.BigEndian.Uint16(p.b[4:]))+40 <= p.length
	}
	return false
}

// mpls skips labels. Nothing names what follows them: IP, or a pseudowire's frame with or without a
// control word. See RFC 3032 and RFC 4448.
func mpls(d *decoder, p part) (layer, part) {
	for {
		if len(p.b) < 4 {
			return d.short()
		}
		bottom := p.b[2]&1 != 0
		if p = p.from(4); bottom {
			break
		}
	}
	switch {
	case len(p.b) == 0:
		return d.short()
	case plausibleDatagram(p) && !plausibleFrame(p):
		return datagramLayer, p
	case p.b[0]>>4 == 0 && len(p.b) > 4 && plausibleFrame(p.from(4)):
		return after(4, ethernet), p
	case plausibleFrame(p):
		return ethernet, p
	case p.b[0]>>4 == 0 && len(p.b) > 4 && plausibleDatagram(p.from(4)):
		return after(4, datagramLayer), p
	}
	switch p.b[0] >> 4 {
	case 4, 6:
		return datagramLayer, p
	case 1:
		return d.skip("control messages of MPLS pseudowires", 0)
	}
	return d.skip("MPLS pseudowires that carry neither IP nor Ethernet", 0)
}

// macSec reads IEEE 802.1AE §9 if it authenticates only.
func macSec(d *decoder, p part) (layer, part) {
	const hasSCI, encrypted, changed = 0x20, 0x08, 0x04
	if len(p.b) < 6 {
		return d.short()
	}
	if p.b[0]&(encrypted|changed) != 0 {
		return d.skip("MACsec that the network encrypts", 0)
	}
	n := 6
	if p.b[0]&hasSCI != 0 {
		n += 8
	}
	return typed(n, n+2), p
}

// erspan3 reads the third type of ERSPAN, which may have a subheader. See
// draft-foschiano-erspan §4.3.
func erspan3(d *decoder, p part) (layer, part) {
	if len(p.b) < 12 {
		return d.short()
	}
	n, kind := 12, p.b[10]>>2&0x1F
	if p.b[11]&1 != 0 {
		n += 8
	}
	if kind == 2 { // the frame type: IP without an Ethernet header
		return after(n, datagramLayer), p
	}
	return after(n, ethernet), p
}

// nsh reads the Network Service Header, RFC 8300.
func nsh(d *decoder, p part) (layer, part) {
	if len(p.b) < 8 {
		return d.short()
	}
	n, kind := int(p.b[1]&0x3F)*4, p.b[3]
	if n < 8 || len(p.b) < n {
		return d.short()
	}
	return d.nextProtocol(kind, p.from(n))
}

// nextProtocol returns the layer by the numbers that NSH and VXLAN-GPE share.
func (d *decoder) nextProtocol(kind byte, p part) (layer, part) {
	switch kind {
	case 1:
		return ipv4, p
	case 2:
		return ipv6, p
	case 3:
		return ethernet, p
	case 4:
		return nsh, p
	case 5:
		return mpls, p
	}
	return d.skip("VXLAN-GPE or NSH with protocol %d", int(kind))
}

// typed returns a layer with an EtherType at a place and a header of n bytes.
func typed(at, n int) layer {
	return func(d *decoder, p part) (layer, part) {
		if len(p.b) < n {
			return d.short()
		}
		return d.etherType(binary.BigEndian.Uint16(p.b[at:]), p.from(n))
	}
}

// llc reads IEEE 802.2 and SNAP.
func llc(d *decoder, p part) (layer, part) {
	if len(p.b) < 3 {
		return d.short()
	}
	switch [2]byte(p.b[:2]) {
	case [2]byte{0xAA, 0xAA}:
		return snap, p.from(3)
	case [2]byte{0x06, 0x06}:
		return ipv4, p.from(3)
	case [2]byte{0xFE, 0xFE}:
		if len(p.b) > 4 && p.b[3] == 0xCC {
			return ipv4, p.from(4)
		}
		if len(p.b) > 4 && p.b[3] == 0xCF { // PPP over ATM: RFC 2364
			return ppp, p.from(4)
		}
	}
	return d.skip("IEEE 802.2 (LLC) to 0x%02X", int(p.b[0]))
}

// snap reads the rest of a SNAP header. Frames bridged over ATM have one of their own: RFC 2684.
func snap(d *decoder, p part) (layer, part) {
	if len(p.b) < 5 {
		return d.short()
	}
	oui, kind := [3]byte(p.b[:3]), binary.BigEndian.Uint16(p.b[3:])
	switch {
	case oui == [3]byte{0, 0x80, 0xC2} && (kind == 1 || kind == 7):
		return after(2, ethernet), p.from(5)
	case oui == [3]byte{} || oui == [3]byte{0, 0, 0xF8}:
		return d.etherType(kind, p.from(5))
	}
	return d.skip("IEEE 802.2 SNAP of a vendor, type 0x%04X", int(kind))
}
