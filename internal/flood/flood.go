// Package flood has a peer for tests that sends without end and reads nothing, as in the attacks of
// CVE-2019-9511 to 9518, and measures the memory that a process holds.
package flood

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
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

// Client performs a client's handshake over conn without checking the server, in TLS 1.2 or
// TLS 1.3, whichever the server prefers.
func Client(conn net.Conn, protocols ...string) (*Peer, error) {
	p := &Peer{conn, engine.NewEngine(iana.Client, &negotiation.Config{
		Rand: rand.Reader,
		Parameters: &negotiation.Parameters{
			MinVersion: iana.TLS12, MaxVersion: iana.TLS13,
			Suites:    []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			Suites13:  []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256},
			Groups:    []iana.Group{iana.X25519, iana.Secp256r1},
			Schemes:   []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256},
			Protocols: protocols,
		},
		Trust: negotiation.Trust{Skip: true},
	})}
	for !p.engine.Machine().Done() {
		err := p.engine.Proceed(context.Background())
		if err == nil {
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

// patience bounds a write to a side that has stopped reading: it may wait for us to read its
// answer.
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

// Ask makes n requests that a server has to answer: renegotiations in TLS 1.2, see RFC 5246
// §7.4.1.1, and updates of the server's keys in TLS 1.3, see RFC 8446 §4.6.3. data after each
// request keeps them from being too many in a row.
func (p *Peer) Ask(n int, data []byte) error {
	for i := range n {
		if err := p.request(); err != nil {
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

// request seals one request. A KeyUpdate is sealed here because engine.UpdateKeys repeats no
// request that is not answered.
func (p *Peer) request() error {
	if !p.engine.Machine().TLS13() {
		return p.engine.Out.Seal(iana.RecordHandshake, []byte{byte(iana.ClientHello), 0, 0, 0})
	}
	update := []byte{byte(iana.KeyUpdate), 0, 0, 1, byte(iana.UpdateRequested)}
	if err := p.engine.Out.Seal(iana.RecordHandshake, update); err != nil {
		return err
	}
	return p.engine.Machine().KeyUpdate(iana.Client)
}

// Close closes the connection.
func (p *Peer) Close() error { return p.conn.Close() }

// Held returns the number of bytes in live objects and in stacks of this process, once it has
// handled all input: when it allocates nothing any more, or after patience.
func Held() int {
	for end := time.Now().Add(patience); !quiet() && time.Now().Before(end); {
	}
	for range 3 { // the second collection empties pools
		runtime.GC()
	}
	return int(measure("/gc/heap/live:bytes") + measure("/memory/classes/heap/stacks:bytes"))
}

// Grown returns how many bytes more than before are held. If that is more than most, it measures
// again, for half a minute: on a loaded machine input can be on its way unseen.
func Grown(before, most int) int {
	for end := time.Now().Add(6 * patience); ; {
		if n := Held() - before; n <= most || time.Now().After(end) {
			return n
		}
	}
}

// quiet reports whether the process allocates next to nothing for a while, and not because it
// waits for a processor.
func quiet() bool {
	const pause, little = 50 * time.Millisecond, 32 << 10
	before := measure("/gc/heap/allocs:bytes")
	time.Sleep(pause)
	return measure("/gc/heap/allocs:bytes")-before < little && alone()
}

// alone reports whether no other goroutine could go on.
func alone() bool {
	return measure("/sched/goroutines/runnable:goroutines") == 0 &&
		measure("/sched/goroutines/running:goroutines") <= 1
}

func measure(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
