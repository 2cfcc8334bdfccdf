package costs_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// countedWrites counts the system calls of what is sent.
type countedWrites struct {
	net.Conn
	writes  atomic.Int32
	written chan struct{}
}

func (c *countedWrites) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.writes.Add(1)
	c.written <- struct{}{}
	return n, err
}

// await waits for the next write.
func (c *countedWrites) await(t *testing.T) {
	select {
	case <-c.written:
	case <-time.After(time.Minute):
		t.Fatal("nothing was written")
	}
}

// The tickets of TLS 1.3 cost no write of their own if the server answers first, and a server that
// waits, or closes, sends them before. See RFC 8446 §4.6.1.
func TestTicketsAreSentWithTheNextData(t *testing.T) {
	for _, c := range []struct {
		next   string
		do     func(*vitrine.Conn) error // at the server, after its handshake
		writes int32                     // its flight, and what comes next
		err    error                     // of the client's Read
	}{
		{"a write", func(s *vitrine.Conn) error {
			_, err := s.Write([]byte{1})
			return err
		}, 2, nil},
		{"a read and a write", func(s *vitrine.Conn) error {
			if _, err := s.Read(make([]byte, 1)); err != nil {
				return err
			}
			_, err := s.Write([]byte{1})
			return err
		}, 3, nil},
		{"the end", (*vitrine.Conn).Close, 2, io.EOF},
	} {
		a, b := rig.Wires(t)
		wire := &countedWrites{Conn: b, written: make(chan struct{}, 10)}
		cache := vitrine.NewLRUClientSessionCache(4)
		client := vitrine.Client(a, rig.ClientConfig(rig.Only13,
			func(c *vitrine.Config) { c.ClientSessionCache = cache }))
		server := vitrine.Server(wire, rig.ServerConfig(t, rig.Only13))
		if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		if _, ok := cache.Get(rig.ServerName); ok {
			t.Errorf("%s: there are tickets before it", c.next)
		}
		wire.await(t)
		done := make(chan error)
		go func() { done <- c.do(server) }()
		if c.writes == 3 {
			wire.await(t) // the read waits only when the tickets are out
			if _, err := client.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.Read(make([]byte, 1)); err != c.err {
			t.Errorf("%s: the client reads %v, expected %v", c.next, err, c.err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", c.next, err)
		}
		if n := wire.writes.Load(); n != c.writes {
			t.Errorf("%s: the server wrote %d times, expected %d", c.next, n, c.writes)
		}
		if _, ok := cache.Get(rig.ServerName); !ok {
			t.Errorf("%s: the client has no ticket", c.next)
		}
	}
}
