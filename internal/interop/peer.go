package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// Peer is a running client or server of another stack.
type Peer struct {
	Addr string // where a server listens

	*process
	again func() (*Peer, error) // starts a server at another port
}

// process is what runs for a Peer.
type process struct {
	command []string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *os.File
	output  tail
	ended   chan struct{}
	err     error // how it ended; set before ended is closed
}

// Connect starts a client that connects to addr. When ctx ends, so does the process.
func (s *Stack) Connect(ctx context.Context, addr string, setup *Setup) (*Peer, error) {
	return s.start(ctx, iana.Client, addr, setup)
}

// Serve starts a server at a free port of the loopback interface. When ctx ends, so does the
// process.
func (s *Stack) Serve(ctx context.Context, setup *Setup) (*Peer, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p, err := s.start(ctx, iana.Server, addr, setup)
	if err == nil {
		p.again = func() (*Peer, error) { return s.Serve(ctx, setup) }
	}
	return p, err
}

func (s *Stack) start(ctx context.Context, as iana.Side, addr string, setup *Setup) (*Peer, error) {
	args := append(s.args(as, addr, setup), setup.Options...)
	p := &Peer{Addr: addr, process: &process{ended: make(chan struct{}),
		cmd: exec.CommandContext(ctx, s.tools[as], args...)}}
	p.command = p.cmd.Args
	if s.env != nil {
		p.cmd.Env = append(os.Environ(), s.env(setup)...)
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// Not StdoutPipe: Wait closes that, and the last output of the process may still be in it.
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.out, p.cmd.Stdout, p.cmd.Stderr = out, theirs, &p.output
	err = p.cmd.Start()
	theirs.Close()
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("interop: %w", err)
	}
	go func(p *process) {
		p.err = p.cmd.Wait()
		close(p.ended)
	}(p.process)
	return p, nil
}

// Dial connects to a server as soon as it listens. A server whose port was taken between our look
// and its own bind is started again at another.
func (p *Peer) Dial(ctx context.Context) (net.Conn, error) {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Addr)
		if err == nil {
			return c, nil
		}
		if p.again != nil && strings.Contains(p.Output(), "in use") {
			other, err := p.again()
			if err != nil {
				return nil, err
			}
			p.Kill()
			p.Addr, p.process = other.Addr, other.process
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("interop: %s ended before it listened: %v", p, p.err)
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(3 * time.Millisecond):
		}
	}
}

// Read reads what the peer received and, with some tools, what they print about it.
func (p *Peer) Read(b []byte) (int, error) { return p.out.Read(b) }

// Write makes the peer send b.
func (p *Peer) Write(b []byte) (int, error) { return p.in.Write(b) }

// CloseWrite closes the standard input of the peer. Whether the peer then closes its connection
// depends on its options.
func (p *Peer) CloseWrite() error { return p.in.Close() }

// Ended is closed when the process has ended.
func (p *Peer) Ended() <-chan struct{} { return p.ended }

// Wait waits until the process ends. The result is nil for exit status 0.
func (p *Peer) Wait() error {
	<-p.ended
	return p.err
}

// Kill ends the process and releases its resources.
func (p *Peer) Kill() {
	p.cmd.Process.Kill()
	<-p.ended
	p.out.Close()
}

// Output returns what the process has written to standard error, or the end of it.
func (p *Peer) Output() string { return p.output.String() }

// Says waits until what the process has written to standard error contains one of these texts, and
// reports whether that came in time. It is read by a goroutine of its own, and may arrive after
// what the process has sent since.
func (p *Peer) Says(limit time.Duration, texts ...string) bool {
	for end := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		said := p.Output()
		for _, text := range texts {
			if strings.Contains(said, text) {
				return true
			}
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// String returns the command as it could be typed.
func (p *Peer) String() string { return strings.Join(p.command, " ") }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailLen = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if extra := len(t.buf) - tailLen; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// Servers get ports below those that the kernel gives to any connection of this machine, which
// could take them before the server listens. The ports are in blocks, one for each run of tests.
const (
	lowPort   = 10000
	highPort  = 32000
	blockSize = 500
)

// block is a listener at the first port of a block, which reserves the block while this process
// runs.
var block = sync.OnceValues(func() (net.Listener, error) {
	const blocks = (highPort - lowPort) / blockSize
	first := rand.IntN(blocks)
	for i := range blocks {
		base := lowPort + (first+i)%blocks*blockSize
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base)); err == nil {
			return l, nil
		}
	}
	return nil, errors.New("interop: no free block of ports")
})

var nextPort atomic.Uint32

// freeAddr returns a free port of our block. Ports are tried in turn, so that none is used again
// soon.
func freeAddr() (string, error) {
	l, err := block()
	if err != nil {
		return "", err
	}
	base := l.Addr().(*net.TCPAddr).Port
	for range blockSize {
		addr := fmt.Sprintf("127.0.0.1:%d", base+1+int(nextPort.Add(1)%(blockSize-1)))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("interop: no free port")
}
