package capture

import "encoding/binary"

// This file has the rows for link types: what a frame of each begins with. What one packet carries
// is found by layers, each of which reads one header.

// linkLayers has the layer of each link type that is read.
var linkLayers map[LinkType]layer

// linkText returns what packets of a link type that is not decoded are, with a verb for its number.
func linkText(l LinkType) string {
	if name := otherLinks[l]; name != "" {
		return "link type %d: " + name
	}
	return "link type %d"
}

func init() { // some link types carry others
	linkLayers = map[LinkType]layer{
		LinkEthernet: ethernet,
		51:           ethernet, // PPPoE on NetBSD, which has the Ethernet header
		// The numbers of address families differ between systems; the datagram has its version.
		LinkNull:          after(4, datagramLayer),
		LinkLoop:          after(4, datagramLayer),
		LinkRaw:           datagramLayer,
		LinkRawBSD:        datagramLayer,
		LinkRawOpen:       datagramLayer,
		LinkIPv4:          datagramLayer,
		LinkIPv6:          datagramLayer,
		LinkSLL:           typed(14, 16),
		LinkSLL2:          typed(0, 20),
		LinkPPP:           ppp,
		LinkPPPHDLC:       ppp,
		LinkPPPD:          after(1, ppp), // a byte says whether it was sent or received
		LinkPPPDir:        after(1, ppp),
		LinkCHDLC:         cHDLC,
		LinkCHDLCDir:      after(1, cHDLC),
		LinkFrameRelay:    frameRelay,
		LinkFrameRelayDir: after(1, frameRelay),
		LinkRFC1483:       llc,
		LinkSunATM:        after(4, llc), // direction, VPI and VCI
		LinkSLIP:          after(16, datagramLayer),
		LinkFDDI:          after(13, llc),
		LinkTokenRing:     tokenRing,
		LinkFibreChannel:  after(16, llc),
		LinkFireWire:      typed(16, 18),
		LinkPFLOG:         pfLog,
		LinkENC:           after(12, datagramLayer),
		LinkIPNET:         after(24, datagramLayer),
		LinkWiFi:          wifi,
		LinkPrism:         measured(4, 4, binary.LittleEndian, wifi),
		LinkAVS:           measured(4, 4, binary.BigEndian, wifi),
		LinkRadiotap:      radiotap,
		LinkPPI:           ppi,
		LinkNFLOG:         nfLog,
		LinkPKTAP:         pktap,
		149:               pktap, // its first number, a private one
		LinkIPoIB:         ipoib,
		LinkERF:           erf,
		LinkNetAnalyzer:   after(4, ethernet),
		LinkMPacket:       after(8, ethernet),
		LinkDSABroadcom:   typed(16, 18),
		LinkDSA:           typed(16, 18),
		LinkDSAPrepend:    after(4, ethernet),
		LinkEDSA:          typed(20, 22),
	}
}

// frameRelay reads Q.922 addresses with the encapsulation of RFC 2427 or Cisco's.
func frameRelay(d *decoder, p part) (layer, part) {
	n := 0
	for n < 4 && n < len(p.b) && p.b[n]&1 == 0 {
		n++
	}
	n++
	if len(p.b) < n+3 {
		return d.short()
	}
	p = p.from(n)
	if p.b[0] != 0x03 {
		return d.etherType(binary.BigEndian.Uint16(p.b), p.from(2))
	}
	p = p.from(1)
	if p.b[0] == 0 {
		p = p.from(1)
	}
	id := p.b[0]
	p = p.from(1)
	switch id {
	case 0xCC:
		return ipv4, p
	case 0x8E:
		return ipv6, p
	case 0xCF:
		return ppp, p
	case 0x80:
		return snap, p
	}
	return d.skip("Frame Relay protocol 0x%02X", int(id))
}

// tokenRing skips the header of Token Ring and its routing information.
func tokenRing(d *decoder, p part) (layer, part) {
	n := 14
	if len(p.b) > 15 && p.b[8]&0x80 != 0 {
		n += int(p.b[14] & 0x1F)
	}
	return after(n, llc), p
}

// pfLog reads OpenBSD's packet filter log: the header begins with its length, without padding.
func pfLog(d *decoder, p part) (layer, part) {
	if len(p.b) == 0 {
		return d.short()
	}
	return after((int(p.b[0])+3)&^3, datagramLayer), p
}

// nfLog finds the payload in the attributes of Linux's netfilter log. The byte order is that of the
// machine that wrote it. See https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html.
func nfLog(d *decoder, p part) (layer, part) {
	const payload = 9
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for at := 4; at+4 <= len(p.b); {
			n, kind := int(order.Uint16(p.b[at:])), order.Uint16(p.b[at+2:])&0x7FFF
			if n < 4 {
				break
			}
			if kind == payload {
				return datagramLayer, p.from(at + 4).to(n - 4)
			}
			at += (n + 3) &^ 3
		}
	}
	return d.skip("NFLOG without a packet in it", 0)
}

// pktap reads Apple's header, which has the link type of the frame. See
// https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html.
func pktap(d *decoder, p part) (layer, part) {
	if len(p.b) < 12 {
		return d.short()
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if order.Uint32(p.b) > uint32(len(p.b)) {
		order = binary.BigEndian
	}
	n := order.Uint32(p.b)
	if n < 12 || n > uint32(len(p.b)) {
		return d.short()
	}
	return d.within(LinkType(order.Uint32(p.b[8:])), p.from(int(n)))
}

// ppi reads CACE's Per-Packet Information.
func ppi(d *decoder, p part) (layer, part) {
	n, ok := headerLen(p)
	if !ok {
		return d.short()
	}
	return d.within(LinkType(binary.LittleEndian.Uint32(p.b[4:])), p.from(n))
}

// within continues with a frame of another link type.
func (d *decoder) within(l LinkType, p part) (layer, part) {
	if next := linkLayers[l]; next != nil {
		return next, p
	}
	return d.skip(linkText(l), int(l))
}

// ipoib reads IP over InfiniBand, RFC 4391. Programs put different headers before it.
func ipoib(d *decoder, p part) (layer, part) {
	for _, at := range []int{0, 20, 40, 44} {
		if len(p.b) < at+5 || p.b[at+2] != 0 || p.b[at+3] != 0 {
			continue
		}
		kind, version := binary.BigEndian.Uint16(p.b[at:]), p.b[at+4]>>4
		if kind == etherIPv4 && version == 4 || kind == etherIPv6 && version == 6 {
			return datagramLayer, p.from(at + 4)
		}
	}
	return d.skip("IP over InfiniBand that has no IP", 0)
}

// erf reads Endace's records.
func erf(d *decoder, p part) (layer, part) {
	if len(p.b) < 16 {
		return d.short()
	}
	kind, n := p.b[8], 16
	for more := kind; more&0x80 != 0; n += 8 {
		if len(p.b) < n+8 {
			return d.short()
		}
		more = p.b[n]
	}
	switch kind & 0x7F {
	case 2, 11, 16, 20: // Ethernet, after two bytes
		return after(n+2, ethernet), p
	case 1, 10, 15, 17:
		return after(n, ppp), p
	case 22, 23:
		return after(n, datagramLayer), p
	}
	return d.skip("ERF type %d", int(kind&0x7F))
}
