// Package framing knows the protocols that carry the records of a TLS handshake inside packets of
// their own, and go on with plain records once it is done. It is the table beside that of package
// starttls, whose protocols leave the connection to TLS at once.
package framing

import "encoding/binary"

// Framing is a protocol that carries records in its packets.
type Framing struct {
	Name   string
	Ref    string
	Header int // bytes before what a packet carries

	// Payload returns how many bytes follow a header, or ok == false if it is none of a packet
	// that may carry records.
	Payload func(header []byte) (n int, ok bool)

	// Plain reports whether bytes that are no record's may be the protocol in the clear again.
	Plain func(b []byte) bool

	// Append appends a packet with a payload, which is the last of a message if last is set.
	Append func(dst, payload []byte, last bool) []byte

	Most int // bytes of payload in a packet that is sent
}

// TDS is that of Microsoft SQL Server: the handshake is in packets of the type Pre-Login. After a
// login that alone was encrypted, what follows is in the clear.
var TDS = &Framing{Name: "TDS", Ref: "MS-TDS §2.2.6.5", Header: 8, Most: 4096 - 8,
	Payload: func(h []byte) (int, bool) {
		n := int(binary.BigEndian.Uint16(h[2:]))
		return n - 8, h[0] == 0x12 && h[1]&^0x09 == 0 && n > 8
	},
	Plain: func(b []byte) bool { return len(b) > 1 && b[0] < 0x14 && b[0] > 0 && b[1]&^0x1F == 0 },
	Append: func(dst, payload []byte, last bool) []byte {
		status := byte(0)
		if last {
			status = 1
		}
		dst = append(dst, 0x12, status)
		dst = binary.BigEndian.AppendUint16(dst, uint16(8+len(payload)))
		return append(append(dst, 0, 0, 0, 0), payload...)
	},
}

// all are the framings that are known.
var all = []*Framing{TDS}

// Before returns the framing whose packet's header stands right before the place at in b, and how
// many bytes that packet has from there on. It returns nil if there is none.
func Before(b []byte, at int) (f *Framing, left int) {
	for _, f := range all {
		if at < f.Header {
			continue
		}
		if n, ok := f.Payload(b[at-f.Header : at]); ok {
			return f, n
		}
	}
	return nil, 0
}

// A Splitter takes the records out of the packets of one direction, until a record stands where a
// packet would begin.
type Splitter struct {
	Framing *Framing
	Left    int // bytes that the current packet still has

	head  []byte // of a packet's header, as far as it has come
	plain bool   // records follow one another without packets
}

// Split passes the bytes of records in b to each, in order, and returns false from the first byte
// on that is neither a packet's nor a record's.
func (s *Splitter) Split(b []byte, each func([]byte)) bool {
	for len(b) > 0 {
		if s.plain {
			each(b)
			return true
		}
		if s.Left > 0 {
			n := min(s.Left, len(b))
			each(b[:n])
			s.Left, b = s.Left-n, b[n:]
			continue
		}
		if len(s.head) == 0 && b[0] >= 20 && b[0] <= 24 { // a record's type, and no packet's
			s.plain = true
			continue
		}
		n := min(s.Framing.Header-len(s.head), len(b))
		s.head, b = append(s.head, b[:n]...), b[n:]
		if len(s.head) < s.Framing.Header {
			return true
		}
		left, ok := s.Framing.Payload(s.head)
		if !ok {
			return false
		}
		s.Left, s.head = left, s.head[:0]
	}
	return true
}
