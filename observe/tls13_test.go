package observe_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// tap records what one end sends.
type tap struct {
	net.Conn
	mu   sync.Mutex
	sent bytes.Buffer
}

func (t *tap) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent.Write(b)
	return t.Conn.Write(b)
}

// crypto/tls performs the connection, and the observer reads it with the key log of crypto/tls.
func TestTLS13IsReadWithAKeyLog(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	cache := tls.NewLRUClientSessionCache(1)
	var logged bytes.Buffer
	server := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}}
	for _, tt := range []struct {
		name string
		edit func(c, s *tls.Config)
	}{
		{"full handshake", func(c, s *tls.Config) {}},
		{"resumed by a ticket", func(c, s *tls.Config) {}},
		{"client certificate", func(c, s *tls.Config) {
			c.ClientSessionCache, c.Certificates, s.ClientAuth = nil, s.Certificates,
				tls.RequireAnyClientCert
		}},
		{"hello retry request", func(c, s *tls.Config) {
			c.ClientSessionCache, c.CurvePreferences, s.CurvePreferences = nil,
				[]tls.CurveID{tls.X25519, tls.CurveP384}, []tls.CurveID{tls.CurveP384}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &tls.Config{RootCAs: ca.Pool(), ServerName: "vitrine.test", KeyLogWriter: &logged,
				MinVersion:         tls.VersionTLS13,
				ClientSessionCache: cache, NextProtos: []string{"h2"}}
			s := server.Clone()
			tt.edit(c, s)
			flows, want := speak13(t, c, s)
			log, err := keylog.Read(bytes.NewReader(logged.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []int{1, 13, 1 << 16} {
				for _, first := range []iana.Side{iana.Client, iana.Server} {
					var got [2][]byte
					o := observe.New(observe.KeyLog(log), nil)
					o.Data = func(from iana.Side, b []byte) { got[from] = append(got[from], b...) }
					for _, from := range []iana.Side{first, first.Peer()} {
						for b := range slices.Chunk(flows[from], step) {
							if err := o.Feed(from, b); err != nil {
								t.Fatal(err)
							}
						}
					}
					if !bytes.Equal(got[0], want[0]) || !bytes.Equal(got[1], want[1]) ||
						!o.Machine().Done() {
						t.Errorf("in steps of %d, the %v first: read %d and %d bytes, expected "+
							"%d and %d; done: %v", step, first, len(got[0]), len(got[1]),
							len(want[0]), len(want[1]), o.Machine().Done())
					}
					if a := o.Machine().Agreed; a.ALPN != "h2" || a.ServerName != "vitrine.test" {
						t.Errorf("agreed %+v", a)
					}
				}
			}
		})
	}
}

// speak13 runs a connection and gives what each side sent, and what it meant.
func speak13(t *testing.T, cc, sc *tls.Config) (flows, data [2][]byte) {
	// a net.Pipe would block on tickets that nobody reads yet
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ends := [2]*tap{{Conn: a}, {Conn: b}}
	client, server := tls.Client(ends[0], cc), tls.Server(ends[1], sc)
	data = [2][]byte{[]byte("ping"), bytes.Repeat([]byte("pong"), 10000)}
	done := make(chan error, 1)
	go func() {
		got := make([]byte, len(data[0]))
		_, err := io.ReadFull(server, got)
		if err == nil {
			_, err = server.Write(data[1])
		}
		server.Close()
		done <- err
	}()
	if _, err := client.Write(data[0]); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, data[1]) {
		t.Fatal(fmt.Sprint(len(got), err))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i, e := range ends {
		flows[i] = bytes.Clone(e.sent.Bytes())
	}
	return flows, data
}
