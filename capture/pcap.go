package capture

import (
	"encoding/binary"
	"fmt"
	"time"
)

// pcap reads a pcap file.
type pcap struct {
	pcapKind
	order   binary.ByteOrder
	link    LinkType
	header  int  // bytes, of each packet; 0 before the first
	swapped bool // a packet's two lengths may be in the other order
}

// pcapKind is what the first four bytes tell of a pcap file. Programs with patches of their own
// wrote longer headers of packets, and not all of them changed these bytes, so there are several.
type pcapKind struct {
	magic   uint32
	tick    time.Duration
	file    int   // bytes of the file's header
	headers []int // lengths that a packet's header may have, the most usual first
}

// pcapKinds are the kinds that Wireshark reads. See its wiretap/libpcap.c for who wrote them.
var pcapKinds = []pcapKind{
	{0xA1B2C3D4, time.Microsecond, 24, []int{16, 24, 20}}, // also Red Hat Linux 6.1, and Nokia
	{0xA1B23C4D, time.Nanosecond, 24, []int{16}},
	{0xA1B2CD34, time.Microsecond, 24, []int{24, 28}}, // Kuznetzov's patch, and that in SuSE 6.3
	{0x1C0001AC, time.Nanosecond, 28, []int{16}},      // IXIA's hardware
	{0x1C0001AB, time.Microsecond, 28, []int{16}},     // IXIA's software
}

// pcapOf returns the reader of a pcap file with this beginning, or nil.
func pcapOf(magic []byte) *pcap {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, k := range pcapKinds {
			if order.Uint32(magic) == k.magic {
				return &pcap{pcapKind: k, order: order}
			}
		}
	}
	return nil
}

// aixLinks are the links of AIX's tcpdump, which has SNMP's numbers of interface types for them.
var aixLinks = map[LinkType]LinkType{6: LinkEthernet, 9: LinkTokenRing, 15: LinkFDDI, 24: LinkNull}

// begin reads the header of the file.
func (f *pcap) begin(r *Reader) error {
	h, err := r.take(f.file)
	if err != nil {
		return noEOF(err)
	}
	major, minor := f.order.Uint16(h[4:]), f.order.Uint16(h[6:])
	f.swapped = major == 2 && minor < 4 || major == 543 // the latter is DG/UX's
	// The upper half may be the length of a frame check sequence.
	f.link = LinkType(f.order.Uint32(h[20:]))
	f.header = f.headers[0]
	if link, ok := aixLinks[f.link]; ok && major == 2 && minor == 2 && f.header == 16 {
		f.link, f.tick = link, time.Nanosecond
		return nil
	}
	return f.guess(r)
}

// guess finds the length of the packets' headers: the one with which most packets follow each other
// in what has been read already. It does not wait for more of a file that grows.
func (f *pcap) guess(r *Reader) error {
	if len(f.headers) == 1 {
		return nil
	}
	if _, err := r.peek(f.header); err != nil {
		return err
	}
	b, _ := r.in.Peek(r.in.Buffered())
	most := 0
	for _, n := range f.headers {
		if got := f.follow(b, n); got > most {
			most, f.header = got, n
		}
	}
	return nil
}

// follow counts up to eight packets at the beginning of b, if their headers have n bytes.
func (f *pcap) follow(b []byte, n int) int {
	for got := range 8 {
		if len(b) < n {
			return got
		}
		captured, length := f.lengths(b)
		fraction := time.Duration(f.order.Uint32(b[4:]))
		if fraction*f.tick >= time.Second || captured > maxPacket || length < captured ||
			length > 1<<27 || len(b) < n+int(captured) {
			return got
		}
		b = b[n+int(captured):]
	}
	return 8
}

// lengths returns how many bytes of a packet the file has and how many there were. Before version
// 2.3 of the format the second came first, and in some files of 2.3 it does.
func (f *pcap) lengths(h []byte) (captured, length uint32) {
	captured, length = f.order.Uint32(h[8:]), f.order.Uint32(h[12:])
	if f.swapped && captured > length {
		captured, length = length, captured
	}
	return captured, length
}

func (f *pcap) next(r *Reader) (Packet, bool, error) {
	if f.header == 0 {
		if err := f.begin(r); err != nil {
			return Packet{}, false, err
		}
	}
	h, err := r.peek(f.header)
	if err != nil {
		return Packet{}, false, err
	}
	n, length := f.lengths(h)
	if n > maxPacket {
		return Packet{}, false,
			fmt.Errorf("got a packet of %d bytes, expected at most %d", n, maxPacket)
	}
	at := time.Unix(int64(f.order.Uint32(h)), int64(f.order.Uint32(h[4:]))*int64(f.tick)).UTC()
	b, err := r.take(f.header + int(n))
	if err != nil {
		return Packet{}, false, noEOF(err)
	}
	return Packet{Time: at, Link: f.link, Data: b[f.header:], Length: onWire(length, n)}, true, nil
}

// onWire returns a packet's length on the wire. Some programs write less than they captured.
func onWire(length, captured uint32) int { return int(max(min(length, 1<<30), captured)) }
