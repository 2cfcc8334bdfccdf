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

// dataFile is the file for one direction's data. It is open only during a write, because there may
// be more connections than files that a process can open.
type dataFile struct {
	name  string
	buf   []byte
	begun bool
}

// A dataFile is written when it has fileBuffer bytes, or any write comes while all files together
// have maxUnwritten.
const (
	fileBuffer   = 32 << 10
	maxUnwritten = 32 << 20
)

// unwritten is how many bytes all files together have in their buffers.
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

// printout writes data as it comes, with a heading whenever the connection or the direction
// changes.
type printout struct {
	mu     sync.Mutex
	number string
	from   iana.Side
	begun  bool
	last   byte
}

func (p *printout) write(w io.Writer, number string, from iana.Side, plain []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b []byte
	if !p.begun || p.number != number || p.from != from {
		if p.begun && p.last != '\n' {
			b = append(b, '\n')
		}
		b = fmt.Appendf(b, "-- stream %s, the %v says --\n", number, from)
		p.begun, p.number, p.from = true, number, from
	}
	if b = appendVisible(b, plain); len(b) == 0 { // it has only carriage returns
		return nil
	}
	p.last = b[len(b)-1]
	_, err := w.Write(b)
	return err
}

// appendVisible appends text with a dot for everything that is not graphic, a line feed or a tab.
// Carriage returns are dropped.
func appendVisible(dst, b []byte) []byte {
	for _, r := range string(b) {
		switch {
		case r == '\n' || r == '\t':
			dst = append(dst, byte(r))
		case r == '\r':
		case !unicode.IsGraphic(r) || r == utf8.RuneError: // controls, even those of direction
			dst = append(dst, '.')
		default:
			dst = append(dst, string(r)...)
		}
	}
	return dst
}
