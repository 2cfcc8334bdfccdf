package interop_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/suite"
)

// deadline is for one connection, the peer's process included: whoever hangs is ended.
const deadline = 30 * time.Second

// A meeting is one connection between Vitrine and another stack.
type meeting struct {
	with  *interop.Stack
	them  iana.Side // what the other stack is
	suite iana.CipherSuite
	bytes int // each way; 0 is 1 MiB

	// us and they change what is common to all meetings; want sees the connection when the handshake is done. Each may be nil.
	us   func(*vitrine.Config)
	they func(*interop.Setup)
	want func(*testing.T, vitrine.ConnectionState)
}

// defaults are what both sides have unless a meeting changes it: one suite, a server called name with a key that fits the suite,
// and a client that checks it.
func (m *meeting) defaults(t *testing.T) (*vitrine.Config, *interop.Setup) {
	s := suite.ByID(m.suite)
	config := &vitrine.Config{CipherSuites: []uint16{uint16(s.ID)}, RootCAs: office.CA.Pool(), ServerName: name}
	setup := &interop.Setup{Suite: s, Trust: office.Trust, ServerName: name}
	if m.them == iana.Client {
		config.Certificates = append(config.Certificates, identity(t, keyFor(s), iana.Server).Certificate)
	} else {
		setup.Identity = identity(t, keyFor(s), iana.Server)
		if s.Kex == iana.KexDHE && m.with == interop.OpenSSL {
			setup.DHParams = dhParams(t, "ffdhe2048")
		}
	}
	if m.us != nil {
		m.us(config)
	}
	if m.they != nil {
		m.they(setup)
	}
	return config, setup
}

// start lets both sides connect; no handshake yet.
func (m *meeting) start(t *testing.T) (*vitrine.Conn, *interop.Peer) {
	t.Helper()
	require(t, m.with)
	config, setup := m.defaults(t)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	conn, peer, err := m.connect(ctx, config, setup)
	if peer != nil {
		t.Cleanup(func() {
			peer.Kill()
			if t.Failed() {
				t.Logf("%s\nsaid:\n%s", peer, peer.Said())
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(deadline))
	return conn, peer
}

func (m *meeting) connect(ctx context.Context, config *vitrine.Config, setup *interop.Setup) (*vitrine.Conn, *interop.Peer, error) {
	if m.them == iana.Server {
		peer, err := m.with.Serve(ctx, setup)
		if err != nil {
			return nil, nil, err
		}
		conn, err := peer.Dial(ctx)
		if err != nil {
			return nil, peer, err
		}
		return vitrine.Client(conn, config), peer, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(deadline))
	peer, err := m.with.Connect(ctx, l.Addr().String(), setup)
	if err != nil {
		return nil, nil, err
	}
	conn, err := l.Accept()
	if err != nil {
		return nil, peer, err
	}
	return vitrine.Server(conn, config), peer, nil
}

// handshake starts, and completes the handshake as the meeting wants.
func (m *meeting) handshake(t *testing.T) (*vitrine.Conn, *interop.Peer) {
	t.Helper()
	conn, peer := m.start(t)
	if err := conn.Handshake(); err != nil {
		time.Sleep(50 * time.Millisecond) // for what the peer says about it
		t.Fatal(err)
	}
	state := conn.ConnectionState()
	if got := iana.CipherSuite(state.CipherSuite); got != m.suite {
		t.Errorf("got %v, expected %v", got, m.suite)
	}
	if m.want != nil {
		m.want(t, state)
	}
	return conn, peer
}

// run does everything: handshake, data each way, and close_notify both ways.
func (m *meeting) run(t *testing.T) {
	t.Helper()
	conn, peer := m.handshake(t)
	n := cmp.Or(m.bytes, 1<<20)
	if m.with.Echoes && m.them == iana.Server {
		exchange(t, n, conn, conn)
	} else {
		exchange(t, n, conn, peer)
	}
	m.part(t, conn, peer)
	count(t, m.with.Name)
}

// part closes both ways: we first, unless the peer would not answer.
func (m *meeting) part(t *testing.T, conn *vitrine.Conn, peer *interop.Peer) {
	t.Helper()
	say := conn.CloseWrite
	theyFirst := m.with == interop.GnuTLS && m.them == iana.Client
	if theyFirst {
		say = peer.CloseWrite
	}
	if err := say(); err != nil {
		t.Error(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %d bytes and %v, expected the peer's close_notify", n, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if m.with == interop.GnuTLS && m.them == iana.Server {
		return // it waits for the next client
	}
	if err := peer.Wait(); err != nil {
		t.Errorf("the peer ended with %v", err)
	}
}

// exchange sends n bytes from each end, at the same time, and sees what comes out at the other.
func exchange(t *testing.T, n int, a, b io.ReadWriter) {
	t.Helper()
	done := make(chan error, 2)
	go func() { done <- carry(n, a, b, "there") }()
	running := 1
	if a != b {
		go func() { done <- carry(n, b, a, "back") }()
		running++
	}
	for range running {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func carry(n int, from io.Writer, to io.Reader, way string) error {
	sent := payload(way)[:n]
	failed := make(chan error, 1)
	go func() {
		_, err := from.Write(sent)
		failed <- err
	}()
	got := make([]byte, n)
	if m, err := io.ReadFull(to, got); err != nil {
		return fmt.Errorf("%s: %d of %d bytes arrived: %w", way, m, n, err)
	}
	if !bytes.Equal(got, sent) {
		at := 0
		for got[at] == sent[at] {
			at++
		}
		return fmt.Errorf("%s: from byte %d on got %.40q, expected %.40q", way, at, got[at:], sent[at:])
	}
	return <-failed
}

// payload is 1 MiB of lines, which all differ: some tools work by lines.
func payload(seed string) []byte {
	var key [32]byte
	copy(key[:], seed)
	random := rand.NewChaCha8(key)
	b := make([]byte, 0, 1<<20)
	var line [45]byte
	for len(b) < cap(b) {
		random.Read(line[:])
		b = base64.StdEncoding.AppendEncode(b, line[:])
		b = append(b, "abc\n"...)
	}
	return b
}
