package capture

import "encoding/binary"

// ppp reads PPP, with or without HDLC framing and with either length of its protocol. See RFC 1661
// and RFC 1662.
func ppp(d *decoder, p part) (layer, part) {
	if len(p.b) > 0 && p.b[0] == 0x7E {
		p = p.from(1)
	}
	if len(p.b) >= 2 && p.b[0] == 0xFF && p.b[1] == 0x03 {
		p = p.from(2)
	} else if len(p.b) >= 4 && (p.b[0] == 0x0F || p.b[0] == 0x8F) && p.b[1] == 0 {
		return cHDLC, p // Linux writes it as PPP_HDLC
	}
	if len(p.b) < 2 {
		return d.short()
	}
	proto, n := int(binary.BigEndian.Uint16(p.b)), 2
	if p.b[0]&1 != 0 { // compressed: a protocol's last byte is odd
		proto, n = int(p.b[0]), 1
	}
	p = p.from(n)
	switch proto {
	case 0x0021:
		return ipv4, p
	case 0x0057:
		return ipv6, p
	case 0x0281, 0x0283:
		return mpls, p
	case 0x0031: // bridged frames: RFC 3518
		return pppBridge, p
	case 0xC227:
		return d.eap("EAP over PPP", p)
	case 0x00FD, 0x00FB:
		return d.skip("PPP that is compressed or encrypted", 0)
	case 0x003D:
		return d.skip("fragments of multilink PPP", 0)
	}
	return d.skip("PPP protocol 0x%04X", proto)
}

func pppBridge(d *decoder, p part) (layer, part) {
	if len(p.b) < 2 || p.b[1] != 1 {
		return d.skip("frames bridged over PPP", 0)
	}
	return ethernet, p.from(2)
}

// cHDLC reads Cisco's HDLC: an address, a control byte, and an EtherType.
func cHDLC(d *decoder, p part) (layer, part) {
	if len(p.b) >= 2 && p.b[0] == 0xFF && p.b[1] == 0x03 {
		return ppp, p
	}
	return typed(2, 4)(d, p)
}
