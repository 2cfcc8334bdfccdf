package parity_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
)

// beginningRows are about the handshake and what can be known before it.
func beginningRows() []row {
	return []row{
		{covers: "Conn.Handshake Conn.HandshakeContext ConnectionState.HandshakeComplete",
			what: "once for all", act: func(p *play) {
				p.shake()
				p.note("again %s, %s", sort(p.me().Handshake()),
					sort(p.me().HandshakeContext(context.Background())))
				cancelled, cancel := context.WithCancel(context.Background())
				cancel()
				p.note("with a context that is over: %s", sort(p.me().HandshakeContext(cancelled)))
			}},
		{covers: "Conn.HandshakeContext", what: "a context that ends", act: func(p *play) {
			p.dial()
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			p.note("%v", p.me().HandshakeContext(ctx) != nil)
			_, err := p.me().NetConn().Write(p.b[:])
			p.note("the connection below: %s", sort(err))
		}},
		{covers: "Conn.ConnectionState", what: "before the handshake", act: func(p *play) {
			p.dial()
			p.note("%+v", p.me().state().HandshakeComplete)
			p.note("%+v", p.me().state().CipherSuite)
		}},
		{covers: "Conn.ConnectionState", what: "that nobody asked for", differs: true,
			act: func(p *play) {
				p.dial()
				//lint:ignore SA1019 deprecated, and here as well
				p.note("mutual %v", p.me().state().NegotiatedProtocolIsMutual)
			}},
		{covers: "Conn.LocalAddr Conn.RemoteAddr Conn.NetConn", what: "those below",
			act: func(p *play) {
				p.dial()
				below := p.me().NetConn()
				p.note("%v %v", below.LocalAddr() == p.me().LocalAddr(),
					below.RemoteAddr() == p.me().RemoteAddr())
			}},
	}
}

// dataRows are about reading, writing and closing.
func dataRows() []row {
	return []row{
		{covers: "Conn.Read Conn.Write Conn.Close", what: "to the peer's close",
			act: func(p *play) {
				p.shake()
				other := p.other()
				n, err := p.me().Write([]byte("hello"))
				p.note("wrote %d, %s", n, sort(err))
				io.ReadFull(other, p.b[:5])
				n, err = p.me().Write(nil)
				p.note("wrote %d, %s", n, sort(err))
				n, err = p.me().Read(nil)
				p.note("read %d, %s", n, sort(err))
				other.Write([]byte("bye"))
				other.Close()
				n, err = io.ReadFull(p.me(), p.b[:3])
				p.note("read %q, %s", p.b[:n], sort(err))
				for range 2 {
					n, err = p.me().Read(p.b[:])
					p.note("read %d, %s", n, sort(err))
				}
			}},
		{covers: "Conn.Close Conn.Read Conn.Write", what: "after our close", act: func(p *play) {
			p.shake()
			p.note("close %s", sort(p.me().Close()))
			p.note("close %s", sort(p.me().Close()))
			_, err := p.me().Write(p.b[:])
			p.note("write %v", err != nil)
			_, err = p.me().Read(p.b[:])
			p.note("read %v", err != nil)
			_, err = p.other().Read(p.b[:])
			p.note("the other end reads %s", sort(err))
		}},
		{covers: "Conn.Close", what: "before the handshake", act: func(p *play) {
			p.dial()
			p.note("close %s, handshake %v", sort(p.me().Close()), p.me().Handshake() != nil)
		}},
		{covers: "Conn.CloseWrite", what: "and reading goes on", act: func(p *play) {
			p.dial()
			p.note("before the handshake %v", p.me().CloseWrite() != nil)
			p.shake()
			p.note("%s, %s", sort(p.me().CloseWrite()), sort(p.me().CloseWrite()))
			_, err := p.me().Write(p.b[:])
			p.note("write %v", err != nil)
			_, err = p.other().Read(p.b[:])
			p.note("the other end reads %s", sort(err))
			p.other().Write([]byte("more"))
			n, err := io.ReadFull(p.me(), p.b[:4])
			p.note("read %q, %s", p.b[:n], sort(err))
		}},
	}
}

// recordRows are about the lengths of the first records: the other end reads one at a time.
func recordRows() (rows []row) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, disabled := range []bool{false, true} {
			rows = append(rows, row{covers: "Config.DynamicRecordSizingDisabled",
				what: fmt.Sprintf("%v in %x", disabled, version), act: func(p *play) {
					for _, s := range []*setting{&p.client, &p.server} {
						s.MaxVersion, s.DynamicRecordSizingDisabled = version, disabled
					}
					p.shake()
					const total = 200 << 10
					go p.me().Write(make([]byte, total))
					for got, b := 0, make([]byte, 1<<15); got < total; {
						n, err := p.other().Read(b)
						if got += n; err != nil {
							p.Error(err)
							return
						}
						p.note("%d", n)
					}
				}})
		}
	}
	return rows
}

// cutRows are about streams that end without close_notify, and about a Close that cannot wait.
func cutRows() []row {
	return []row{
		{covers: "Conn.Handshake", what: "an empty connect", role: "server", act: func(p *play) {
			p.dial()
			p.c.NetConn().Close()
			p.note("handshake %s, again %s", sort(p.s.Handshake()), sort(p.s.Handshake()))
		}},
		{covers: "Conn.Read", what: "a cut between two records", differs: true, act: func(p *play) {
			p.shake()
			p.other().NetConn().(*net.TCPConn).CloseWrite()
			_, err := p.me().Read(p.b[:])
			p.note("read %s", sort(err))
		}},
		{covers: "Conn.Read", what: "a cut inside a record", act: func(p *play) {
			p.shake()
			p.other().NetConn().Write([]byte{23, 3, 3, 0, 100, 1})
			p.other().NetConn().(*net.TCPConn).CloseWrite()
			_, err := p.me().Read(p.b[:])
			p.note("read %s, %v", sort(err), errors.Is(err, io.ErrUnexpectedEOF))
		}},
		{covers: "Conn.Close Conn.Write", what: "while a Write is blocked", act: func(p *play) {
			p.shake()
			written := make(chan error, 1)
			go func() {
				_, err := p.me().Write(make([]byte, 64<<20)) // more than the sockets hold
				written <- err
			}()
			io.ReadFull(p.other(), p.b[:1]) // it has begun
			began := time.Now()
			p.note("close %s", sort(p.me().Close()))
			p.note("write %v, soon %v", <-written != nil, time.Since(began) < 2*time.Second)
			_, err := p.me().Write(p.b[:])
			p.note("write %s", sort(err))
		}},
	}
}

// endingRows are about deadlines, names and what is exported.
func endingRows() []row {
	return []row{
		{covers: "Conn.SetReadDeadline Conn.SetDeadline", what: "reading goes on",
			act: func(p *play) {
				p.shake()
				p.me().SetReadDeadline(time.Now().Add(-time.Second))
				_, err := p.me().Read(p.b[:])
				p.note("read %s", sort(err))
				p.me().SetDeadline(rig.Deadline())
				p.other().Write([]byte("more"))
				n, err := io.ReadFull(p.me(), p.b[:4])
				p.note("read %q, %s", p.b[:n], sort(err))
			}},
		{covers: "Conn.SetWriteDeadline Conn.Write", what: "nothing more can be written",
			act: func(p *play) {
				p.shake()
				p.me().SetWriteDeadline(time.Now().Add(-time.Second))
				_, err := p.me().Write(p.b[:])
				p.note("write %s", sort(err))
				p.me().SetWriteDeadline(rig.Deadline())
				_, err = p.me().Write(p.b[:])
				p.note("write %s", sort(err))
			}},
		{covers: "Conn.VerifyHostname", what: "before, after, and unverified", act: func(p *play) {
			p.dial()
			p.note("before %v", p.me().VerifyHostname(rig.ServerName) != nil)
			p.shake()
			p.note("after %v, another %v", p.me().VerifyHostname(rig.ServerName) != nil,
				p.me().VerifyHostname("elsewhere.test") != nil)
			p.client.made, p.client.InsecureSkipVerify = [2]any{}, true
			p.shake()
			p.note("unverified %v", p.me().VerifyHostname(rig.ServerName) != nil)
		}},
		{covers: "ConnectionState.ExportKeyingMaterial", what: "not where it may change",
			in13: unlike, // TLS 1.3 has no renegotiation
			set: func(p *play) {
				p.client.Renegotiation, p.server.Renegotiation = tls.RenegotiateOnceAsClient,
					tls.RenegotiateOnceAsClient
			}},
	}
}
