// Package flood has a peer for tests that sends without end and reads nothing, as in the attacks of
// CVE-2019-9511 to 9518, and measures the memory that a process holds.
package flood

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// A Peer is a client whose handshake is done.
type Peer struct {
	conn   net.Conn
	engine *engine.Engine
}

// Dial connects to a server over TCP with a small receive buffer, so that the server's writes soon
// block, and performs a handshake without checking the server.
func Dial(addr string, protocols ...string) (*Peer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		return nil, err
	}
	return Client(conn, protocols...)
}

// Client performs a client's handshake over conn without checking the server.
func Client(conn net.Conn, protocols ...string) (*Peer, error) {
	p := &Peer{conn, engine.NewEngine(iana.Client, &handshake.Config{
		Rand: rand.Reader,
		Parameters: handshake.Parameters{
			MinVersion: iana.TLS12, MaxVersion: iana.TLS12,
			Suites:    []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			Groups:    []iana.Group{iana.X25519, iana.Secp256r1},
			Schemes:   []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256},
			Protocols: protocols,
		},
		Trust: handshake.Trust{Skip: true},
	})}
	for !p.engine.Machine().Done() {
		err := p.engine.Advance()
		if slow, ok := errors.AsType[*handshake.Pending](err); ok {
			err = slow.Do(context.Background())
		} else if err == nil {
			err = p.move()
		}
		if err != nil {
			conn.Close()
			return nil, fmt.Errorf("flood: %w", err)
		}
	}
	return p, nil
}

// move writes what is sealed and, unless the handshake is done, reads.
func (p *Peer) move() error {
	if err := p.flush(); err != nil || p.engine.Machine().Done() {
		return err
	}
	n, err := p.conn.Read(p.engine.In.Space())
	p.engine.In.Arrived(n)
	return err
}

// patience bounds a write to a side that has stopped reading: it may wait for us to read its answer.
const patience = 5 * time.Second

func (p *Peer) flush() error {
	b := p.engine.Out.Sealed()
	if len(b) == 0 {
		return nil
	}
	defer p.engine.Out.Sent()
	p.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := p.conn.Write(b)
	return err
}

// Send sends application data.
func (p *Peer) Send(data []byte) error {
	if err := p.engine.Out.Seal(iana.RecordApplicationData, data); err != nil {
		return err
	}
	return p.flush()
}

// Ask requests n renegotiations. data after each request keeps them from being too many in a row.
func (p *Peer) Ask(n int, data []byte) error {
	hello := make([]byte, message.HeaderLen)
	hello[0] = byte(iana.ClientHello)
	for i := range n {
		if err := p.engine.Out.Seal(iana.RecordHandshake, hello); err != nil {
			return err
		}
		if err := p.engine.Out.Seal(iana.RecordApplicationData, data); err != nil {
			return err
		}
		if i%256 == 255 || i == n-1 {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close closes the connection.
func (p *Peer) Close() error { return p.conn.Close() }

// Held returns the number of bytes in live objects and in stacks of this process.
func Held() int {
	var m runtime.MemStats
	for range 3 { // the second collection empties pools
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
