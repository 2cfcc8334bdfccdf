package capture

import "fmt"

// Decoding finds the TCP segment, or the EAP packet, in a packet. The layers are read in place,
// without copies or allocations, unless IP datagrams come in fragments. See links.go for what a
// layer is.

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

// found has the contents of a packet.
type found uint8

const (
	nothing found = iota
	aSegment
	anEAP
)

// decoder reads packets. It keeps the fragments of IP datagrams between them, and counts those that
// carry nothing that is read.
type decoder struct {
	fragments fragments
	skipped   map[skippedKind]int
	ports     map[uint16]string // of UDP, on which QUIC or DTLS was seen

	// of the packet that is being read
	found   found
	segment segment
	packet  eapPacket
	macs    [2][6]byte // destination and source
}

// decode returns what a packet carries: then the segment, or the EAP packet, is set. An error means
// that packets of this link type cannot be decoded.
func (d *decoder) decode(p *Packet) (found, error) {
	d.found, d.macs = nothing, [2][6]byte{}
	next := linkLayers[p.Link]
	if next == nil {
		d.skip(linkText(p.Link), int(p.Link))
		return nothing, fmt.Errorf("capture: packets of %v are not read", p.Link)
	}
	rest := part{p.Data, max(p.Length, len(p.Data))}
	for range maxLayers {
		if next, rest = next(d, rest); next == nil {
			return d.found, nil
		}
	}
	d.skip("tunnels in tunnels, nested too deeply", 0)
	return nothing, nil
}

// linkText returns what packets of a link type that is not decoded are, with a verb for its number.
func linkText(l LinkType) string {
	if name := otherLinks[l]; name != "" {
		return "link type %d: " + name
	}
	return "link type %d"
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
