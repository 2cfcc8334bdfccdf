package interop_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
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
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// deadline bounds one connection and the peer's process.
const deadline = 30 * time.Second

// A meeting is a connection between Vitrine and another stack. Zero fields have the values of
// defaults.
type meeting struct {
	with      *interop.Stack
	them      iana.Side        // what the other stack is
	suite     iana.CipherSuite // the only one of both sides, up to TLS 1.2
	version   iana.Version     // the only one of both sides; TLS 1.2 if zero
	serverKey throwaway.Kind
	// the server demands a certificate, and the client has one with this kind of key
	clientKey throwaway.Kind
	bytes     int // to carry each way
	back      int // to carry from them, if that is less

	// us and they change what is common to all meetings, and want looks at the connection when the
	// handshake is done.
	us   func(*vitrine.Config)
	they func(*interop.Setup)
	want func(*testing.T, *vitrine.ConnectionState)

	theyFirst bool // they close first

	longest [2]int // by Side: the longest fragment of an application_data record on the wire
}

// The suites of meetings for which the suite does not matter.
const (
	ecdheRSA   = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	ecdheECDSA = iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	dheRSA     = iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
	anySuite   = iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV // the sides shall find one themselves
	cbc        = iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256
)

// small is enough where the data does not matter.
const small = 4 << 10

// defaults returns the configurations that us and they then change: one suite, a server called name
// with a key for that suite, and a client that checks it.
func (m *meeting) defaults(t *testing.T) (*vitrine.Config, *interop.Setup) {
	m.suite, m.bytes = cmp.Or(m.suite, ecdheRSA), cmp.Or(m.bytes, small)
	if m.version == iana.TLS13 {
		m.suite = anySuite
	}
	s := suite.ByID(m.suite)
	if m.suite == anySuite {
		s = suite.ByID(ecdheRSA)
	}
	m.serverKey = cmp.Or(m.serverKey, keyFor(s))
	config := &vitrine.Config{
		CipherSuites: []uint16{uint16(s.ID)},
		MaxVersion:   vitrine.VersionTLS12,
		RootCAs:      office.CA.Pool(),
		ServerName:   name,
	}
	setup := &interop.Setup{Suite: s, Trust: office.Trust, ServerName: name}
	if m.version == iana.TLS13 {
		config.CipherSuites, config.MinVersion = nil, vitrine.VersionTLS13
		config.MaxVersion = vitrine.VersionTLS13
		setup.Suite, setup.Versions = nil, [2]iana.Version{iana.TLS13, iana.TLS13}
	}
	ours, theirs := m.clientKey, m.serverKey
	if m.them == iana.Client {
		ours, theirs = theirs, ours
		if m.clientKey != "" {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, office.CA.Pool()
		}
	} else {
		setup.ClientAuth = m.clientKey != ""
		if m.version != iana.TLS13 && s.FiniteField() && !s.PreShared() &&
			m.with == interop.OpenSSL {
			setup.DHParams = dhParams(t, "ffdhe2048")
		}
	}
	if ours != "" {
		config.Certificates = []tls.Certificate{identity(t, ours, m.them.Peer()).Certificate}
	}
	if theirs != "" {
		setup.Identity = identity(t, theirs, m.them)
	}
	if m.us != nil {
		m.us(config)
	}
	if m.they != nil {
		m.they(setup)
	}
	return config, setup
}

// start connects both sides without a handshake.
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
				t.Logf("%s\nsaid:\n%s", peer, peer.Output())
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

func (m *meeting) connect(ctx context.Context, config *vitrine.Config,
	setup *interop.Setup) (*vitrine.Conn, *interop.Peer, error) {
	if m.them == iana.Server {
		peer, err := m.with.Serve(ctx, setup)
		if err != nil {
			return nil, nil, err
		}
		conn, err := peer.Dial(ctx)
		if err != nil {
			return nil, peer, err
		}
		return vitrine.Client(m.watch(conn), config), peer, nil
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
	accepted := make(chan struct{})
	defer close(accepted)
	go func() {
		select {
		case <-peer.Ended():
			l.Close() // it will not come
		case <-accepted:
		}
	}()
	conn, err := l.Accept()
	if err != nil {
		return nil, peer, err
	}
	return vitrine.Server(m.watch(conn), config), peer, nil
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
	if got := iana.CipherSuite(state.CipherSuite); got != m.suite && m.suite != anySuite {
		t.Errorf("got %v, expected %v", got, m.suite)
	}
	if got := iana.Version(state.Version); m.version != 0 && got != m.version {
		t.Errorf("got %v, expected %v", got, m.version)
	}
	if m.want != nil {
		m.want(t, &state)
	}
	return conn, peer
}

// run makes a connection: handshake, data each way, and close_notify both ways.
func (m *meeting) run(t *testing.T) {
	t.Helper()
	conn, peer := m.handshake(t)
	m.exchange(t, conn, peer)
	m.part(t, conn, peer)
	count(t, m.with.Name)
}

func (m *meeting) exchange(t *testing.T, conn *vitrine.Conn, peer *interop.Peer) {
	t.Helper()
	if m.with.Echoes && m.them == iana.Server {
		exchange(t, m.bytes, m.bytes, conn, conn)
	} else {
		exchange(t, m.bytes, cmp.Or(m.back, m.bytes), conn, peer)
	}
}

// part closes both ways. gnutls-cli does not answer our close_notify, so it must close first.
func (m *meeting) part(t *testing.T, conn *vitrine.Conn, peer *interop.Peer) {
	t.Helper()
	first := conn.CloseWrite
	if m.theyFirst || m.with == interop.GnuTLS && m.them == iana.Client {
		first = peer.CloseWrite
	}
	if err := first(); err != nil {
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

// exchange sends there bytes from a and, at the same time, back bytes from b, and compares what the
// other end receives. If b is a, the other end echoes.
func exchange(t *testing.T, there, back int, a, b io.ReadWriter) {
	t.Helper()
	done := make(chan error, 2)
	go func() { done <- carry(there, a, b, "there") }()
	running := 1
	if a != b {
		go func() { done <- carry(back, b, a, "back") }()
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
		return fmt.Errorf("%s: from byte %d on got %.40q, expected %.40q", way, at, got[at:],
			sent[at:])
	}
	return <-failed
}

// payload returns 1 MiB of different lines, because some tools work by lines.
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
