package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// The blocks of pcapng that are read.
const (
	blockInterface      = 1
	blockPacket         = 2 // obsolete
	blockSimplePacket   = 3
	blockEnhancedPacket = 6
	blockSecrets        = 10
	blockSection        = 0x0A0D0D0A
)

// The options of pcapng that are read or written.
const (
	optEnd      = 0
	optComment  = 1
	optUserAppl = 4  // of a section: the program that wrote it
	optName     = 2  // of an interface
	optTSResol  = 9  // of an interface: the resolution of its clock
	optTSOffset = 14 // of an interface: seconds to add to time stamps
)

// byteOrderMagic shows the byte order of a section.
const byteOrderMagic = 0x1A2B3C4D

// maxInterfaces bounds the interfaces of a section; real captures have a few.
const maxInterfaces = 1 << 16

// pcapng reads a pcapng file.
type pcapng struct {
	order      binary.ByteOrder
	interfaces []netInterface
}

// netInterface is the content of an Interface Description Block.
type netInterface struct {
	link    LinkType
	snap    uint32 // 0: no limit
	ticks   uint64 // per second; 0 if they are so short that no time stamp reaches a second
	seconds int64  // to add to time stamps
}

func (f *pcapng) next(r *Reader) (Packet, bool, error) {
	typ, n, err := f.header(r)
	if err != nil {
		return Packet{}, false, err
	}
	switch typ {
	case blockSection, blockInterface, blockPacket, blockSimplePacket, blockEnhancedPacket,
		blockSecrets:
	default:
		return Packet{}, false, r.skip(int64(n))
	}
	if n > maxBlock {
		return Packet{}, false, fmt.Errorf("got a block of %d bytes, expected at most %d", n,
			maxBlock)
	}
	b, err := r.take(int(n))
	if err != nil {
		return Packet{}, false, noEOF(err)
	}
	if trailer := f.order.Uint32(b[n-4:]); trailer != n {
		return Packet{}, false, fmt.Errorf("a block of %d bytes that ends with the length %d", n,
			trailer)
	}
	body := b[8 : n-4]
	switch typ {
	case blockSection:
		return Packet{}, false, f.section(r, body)
	case blockInterface:
		return Packet{}, false, f.describe(r, body)
	case blockSecrets:
		return Packet{}, false, f.secrets(r, body)
	}
	p, err := f.packet(r, typ, body)
	return p, err == nil, err
}

// header reads a block's type and length. A section header also sets the byte order.
func (f *pcapng) header(r *Reader) (typ, n uint32, err error) {
	h, err := r.peek(8)
	if err != nil {
		return 0, 0, err
	}
	if binary.LittleEndian.Uint32(h) == blockSection { // the same in both byte orders
		if h, err = r.peek(12); err != nil {
			return 0, 0, noEOF(err)
		}
		switch uint32(byteOrderMagic) {
		case binary.LittleEndian.Uint32(h[8:]):
			f.order = binary.LittleEndian
		case binary.BigEndian.Uint32(h[8:]):
			f.order = binary.BigEndian
		default:
			return 0, 0, fmt.Errorf("got a section with byte-order magic %x, expected 1a2b3c4d or "+
				"4d3c2b1a", h[8:12])
		}
	}
	typ, n = f.order.Uint32(h), f.order.Uint32(h[4:])
	if n < 12 || n%4 != 0 {
		return 0, 0, fmt.Errorf("got a block of %d bytes, expected a multiple of 4 from 12 on", n)
	}
	return typ, n, nil
}

func (f *pcapng) section(r *Reader, b []byte) error {
	if len(b) < 16 {
		return errors.New("a section header that is too short")
	}
	if major := f.order.Uint16(b[4:]); major != 1 {
		return fmt.Errorf("got version %d of pcapng, expected 1", major)
	}
	f.interfaces = f.interfaces[:0]
	f.options(r, b[16:], nil)
	return nil
}

func (f *pcapng) describe(r *Reader, b []byte) error {
	if len(b) < 8 {
		return errors.New("an interface description that is too short")
	}
	if len(f.interfaces) == maxInterfaces {
		return fmt.Errorf("more than %d interfaces", maxInterfaces)
	}
	i := netInterface{link: LinkType(f.order.Uint16(b)), snap: f.order.Uint32(b[4:]), ticks: 1e6}
	f.options(r, b[8:], func(code uint16, value []byte) {
		switch {
		case code == optTSResol && len(value) == 1:
			i.ticks = ticks(value[0])
		case code == optTSOffset && len(value) == 8:
			i.seconds = int64(f.order.Uint64(value))
		}
	})
	f.interfaces = append(f.interfaces, i)
	return nil
}

// ticks returns the ticks per second for if_tsresol: a negative power of 10 or, with the upper bit
// set, of 2.
func ticks(resol byte) uint64 {
	if resol&0x80 != 0 {
		return 1 << (resol & 0x7F) // 0 from 64 on
	}
	n := uint64(1)
	for range resol {
		hi, lo := bits.Mul64(n, 10)
		if hi != 0 {
			return 0
		}
		n = lo
	}
	return n
}

func (i netInterface) time(high, low uint32) time.Time {
	stamp := uint64(high)<<32 | uint64(low)
	if i.ticks == 0 {
		return time.Unix(i.seconds, 0).UTC()
	}
	hi, lo := bits.Mul64(stamp%i.ticks, 1e9)
	nano, _ := bits.Div64(hi, lo, i.ticks) // hi < ticks, since the remainder is
	return time.Unix(int64(stamp/i.ticks)+i.seconds, int64(nano)).UTC()
}

func (f *pcapng) secrets(r *Reader, b []byte) error {
	if len(b) < 8 {
		return errors.New("a secrets block that is too short")
	}
	n := f.order.Uint32(b[4:])
	if uint64(n) > uint64(len(b)-8) {
		return fmt.Errorf("secrets of %d bytes in a block of %d", n, len(b)+12)
	}
	if r.Secrets != nil {
		r.Secrets(SecretsType(f.order.Uint32(b)), b[8:8+n])
	}
	f.options(r, b[8+padded(n):], nil)
	return nil
}

// packet reads the three kinds of packet blocks, which differ in where fields are.
func (f *pcapng) packet(r *Reader, typ uint32, b []byte) (Packet, error) {
	fixed := 20
	if typ == blockSimplePacket {
		fixed = 4
	}
	if len(b) < fixed {
		return Packet{}, errors.New("a packet block that is too short")
	}
	var id uint32
	switch typ {
	case blockEnhancedPacket:
		id = f.order.Uint32(b)
	case blockPacket:
		id = uint32(f.order.Uint16(b))
	}
	if int64(id) >= int64(len(f.interfaces)) {
		return Packet{},
			fmt.Errorf("a packet of interface %d, but only %d are described", id, len(f.interfaces))
	}
	i := &f.interfaces[id]
	p := Packet{Link: i.link}
	var n, length uint32
	if typ == blockSimplePacket {
		length = f.order.Uint32(b)
		n = min(length, uint32(len(b)-fixed))
		if i.snap != 0 {
			n = min(n, i.snap)
		}
	} else {
		p.Time = i.time(f.order.Uint32(b[4:]), f.order.Uint32(b[8:]))
		n, length = f.order.Uint32(b[12:]), f.order.Uint32(b[16:])
	}
	if uint64(n) > uint64(len(b)-fixed) || n > maxPacket {
		return Packet{}, fmt.Errorf("a packet of %d bytes in a block of %d", n, len(b)+12)
	}
	p.Data, p.Length = b[fixed:fixed+int(n)], onWire(length, n)
	if typ != blockSimplePacket && r.Comment != nil {
		f.options(r, b[min(fixed+int(padded(n)), len(b)):], nil)
	}
	return p, nil
}

// padded returns n rounded up to a multiple of 4.
func padded(n uint32) uint32 { return (n + 3) &^ 3 }

// options passes comments to the Reader and other options to each. At a damaged option the list
// ends: nothing depends on it.
func (f *pcapng) options(r *Reader, b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := f.order.Uint16(b), uint32(f.order.Uint16(b[2:]))
		b = b[4:]
		if code == optEnd || n > uint32(len(b)) {
			return
		}
		switch {
		case code == optComment:
			r.comment(b[:n])
		case each != nil:
			each(code, b[:n])
		}
		b = b[min(padded(n), uint32(len(b))):]
	}
}
