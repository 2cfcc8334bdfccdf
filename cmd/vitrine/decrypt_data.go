package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/iana"
)

// dataFile is where one direction's data goes. It is open only while it is written to: there may be
// more connections than open files.
type dataFile struct {
	name  string
	buf   []byte
	begun bool
}

// fileBuffer is how much is written at once. When all files together have maxUnwritten, each writes
// what it has.
const (
	fileBuffer   = 32 << 10
	maxUnwritten = 32 << 20
)

// unwritten is how much all files together have to write.
var unwritten atomic.Int64

func (f *dataFile) write(b []byte) error {
	f.buf = append(f.buf, b...)
	if n := unwritten.Add(int64(len(b))); len(f.buf) < fileBuffer && n < maxUnwritten {
		return nil
	}
	return f.flush()
}

func (f *dataFile) flush() error {
	open := newFile
	if f.begun {
		open = appendFile
	}
	f.begun = true
	unwritten.Add(-int64(len(f.buf)))
	b := f.buf
	if f.buf = f.buf[:0]; unwritten.Load() > maxUnwritten/2 {
		f.buf = nil
	}
	out, err := open(f.name)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	_, err = out.Write(b)
	return errors.Join(err, out.Close())
}

func (f *dataFile) close() error {
	if f == nil || len(f.buf) == 0 && f.begun {
		return nil
	}
	err := f.flush()
	f.buf = nil
	return err
}

// printout writes data as it comes, and says whose it is whenever that changes.
type printout struct {
	mu     sync.Mutex
	number int
	from   iana.Side
	begun  bool
	last   byte
}

func (p *printout) write(w io.Writer, number int, from iana.Side, plain []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b []byte
	if !p.begun || p.number != number || p.from != from {
		if p.begun && p.last != '\n' {
			b = append(b, '\n')
		}
		b = fmt.Appendf(b, "-- stream %d, the %v says --\n", number, from)
		p.begun, p.number, p.from = true, number, from
	}
	if b = appendVisible(b, plain); len(b) == 0 { // carriage returns alone
		return nil
	}
	p.last = b[len(b)-1]
	_, err := w.Write(b)
	return err
}

// appendVisible shows text as it is, and what would move the cursor or is no text as a dot.
func appendVisible(dst, b []byte) []byte {
	for _, r := range string(b) {
		switch {
		case r == '\n' || r == '\t':
			dst = append(dst, byte(r))
		case r == '\r':
		case !unicode.IsGraphic(r) || r == utf8.RuneError: // controls, bidirectional ones too
			dst = append(dst, '.')
		default:
			dst = append(dst, string(r)...)
		}
	}
	return dst
}
