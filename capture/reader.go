package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// SecretsType says what a Decryption Secrets Block contains, by the number in
// draft-ietf-opsawg-pcapng.
type SecretsType uint32

// SecretsTLSKeyLog is a TLS key log in the form of RFC 9850.
const SecretsTLSKeyLog SecretsType = 0x544C534B

// A Reader returns the packets of a capture file or stream. To follow a growing file, give it an
// io.Reader that waits at the end. It is not safe for concurrent use.
type Reader struct {
	// Secrets, if set before the first Next, receives the content of each Decryption Secrets Block
	// as it occurs in the file, which may be after the packets that it decrypts. The bytes are
	// valid during the call.
	Secrets func(SecretsType, []byte)

	// Comment, if set before the first Next, receives the comments of sections, interfaces, packets
	// and secrets. Some captures carry their keys in one.
	Comment func(string)

	in     *bufio.Reader
	format format
	drop   int    // bytes of in that the last block occupies until the next call
	long   []byte // the buffer of a block that is longer than in's
	offset int64  // of the next block
	number int
	err    error
}

// format reads the packets of one kind of file. ok is false for a block that is not a packet.
type format interface {
	next(*Reader) (p Packet, ok bool, err error)
}

const (
	bufferSize = 256 << 10 // longer blocks are copied
	maxPacket  = 256 << 10 // the longest packet that capturing programs write
	maxBlock   = 16 << 20  // more than a packet: secrets and comments can be long
)

// Open recognizes the format of a capture by its first bytes, also within gzip. It reads no more
// than a buffer before the first Next.
func Open(r io.Reader) (*Reader, error) { return OpenContext(context.Background(), r) }

// OpenContext is like Open, but reading fails with the error of ctx once ctx is done, also within
// skipped blocks: a few bytes of gzip can stand for a block that takes minutes.
func OpenContext(ctx context.Context, r io.Reader) (*Reader, error) {
	r = interruptible{ctx, r}
	in := bufio.NewReaderSize(r, bufferSize)
	if b, _ := in.Peek(2); len(b) == 2 && b[0] == 0x1F && b[1] == 0x8B {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("capture: gzip: %w", err)
		}
		in = bufio.NewReaderSize(interruptible{ctx, z}, bufferSize)
	}
	magic, err := in.Peek(4)
	if err == io.EOF {
		return nil, fmt.Errorf("capture: %d bytes are too few for a capture", len(magic))
	}
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	c := &Reader{in: in}
	if bytes.Equal(magic, []byte{0x0A, 0x0D, 0x0D, 0x0A}) {
		c.format = new(pcapng)
		return c, nil
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(magic) {
		case 0xA1B2C3D4:
			c.format = &pcap{order: order, tick: time.Microsecond, header: 16}
		case 0xA1B23C4D:
			c.format = &pcap{order: order, tick: time.Nanosecond, header: 16}
		case 0xA1B2CD34: // written by patched programs around the year 2000
			c.format = &pcap{order: order, tick: time.Microsecond, header: 24}
		default:
			continue
		}
		return c, nil
	}
	begin, _ := in.Peek(16)
	for _, f := range foreign {
		if bytes.HasPrefix(begin, []byte(f.begins)) {
			return nil, fmt.Errorf("capture: it is %s, which is not read here; first: %s", f.name,
				f.command)
		}
	}
	if what := textOf(in); what != "" {
		return nil, fmt.Errorf("capture: it is %s, not a capture", what)
	}
	return nil, fmt.Errorf("capture: neither pcap nor pcapng: the file begins with %x", magic)
}

// texts are what a text is that is taken for a capture, by what is in its beginning.
var texts = []struct{ has, name string }{
	{"CLIENT_RANDOM ", "a key log"}, {"TRAFFIC_SECRET", "a key log"},
	{"RSA Session-ID:", "a key log"},
	{"PRIVATE KEY-----", "a private key"}, {"-----BEGIN CERTIFICATE", "a certificate"},
	{"\n0010  ", "a hex dump of packets (text2pcap FILE new.pcap makes a capture of it)"},
	{"\n0010 ", "a hex dump of packets (text2pcap FILE new.pcap makes a capture of it)"},
	{"\n000010 ", "a hex dump of packets (text2pcap FILE new.pcap makes a capture of it)"},
}

// textOf says what a file of text is, or returns "" if it is none.
func textOf(in *bufio.Reader) string {
	start, _ := in.Peek(512)
	for _, c := range start {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return ""
		}
	}
	for _, t := range texts {
		if bytes.Contains(start, []byte(t.has)) {
			return t.name
		}
	}
	return "text"
}

// convert makes a capture of another program's one that is read.
const convert = "editcap FILE new.pcapng (it comes with Wireshark)"

// foreign are other files that captures come in, by how they begin.
var foreign = []struct{ begins, name, command string }{
	{"\x28\xB5\x2F\xFD", "compressed with zstd", "zstd -d FILE"},
	{"\xFD7zXZ\x00", "compressed with xz", "xz -d FILE"},
	{"BZh", "compressed with bzip2", "bzip2 -d FILE"},
	{"\x04\x22\x4D\x18", "compressed with lz4", "lz4 -d FILE"},
	{"PK\x03\x04", "a zip archive", "unzip FILE"},
	{"PK\x05\x06", "an empty zip archive", "look where the capture is"},
	{"7z\xBC\xAF\x27\x1C", "a 7z archive", "7z x FILE"},
	{"Rar!", "a rar archive", "unrar x FILE"},
	{"snoop\x00\x00\x00", "a capture of Solaris's snoop", convert},
	{"GMBU", "a capture of Microsoft's Network Monitor 2", convert},
	{"RTSS", "a capture of Microsoft's Network Monitor 1", convert},
	{"XCP\x00", "a capture of NetXRay or Windows's Sniffer", convert},
	{"TRSNIFF data", "a capture of DOS's Sniffer", convert},
	{"\xAA\xAA\xAA\xAA", "a capture of InfoVista's 5View", convert},
	{"TR\x00\x64", "a trace of HP-UX's nettl", convert},
	{"ObserverPktBuff", "a capture of Observer", convert},
	{"+---------+----", "a text of Tektronix's K12", convert},
	{"\x01\x10\x4C\x00", "a capture of Novell's LANalyzer", convert},
	{"\x05VNF", "a capture of Visual Networks", convert},
	{"btsnoop\x00", "a capture of Bluetooth", "none of its packets has TCP"},
	{"\x7Fver", "a capture of OmniPeek or EtherPeek", convert},
	{"<?xml", "XML, such as PDML", "export pcapng from the program that wrote it"},
	{"{", "JSON, such as tshark -T json or a HAR", "export pcapng from the program that wrote it"},
	{"[", "JSON, such as tshark -T json", "export pcapng from the program that wrote it"},
}

// interruptible reads until a context is done.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// MayHoldSecrets reports whether the format has a place for secrets: pcapng does, pcap does not.
func (r *Reader) MayHoldSecrets() bool {
	_, ok := r.format.(*pcapng)
	return ok
}

// Next returns the next packet. At the end of the capture the error is io.EOF. Any other error says
// at which byte the file is damaged or cut short. All later calls return the same error.
func (r *Reader) Next() (Packet, error) {
	for r.err == nil {
		p, ok, err := r.format.next(r)
		switch {
		case err == io.EOF:
			r.err = io.EOF
		case err != nil:
			r.err = fmt.Errorf("capture: byte %d, after packet %d: %w", r.offset, r.number, err)
		case ok:
			r.number++
			p.Number = r.number
			return p, nil
		}
	}
	return Packet{}, r.err
}

// peek returns the next n bytes without consuming them, or io.EOF if there are none.
func (r *Reader) peek(n int) ([]byte, error) {
	if r.drop > 0 {
		r.in.Discard(r.drop) // cannot fail: these bytes are buffered
		r.drop = 0
	}
	b, err := r.in.Peek(n)
	return b, r.cut(len(b), n, err)
}

// take consumes and returns the next n bytes, which are valid until the next call.
func (r *Reader) take(n int) ([]byte, error) {
	if n <= bufferSize {
		b, err := r.peek(n)
		if err == nil {
			r.drop = n
			r.offset += int64(n)
		}
		return b, err
	}
	if _, err := r.peek(0); err != nil {
		return nil, err
	}
	long := bytes.NewBuffer(r.long[:0]) // grows with what is there, not with what the length claims
	got, err := io.CopyN(long, r.in, int64(n))
	r.long = long.Bytes()
	if err := r.cut(int(got), n, err); err != nil {
		return nil, err
	}
	r.offset += int64(n)
	return r.long, nil
}

// skip consumes n bytes without storing them.
func (r *Reader) skip(n int64) error {
	if _, err := r.peek(0); err != nil {
		return err
	}
	for n > 0 {
		step, err := r.in.Discard(int(min(n, 1<<30)))
		n -= int64(step)
		r.offset += int64(step)
		if err != nil {
			return noEOF(err)
		}
	}
	return nil
}

// cut returns io.EOF for a file that ends between blocks and io.ErrUnexpectedEOF for one that ends
// within one.
func (r *Reader) cut(got, want int, err error) error {
	if err == io.EOF && got > 0 && got < want {
		return fmt.Errorf("cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func (r *Reader) comment(text []byte) {
	if r.Comment != nil {
		r.Comment(string(text))
	}
}

// pcap reads a pcap file.
type pcap struct {
	order  binary.ByteOrder
	tick   time.Duration
	header int // bytes, of each packet
	link   LinkType
	begun  bool
}

func (f *pcap) next(r *Reader) (Packet, bool, error) {
	if !f.begun {
		h, err := r.take(24)
		if err != nil {
			return Packet{}, false, noEOF(err)
		}
		f.begun = true
		// The upper half may be the length of a frame check sequence.
		f.link = LinkType(f.order.Uint32(h[20:]))
	}
	h, err := r.peek(f.header)
	if err != nil {
		return Packet{}, false, err
	}
	n, length := f.order.Uint32(h[8:]), f.order.Uint32(h[12:])
	if n > maxPacket {
		return Packet{}, false,
			fmt.Errorf("a packet of %d bytes, expected at most %d", n, maxPacket)
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

// noEOF returns the error for an end of the file where it must continue.
func noEOF(err error) error {
	if err == io.EOF {
		return fmt.Errorf("cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}
