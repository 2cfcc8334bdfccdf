package vitrine_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
)

func TestEverySuiteMovesAMegabyteEachWay(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range suite.Certified() {
		n++
		t.Run(s.String(), func(t *testing.T) {
			cert, err := ca.Issue(rig.KindFor(s), []string{"vitrine.test"})
			if err != nil {
				t.Fatal(err)
			}
			base := vitrine.Config{CipherSuites: []uint16{uint16(s.ID)}, RootCAs: ca.Pool(),
				ServerName: "vitrine.test"}
			server := base.Clone()
			server.Certificates = append(server.Certificates, cert)
			l, err := vitrine.Listen("tcp", "127.0.0.1:0", server)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				io.Copy(c, c)
			}()
			c, err := vitrine.Dial("tcp", l.Addr().String(), &base)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			go func() {
				c.Write(sent)
				c.CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("got %d bytes and %v, expected the %d sent and no error", len(got), err,
					len(sent))
			}
		})
	}
	t.Logf("%d suites", n)
}

var _ net.Conn = (*vitrine.Conn)(nil)

func TestASessionIsResumed(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(client, server *vitrine.Config)
		want bool
	}{
		{"by ticket, RFC 8446 §2.2", nil, true},
		{"by session ID, RFC 5246 §7.3", func(_, s *vitrine.Config) {
			s.SessionTicketsDisabled, s.SessionStore = true, session.NewMemory(10)
			rig.Until12(s)
		}, true},
		{"by ticket, RFC 5077", func(_, s *vitrine.Config) { rig.Until12(s) }, true},
		{"with RSA key exchange and no extended master secret", func(c, s *vitrine.Config) {
			c.CipherSuites, c.ExtendedMasterSecret = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
				vitrine.Off
			s.CipherSuites = c.CipherSuites
			rig.Until12(s)
		}, true},
		{"with encrypt_then_mac", func(c, s *vitrine.Config) {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
			s.CipherSuites = c.CipherSuites
			rig.Until12(s)
		}, true},
		{"not without a cache", func(c, _ *vitrine.Config) { c.ClientSessionCache = nil }, false},
		{"not when the server keeps nothing",
			func(_, s *vitrine.Config) { s.SessionTicketsDisabled = true }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := rig.Configs(t)
			client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
			if tt.edit != nil {
				tt.edit(client, server)
			}
			for i := range 3 {
				c, s, err := rig.Connect(t, client, server)
				if err != nil {
					t.Fatal(err)
				}
				if want := tt.want && i > 0; c.DidResume != want || s.DidResume != want {
					t.Errorf("connection %d: the client says resumed %v, the server %v, "+
						"expected %v", i+1, c.DidResume, s.DidResume, want)
				}
				if len(c.PeerCertificates) == 0 || len(c.VerifiedChains) == 0 {
					t.Errorf("connection %d: the client does not know the server's certificate",
						i+1)
				}
			}
		})
	}
}

// farConn is a connection to another address.
type farConn struct {
	net.Conn
	remote net.Addr
}

func (c farConn) RemoteAddr() net.Addr { return c.remote }

// As with crypto/tls.
func TestWithoutServerNameSessionsAreKeptByAddress(t *testing.T) {
	rig.EachVersion(t, testWithoutServerNameSessionsAreKeptByAddress)
}

func testWithoutServerNameSessionsAreKeptByAddress(t *testing.T, version func(*vitrine.Config)) {
	server := rig.ServerConfig(t, version)
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
		a, b := rig.Wires(t)
		c, s := vitrine.Client(farConn{a, tt.remote}, client), vitrine.Server(b, server)
		if err, serverErr := rig.Shake(c, s); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		rig.Hear(t, c, s)
		if got := c.ConnectionState().DidResume; got != tt.want {
			t.Errorf("connection %d: resumed %v, expected %v", i+1, got, tt.want)
		}
	}
}

// No connection may outlive its test.
func TestMain(m *testing.M) { rig.Main(m) }
