package rig

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/record"
)

// Deaf is a connection whose writes block, once it is stuck, until it is closed.
type Deaf struct {
	net.Conn
	Stuck   chan struct{} // closed: Writes block
	Entered chan struct{} // a blocked Write announces itself here
	Closed  chan struct{}
	once    sync.Once
}

func (d *Deaf) Write(b []byte) (int, error) {
	select {
	case <-d.Stuck:
	default:
		return d.Conn.Write(b)
	}
	select {
	case d.Entered <- struct{}{}:
	default:
	}
	<-d.Closed
	return 0, net.ErrClosed
}

func (d *Deaf) Close() error {
	d.once.Do(func() { close(d.Closed) })
	return d.Conn.Close()
}

func NewDeaf(c net.Conn) *Deaf {
	return &Deaf{
		Conn:    c,
		Stuck:   make(chan struct{}),
		Entered: make(chan struct{}, 1),
		Closed:  make(chan struct{}),
	}
}

// A middle stands before a socket and sends what edit makes of each Write. nil ends the stream.
type Middle struct {
	*net.TCPConn
	mu   sync.Mutex
	Edit func([]byte) [][]byte
}

func (m *Middle) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Edit == nil {
		return m.TCPConn.Write(b)
	}
	for _, part := range m.Edit(bytes.Clone(b)) {
		if part == nil {
			m.TCPConn.CloseWrite()
			m.Edit = func([]byte) [][]byte { return nil }
			break
		}
		if _, err := m.TCPConn.Write(part); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (m *Middle) SetEdit(edit func([]byte) [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Edit = edit
}

// CutAfter lets n bytes pass and then ends the stream.
func CutAfter(n int) func([]byte) [][]byte {
	return func(b []byte) [][]byte {
		if n < len(b) {
			return [][]byte{b[:n], nil}
		}
		n -= len(b)
		return [][]byte{b}
	}
}

// Counting counts the calls of a connection.
type Counting struct {
	net.Conn
	Reads, Writes atomic.Int64
}

func (c *Counting) Read(b []byte) (int, error) { c.Reads.Add(1); return c.Conn.Read(b) }

func (c *Counting) Write(b []byte) (int, error) { c.Writes.Add(1); return c.Conn.Write(b) }

// ReadRecord reads a record, its header included.
func ReadRecord(r io.Reader) ([]byte, error) {
	header := make([]byte, record.HeaderLen)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	raw := append(header, make([]byte, int(header[3])<<8|int(header[4]))...)
	_, err := io.ReadFull(r, raw[record.HeaderLen:])
	return raw, err
}
