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
	begin, _ := in.Peek(512)
	for _, f := range foreign {
		if len(begin) > f.at && bytes.HasPrefix(begin[f.at:], []byte(f.has)) {
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

// foreign are other files that captures come in, by what they have at an offset in bytes.
var foreign = []struct {
	at                 int
	has, name, command string
}{
	{0, "\x28\xB5\x2F\xFD", "compressed with zstd", "zstd -d FILE"},
	{0, "\xFD7zXZ\x00", "compressed with xz", "xz -d FILE"},
	{0, "BZh", "compressed with bzip2", "bzip2 -d FILE"},
	{0, "\x04\x22\x4D\x18", "compressed with lz4", "lz4 -d FILE"},
	{0, "PK\x03\x04", "a zip archive", "unzip FILE"},
	{0, "PK\x05\x06", "an empty zip archive", "look where the capture is"},
	{0, "7z\xBC\xAF\x27\x1C", "a 7z archive", "7z x FILE"},
	{0, "Rar!", "a rar archive", "unrar x FILE"},
	{257, "ustar", "a tar archive", "tar -xf FILE"},
	{0, "snoop\x00\x00\x00", "a capture of Solaris's snoop", convert},
	{0, "GMBU", "a capture of Microsoft's Network Monitor 2", convert},
	{0, "RTSS", "a capture of Microsoft's Network Monitor 1", convert},
	{0, "XCP\x00", "a capture of NetXRay or Windows's Sniffer", convert},
	{0, "TRSNIFF data", "a capture of DOS's Sniffer", convert},
	{0, "\xAA\xAA\xAA\xAA", "a capture of InfoVista's 5View", convert},
	{0, "TR\x00\x64", "a trace of HP-UX's nettl", convert},
	{0, "ObserverPktBuff", "a capture of Observer", convert},
	{0, "+---------+----", "a text of Tektronix's K12", convert},
	{0, "\x01\x10\x4C\x00", "a capture of Novell's LANalyzer", convert},
	{0, "\x05VNF", "a capture of Visual Networks", convert},
	{0, "btsnoop\x00", "a capture of Bluetooth", "none of its packets has TCP"},
	{0, "\x7Fver", "a capture of OmniPeek or EtherPeek", convert},
	{0, "<?xml", "XML, such as PDML", "export pcapng from the program that wrote it"},
	{0, "{", "JSON, such as tshark -T json or a HAR",
		"export pcapng from the program that wrote it"},
	{0, "[", "JSON, such as tshark -T json", "export pcapng from the program that wrote it"},
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
