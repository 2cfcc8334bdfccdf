package keylog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A Growing reads a key log that a program is still writing, in pieces that may end anywhere. What
// stands in several lines, such as a report, may come in several pieces.
type Growing struct {
	reading  reading
	split    lineSplitter
	encoding encoding
	raw      []byte // bytes that are no text yet
	text     []byte // a line whose end has not come
	session  []byte // see Log
	first    int    // see Counts
	other    error  // what it is that is not a key log
}

// Grow returns a Growing that adds to l.
func (l *Log) Grow() *Growing { return &Growing{reading: reading{log: l}} }

// Write reads a piece. An error is about lines, as that of Merge; all others were read.
func (g *Growing) Write(piece []byte) (int, error) {
	before := g.other
	g.read(piece, false)
	if g.other != nil && before == nil {
		return len(piece), g.other
	}
	return len(piece), g.within(g.reading.pause)
}

// Flush reads a last line that has no end yet, if its secret is whole.
func (g *Growing) Flush() error {
	return g.within(func() error {
		if label, values := g.reading.log.find(bytes.Fields(g.text)); whole(label, values) {
			g.lines(true)
		}
		return g.reading.pause()
	})
}

// Close reads the last line, and what is complete only at the end.
func (g *Growing) Close() error {
	if g.read(nil, true); g.other != nil {
		return g.other
	}
	return g.within(g.reading.end)
}

// firstBytes is how many bytes show what a file is.
const firstBytes = 8

// read reads the lines that are complete with a piece, or all if there will be no other.
func (g *Growing) read(piece []byte, atEOF bool) {
	g.raw = append(g.raw, piece...)
	if g.encoding.name == "" {
		if len(g.raw) < firstBytes && !atEOF {
			return
		}
		g.encoding = encodingOf(g.raw[:min(len(g.raw), firstBytes)])
		if what := otherFile(g.raw); what != "" {
			g.encoding.name, g.other = "no text", errors.New("keylog: this is "+what)
		}
		g.raw = g.raw[g.encoding.mark:]
	}
	if g.other != nil {
		g.raw = nil
	}
	text, left := g.encoding.appendUTF8(g.text, g.raw)
	g.text, g.raw = text, append(g.raw[:0], left...)
	g.within(func() error {
		g.lines(atEOF)
		return nil
	})
}

// lines reads the lines of the text that came.
func (g *Growing) lines(atEOF bool) {
	r, rest := &g.reading, g.text
	for {
		n, line, _ := g.split.next(rest, atEOF)
		if n == 0 {
			break
		}
		if rest = rest[n:]; line == nil {
			continue // a part of a line that is too long
		}
		r.n++
		if g.split.tooLong {
			r.fail(r.n, errLongLine)
			continue
		}
		r.line(line)
	}
	g.text = append(g.text[:0], rest...)
}

// within runs f while the log has the state of this file: several may be read by turns.
func (g *Growing) within(f func() error) error {
	l := g.reading.log
	l.session, l.counts.First, l.counts.Encoding = g.session, g.first, g.encoding.name
	err := f()
	g.session, g.first = l.session, l.counts.First
	return err
}

// String returns nothing of what was read.
func (g Growing) String() string { return "keylog.Growing" }

// Format prints what String returns, whatever the verb.
func (g Growing) Format(f fmt.State, _ rune) { io.WriteString(f, g.String()) }

// MarshalText returns what Format prints.
func (g Growing) MarshalText() ([]byte, error) { return []byte(g.String()), nil }
