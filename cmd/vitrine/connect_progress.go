package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// progress says on a terminal what a command does: a line for each step, and one whenever nothing
// was printed for a second. A nil *progress says nothing.
type progress struct {
	w    io.Writer
	done chan struct{}
	over chan struct{} // closed when nothing more is printed

	mu    sync.Mutex
	what  string    // what takes its time, or "" if nobody is to be told
	since time.Time // since when
	said  time.Time // when something was printed
	inner bool      // what was printed last did not end a line
}

// newProgress returns a progress that is told on standard error, or nil if that is not a terminal.
func newProgress(cmd *cobra.Command) *progress {
	f, ok := cmd.ErrOrStderr().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return startProgress(f, time.Second)
}

func startProgress(w io.Writer, every time.Duration) *progress {
	p := &progress{w: w, done: make(chan struct{}), over: make(chan struct{}), said: time.Now()}
	go func() {
		defer close(p.over)
		tick := time.NewTicker(every / 50)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.remind(every)
			case <-p.done:
				return
			}
		}
	}()
	return p
}

// remind says that a step still takes its time, if nothing was printed for so long.
func (p *progress) remind(every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.what == "" || now.Sub(p.said) < every-every/50 {
		return
	}
	line := p.what
	if s := math.Round(now.Sub(p.since).Seconds()); s > 0 {
		line += fmt.Sprintf(": %.0f s", s)
	}
	p.print(line)
}

// print writes a line. The caller holds p.mu.
func (p *progress) print(line string) {
	if p.inner {
		line = "\n… " + line
	} else {
		line = "… " + line
	}
	fmt.Fprintln(p.w, line)
	p.said, p.inner = time.Now(), false
}

// step says what is done next.
func (p *progress) step(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.since = fmt.Sprintf(format, args...), time.Now()
	p.print(p.what)
}

// during sets what takes its time until stop is called. An empty text says nothing.
func (p *progress) during(what string) (stop func()) {
	if p == nil {
		return func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before, since := p.what, p.since
	p.what, p.since = what, time.Now()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.what, p.since = before, since
	}
}

// stop ends what p says.
func (p *progress) stop() {
	if p != nil {
		close(p.done)
		<-p.over
	}
}

// beside returns a writer to w whose text counts as something that was printed.
func (p *progress) beside(w io.Writer) io.Writer {
	if p == nil {
		return w
	}
	return &besideWriter{w, p}
}

type besideWriter struct {
	w io.Writer
	p *progress
}

func (b *besideWriter) Write(text []byte) (int, error) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	n, err := b.w.Write(text)
	if n > 0 {
		b.p.said, b.p.inner = time.Now(), text[n-1] != '\n'
	}
	return n, err
}
