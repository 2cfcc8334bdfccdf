package capture

import "encoding/binary"

// found has the contents of a packet.
type found uint8

const (
	nothing found = iota
	aSegment
	anEAP
)

// eapPacket is an EAP packet, and what it came in.
type eapPacket struct {
	carrier string
	b       []byte
	radius  radiusPacket
}

// radiusPacket has the fields that show to which conversation a RADIUS packet belongs.
type radiusPacket struct {
	is      bool
	request bool
	id      byte
	state   string
}

// A layer reads the header at the beginning of a part and returns the layer and the part after it.
// It returns no layer where the packet ends: then a segment or an EAP packet was found, or skip was
// called.
type layer func(d *decoder, p part) (layer, part)

// maxLayers bounds the headers of a packet: tunnels can be nested.
const maxLayers = 24

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

// skippedKind is a text, which may have a verb for a number.
type skippedKind struct {
	what string
	n    int
}

// maxSkipped bounds the kinds that are counted separately: a port scan makes as many as there are
// ports.
const maxSkipped = 256

// skip ends a packet that carries nothing that is read.
func (d *decoder) skip(what string, n int) (layer, part) {
	d.count(what, n)
	return nil, part{}
}

// short ends a packet of which the capture has not all headers.
func (d *decoder) short() (layer, part) {
	return d.skip("frames cut short before their TCP header", 0)
}

func (d *decoder) count(what string, n int) {
	if d.skipped == nil {
		d.skipped = map[skippedKind]int{}
	}
	k := skippedKind{what, n}
	if _, ok := d.skipped[k]; !ok && len(d.skipped) >= maxSkipped {
		k = skippedKind{"other kinds", 0}
	}
	d.skipped[k]++
}

// after returns a layer whose header has n bytes that do not matter.
func after(n int, next layer) layer {
	return func(d *decoder, p part) (layer, part) {
		if len(p.b) < n {
			return d.short()
		}
		return next, p.from(n)
	}
}

// measured returns a layer whose header says its own length, in size bytes at a place.
func measured(at, size int, order binary.ByteOrder, next layer) layer {
	return func(d *decoder, p part) (layer, part) {
		if len(p.b) < at+size {
			return d.short()
		}
		n := uint32(order.Uint16(p.b[at:]))
		if size == 4 {
			n = order.Uint32(p.b[at:])
		}
		if n < uint32(at+size) || n > uint32(len(p.b)) {
			return d.short()
		}
		return next, p.from(int(n))
	}
}
