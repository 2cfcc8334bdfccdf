package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
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
	if f := pcapOf(magic); f != nil {
		c.format = f
		return c, nil
	}
	begin, _ := in.Peek(512)
	if name, command := foreignOf(begin); name != "" {
		return nil, fmt.Errorf("capture: it is %s, which is not read here; first: %s", name,
			command)
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
