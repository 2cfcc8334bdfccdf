package rig

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// KindFor is a key that a suite's certificate can have.
func KindFor(s *suite.Suite) throwaway.Kind {
	if s.ServerKey() == iana.AuthECDSA {
		return throwaway.ECDSA
	}
	return throwaway.RSA
}

// IssueForClient makes a client's certificate.
func IssueForClient(t testing.TB, ca *throwaway.CA, kind throwaway.Kind,
	edits ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	c, err := ca.Issue(kind, []string{"client.test"}, append(edits, throwaway.ForClient)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Connect runs one connection over loopback and gives both ends' views.
func Connect(t *testing.T, client,
	server *vitrine.Config) (c, s vitrine.ConnectionState, err error) {
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

// Configs are a client and a server that trust one CA.
func Configs(t *testing.T) (client, server *vitrine.Config) {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	return &vitrine.Config{RootCAs: ca.Pool(), ServerName: "vitrine.test"},
		&vitrine.Config{Certificates: []tls.Certificate{cert}, ClientCAs: ca.Pool()}
}

// Hear sends a byte from the server to the client, which reads the tickets of TLS 1.3 before it.
func Hear(t *testing.T, client, server net.Conn) {
	t.Helper()
	if _, err := server.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// Resumes reports whether a connection of these two resumes a session.
func Resumes(t *testing.T, client, server *vitrine.Config) bool {
	t.Helper()
	c, s := Pair(t, client, server)
	defer c.Close()
	defer s.Close()
	Hear(t, c, s)
	if c.ConnectionState().DidResume != s.ConnectionState().DidResume {
		t.Error("the sides do not agree on whether they resume")
	}
	return c.ConnectionState().DidResume
}

// OneSession is a client's cache that gives its one session to everybody, whatever server they ask
// for.
type OneSession struct{ S *vitrine.ClientSessionState }

func (c *OneSession) Get(string) (*vitrine.ClientSessionState, bool) { return c.S, c.S != nil }

func (c *OneSession) Put(_ string, s *vitrine.ClientSessionState) { c.S = s }

// A protection is a way to protect a record: a suite that has it, and what to ask for.
type Protection struct {
	ID             iana.CipherSuite
	EncryptThenMAC vitrine.Demand
}

// Protections are a suite for each way to protect a record.
var Protections = []Protection{
	{iana.TLS_RSA_WITH_NULL_SHA256, vitrine.Off},
	{iana.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA, vitrine.Off},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, vitrine.Off},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, vitrine.Off},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, vitrine.Off},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, vitrine.Required},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, vitrine.Required},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, vitrine.Preferred},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, vitrine.Preferred},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, vitrine.Preferred},
	{iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8, vitrine.Preferred},
	{iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, vitrine.Preferred},
}

// One suite of each key exchange.
const (
	ECDSAGCM = iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	RSAGCM   = iana.TLS_RSA_WITH_AES_128_GCM_SHA256
	DHEGCM   = iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
)
