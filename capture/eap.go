package capture

import "encoding/binary"

// EAP's methods that carry TLS make a stream of each direction: their fragments come in order, one
// at a time, and each is acknowledged. See RFC 3748 and RFC 5216.

// eapMethods are the methods that carry TLS, by type.
var eapMethods = map[byte]string{13: "EAP-TLS", 21: "EAP-TTLS", 25: "PEAP", 43: "EAP-FAST",
	55: "TEAP"}

const (
	eapRequest  = 1
	eapResponse = 2
)

// The flags of RFC 5216, and TEAP's for outer TLVs of RFC 7170.
const (
	eapLength = 0x80
	eapStart  = 0x20
	eapOuter  = 0x10
)

// eapol reads IEEE 802.1X-2020 §11.3.
func eapol(d *decoder, p part) (layer, part) {
	if len(p.b) < 4 {
		return d.short()
	}
	if p.b[1] != 0 {
		return d.skip("IEEE 802.1X without EAP (start, keys)", 0)
	}
	return d.eap("IEEE 802.1X", p.from(4).to(int(binary.BigEndian.Uint16(p.b[2:]))))
}

// eap ends a packet with EAP in it.
func (d *decoder) eap(carrier string, p part) (layer, part) {
	if len(p.b) < 4 {
		return d.short()
	}
	d.packet = eapPacket{carrier: carrier, b: p.b}
	d.found = anEAP
	return nil, part{}
}

// radius joins the EAP-Message attributes of a RADIUS packet. See RFC 2865 and RFC 3579.
func radius(d *decoder, p part) (layer, part) {
	const accessRequest, eapMessage, state = 1, 79, 24
	const other = "RADIUS without EAP"
	if len(p.b) < 20 {
		return d.short()
	}
	n := int(binary.BigEndian.Uint16(p.b[2:]))
	if n < 20 || n > len(p.b) {
		return d.short()
	}
	r := radiusPacket{is: true, request: p.b[0] == accessRequest, id: p.b[1]}
	var message []byte
	for b := p.b[20:n]; len(b) >= 2; b = b[b[1]:] {
		if b[1] < 2 || int(b[1]) > len(b) {
			return d.skip(other, 0)
		}
		switch value := b[2:b[1]]; b[0] {
		case eapMessage:
			message = append(message, value...)
		case state:
			r.state = string(value)
		}
	}
	if len(message) < 4 {
		return d.skip(other, 0)
	}
	d.packet = eapPacket{carrierRADIUS, message, r}
	d.found = anEAP
	return nil, part{}
}

const carrierRADIUS = "RADIUS"
