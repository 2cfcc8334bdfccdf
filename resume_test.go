package vitrine_test

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// connect runs one connection over loopback and gives both ends' views.
func connect(t *testing.T, client, server *vitrine.Config) (c, s vitrine.ConnectionState, err error) {
	t.Helper()
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan vitrine.ConnectionState, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.Copy(conn, conn)
		done <- conn.(*vitrine.Conn).ConnectionState()
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn := vitrine.Client(raw, client)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if err := conn.Handshake(); err != nil {
		return c, s, err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	if b, err := io.ReadAll(conn); string(b) != "hello" || err != nil {
		t.Fatalf("got %q and %v", b, err)
	}
	return conn.ConnectionState(), <-done, nil
}

func TestASessionIsResumed(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(client, server *vitrine.Config)
		want bool
	}{
		{"by ticket, RFC 5077", nil, true},
		{"by session ID, RFC 5246 §7.3", func(_, s *vitrine.Config) {
			s.SessionTicketsDisabled, s.SessionStore = true, session.NewMemory(10)
		}, true},
		{"with RSA key exchange and no extended master secret", func(c, s *vitrine.Config) {
			c.CipherSuites, c.ExtendedMasterSecret = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, vitrine.Off
			s.CipherSuites = c.CipherSuites
		}, true},
		{"with encrypt_then_mac", func(c, s *vitrine.Config) {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
			s.CipherSuites = c.CipherSuites
		}, true},
		{"not without a cache", func(c, _ *vitrine.Config) { c.ClientSessionCache = nil }, false},
		{"not when the server keeps nothing", func(_, s *vitrine.Config) { s.SessionTicketsDisabled = true }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := configs(t)
			client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
			if tt.edit != nil {
				tt.edit(client, server)
			}
			for i := range 3 {
				c, s, err := connect(t, client, server)
				if err != nil {
					t.Fatal(err)
				}
				if want := tt.want && i > 0; c.DidResume != want || s.DidResume != want {
					t.Errorf("connection %d: the client says resumed %v, the server %v, expected %v", i+1, c.DidResume, s.DidResume, want)
				}
				if len(c.PeerCertificates) == 0 || len(c.VerifiedChains) == 0 {
					t.Errorf("connection %d: the client does not know the server's certificate", i+1)
				}
			}
		})
	}
}

// configs are a client and a server that trust one CA.
func configs(t *testing.T) (client, server *vitrine.Config) {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	return &vitrine.Config{RootCAs: ca.Pool(), ServerName: "vitrine.test"}, &vitrine.Config{Certificates: []tls.Certificate{cert}, ClientCAs: ca.Pool()}
}

// farConn is a connection to another address.
type farConn struct {
	net.Conn
	remote net.Addr
}

func (c farConn) RemoteAddr() net.Addr { return c.remote }

// As with crypto/tls.
func TestWithoutServerNameSessionsAreKeptByAddress(t *testing.T) {
	server := serverConfig(t)
	client := &vitrine.Config{InsecureSkipVerify: true,
		ClientSessionCache: vitrine.NewLRUClientSessionCache(0)}
	for i, tt := range []struct {
		remote net.Addr
		want   bool
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, false},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 444}, false},
		{nil, false},
		{nil, false},
	} {
		a, b := wires(t)
		c, s := vitrine.Client(farConn{a, tt.remote}, client), vitrine.Server(b, server)
		if err, serverErr := shake(c, s); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		if got := c.ConnectionState().DidResume; got != tt.want {
			t.Errorf("connection %d: resumed %v, expected %v", i+1, got, tt.want)
		}
	}
}
