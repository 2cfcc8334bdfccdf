package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// bar shows how much of a long file was read.
type bar struct {
	w     io.Writer
	in    *packets
	begin time.Time
	last  time.Time
}

// longFile is the size of a file, in bytes, from which a bar is shown.
const longFile = 100 << 20

// newBar returns nil if no bar is to be shown.
func newBar(in *packets, s *showing) *bar {
	f, ok := in.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || in.size < longFile || in.at == nil || s.print {
		return nil
	}
	return &bar{w: f, in: in, begin: time.Now()}
}

func (b *bar) show() {
	if b == nil || time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.last = time.Now()
	const width = 40
	read := b.in.at()
	done := int(min(read, b.in.size) * width / b.in.size)
	speed := float64(read) / (1 << 20) / time.Since(b.begin).Seconds()
	fmt.Fprintf(b.w, "\r[%s%s] %3d%%  %.0f MiB/s ", strings.Repeat("#", done),
		strings.Repeat(".", width-done), min(read, b.in.size)*100/b.in.size, speed)
}

func (b *bar) end() {
	if b != nil {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", 70))
	}
}
