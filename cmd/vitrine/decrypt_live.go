package main

import (
	"io"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
)

// quiet is how long to wait for packets before key logs and interrupts are checked.
const quiet = 200 * time.Millisecond

// growing reads a file that another process still writes to. At its end, Read waits for more.
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

// openGrowing opens a capture that is still written. It need not have any bytes yet.
func (p *packets) openGrowing(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return ofInput(name, err)
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

// lazy opens a capture at the first call of Next.
type lazy struct {
	open    func() (*capture.Reader, error)
	secrets func(capture.SecretsType, []byte)
	opened  func(*capture.Reader)
	r       *capture.Reader
}

func (l *lazy) Next() (capture.Packet, error) {
	if l.r == nil {
		r, err := l.open()
		if err != nil {
			return capture.Packet{}, err
		}
		r.Secrets = l.secrets
		if l.r = r; l.opened != nil {
			l.opened(r)
		}
	}
	return l.r.Next()
}
