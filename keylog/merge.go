package keylog

import (
	"fmt"
	"io"
)

// Read reads a key log. If lines cannot be read, the error names the first one and says how many
// there were, and the Log has all others. See RFC 9850 §2.
func Read(r io.Reader) (*Log, error) {
	l := new(Log)
	return l, l.Merge(r)
}

// Merge reads another key log into l, with the same errors as Read. Of several secrets with the
// same label and ID the last one stays, as in Wireshark, unless it is zeros. The text may be UTF-8
// or UTF-16, with or without a byte order mark, as PowerShell writes it. Besides what Parse reads
// it may be wrapped, in a hex dump, or what a program reports: javax.net.debug of Java up to 8,
// openssl s_client -trace, GnuTLS, and Wireshark's debug file.
func (l *Log) Merge(r io.Reader) error {
	g := l.Grow()
	size := 32 << 10
	if text, ok := r.(interface{ Len() int }); ok { // of a capture there may be very many
		size = min(size, text.Len()+1)
	}
	block := make([]byte, size)
	for {
		n, err := r.Read(block)
		g.read(block[:n], false)
		switch {
		case err == io.EOF:
			return g.Close()
		case err != nil:
			return fmt.Errorf("keylog: line %d: %w", g.reading.n+1, err)
		}
	}
}
