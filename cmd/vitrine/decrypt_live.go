package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
)

// quiet is how long a live capture waits before it looks around: for a longer key log, for an
// interrupt.
const quiet = 200 * time.Millisecond

// growing is a file that somebody still writes to: its end is only the end for now.
type growing struct {
	f    *os.File
	done <-chan struct{}
	idle func()
}

func (g *growing) Read(p []byte) (int, error) {
	for {
		n, err := g.f.Read(p)
		if n > 0 || err != nil && err != io.EOF {
			return n, err
		}
		if g.idle != nil {
			g.idle()
		}
		select {
		case <-g.done:
			return 0, io.EOF
		case <-time.After(quiet):
		}
	}
}

// openGrowing reads a file while it grows. It waits for its first bytes.
func (p *packets) openGrowing(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, plainer(err))
	}
	p.shut = append(p.shut, func() { f.Close() })
	p.live, p.late = true, true
	p.growing = &growing{f: f, done: p.ctx.Done()}
	p.once = &lazy{open: func() (*capture.Reader,
		error) {
		return capture.OpenContext(p.ctx, p.growing)
	}}
	return nil
}

// lazy opens a capture when the first packet is wanted.
type lazy struct {
	open    func() (*capture.Reader, error)
	secrets func(capture.SecretsType, []byte)
	r       *capture.Reader
}

func (l *lazy) Next() (capture.Packet, error) {
	if l.r == nil {
		r, err := l.open()
		if err != nil {
			return capture.Packet{}, err
		}
		r.Secrets = l.secrets
		l.r = r
	}
	return l.r.Next()
}
