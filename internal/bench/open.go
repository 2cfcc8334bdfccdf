package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/flood"
)

// A crowd is a server whose Size connections are open, each with a goroutine that waits in Read.
// Their peers are in a process of their own, at the other end of Unix sockets, of which there can
// be more than of a loopback's ports.
type crowd struct {
	e        ends
	listener net.Listener
	orders   io.Writer // to the peers: how many connections to open; or 0, one that is closed again
	before   int       // bytes of this process, without the connections
}

// crowded returns what performs one handshake beside the open connections, or measures them.
func (j job) crowded(e ends) (once func() (int, error), err error) {
	if err := allowFiles(j.Size + 100); err != nil {
		return nil, fmt.Errorf("%d open files: %w", j.Size, err)
	}
	c := &crowd{e: e}
	name := filepath.Join(j.Dir, fmt.Sprintf("%d.socket", os.Getpid()))
	if c.listener, err = net.Listen("unix", name); err != nil {
		return nil, err
	}
	if c.orders, err = j.peers(name); err != nil {
		return nil, err
	}
	for range warm { // not counted, but held once, and pools
		if err := c.shake(); err != nil {
			return nil, err
		}
	}
	c.before = resident()
	if err := c.gather(j.Size); err != nil {
		return nil, err
	}
	if j.What == held {
		return func() (int, error) { return (resident() - c.before) / j.Size, nil }, nil
	}
	return func() (int, error) { return 0, c.shake() }, nil
}

// shake performs a handshake, on a connection that is then closed.
func (c *crowd) shake() error {
	fmt.Fprintln(c.orders, 0)
	s, err := c.accept()
	if err != nil {
		return err
	}
	defer s.Close() // whose close_notify finds nobody
	if _, err = s.Read([]byte{0}); err == io.EOF {
		return nil
	}
	return err
}

// accept returns the next connection, after its handshake.
func (c *crowd) accept() (end, error) {
	n, err := c.listener.Accept()
	if err != nil {
		return nil, err
	}
	s := c.e.server(n)
	return s, s.Handshake()
}

// gather opens n connections.
func (c *crowd) gather(n int) error {
	fmt.Fprintln(c.orders, n)
	for range n {
		s, err := c.accept()
		if err != nil {
			return err
		}
		go s.Read([]byte{0})
	}
	return nil
}

// peers starts the other process.
func (j job) peers(name string) (orders io.Writer, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	j.What, j.Peer = peer, name
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env, cmd.Stderr = append(os.Environ(), workerEnv+"="+string(text)), os.Stderr
	if orders, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return orders, cmd.Start()
}

// obey is the process of the peers. It ends with the server's.
func (j job) obey(in io.Reader) error {
	if err := allowFiles(j.Size + 100); err != nil {
		return err
	}
	e, err := j.ends()
	if err != nil {
		return err
	}
	var all []end
	defer func() { runtime.KeepAlive(all) }() // so that none is collected
	for n := 0; ; {
		if _, err := fmt.Fscan(in, &n); err != nil {
			return nil
		}
		for range max(n, 1) {
			conn, err := net.Dial("unix", j.Peer)
			if err != nil {
				return err
			}
			c := e.client(conn)
			if err := c.Handshake(); err != nil {
				return err
			}
			if n > 0 {
				all = append(all, c)
			} else if err := c.Close(); err != nil {
				return err
			}
		}
	}
}

// resident returns how many bytes of this process are in memory, where Linux says it, or else what
// the runtime holds. What is free is given back to the system before.
func resident() int {
	debug.FreeOSMemory()
	debug.FreeOSMemory() // pools keep what they have for one collection
	text, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); len(fields) > 1 {
		return atoi(fields[1]) * os.Getpagesize()
	}
	return flood.Held()
}
