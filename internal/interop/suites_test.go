package interop_test

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

var sides = []iana.Side{iana.Client, iana.Server}

func TestEverySuiteWithOpenSSL(t *testing.T) { everySuite(t, interop.OpenSSL) }

func TestEverySuiteWithGnuTLS(t *testing.T) { everySuite(t, interop.GnuTLS) }

// everySuite connects with a stack in both roles with each suite that both sides support.
func everySuite(t *testing.T, with *interop.Stack) {
	require(t, with)
	suites, err := with.Suites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d suites in common with %s, of our %d; in both roles", len(suites), with.Name,
		len(suite.Certified()))
	for _, s := range testkit.Sample(t, "suites", 10, suites) {
		for _, them := range sides {
			t.Run(s.String()+"/their "+them.String(), func(t *testing.T) {
				t.Parallel()
				m := meeting{with: with, them: them, suite: s.ID, bytes: 1 << 20}
				if with == interop.GnuTLS && them == iana.Client &&
					s.Cipher != record.DES_EDE3_CBC {
					// it writes each byte by itself, which takes a second for 1 MiB
					m.bytes = 64 << 10
				}
				m.run(t)
			})
		}
	}
}

// crypto/tls needs some suites to be named: RSA key exchange, triple DES and CBC are off by
// default.
func TestEverySuiteWithGo(t *testing.T) {
	n := 0
	for _, theirs := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		s := suite.ByID(iana.CipherSuite(theirs.ID))
		if s == nil || !slices.Contains(theirs.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		n++
		id := identity(t, keyFor(s), iana.Server)
		us := &vitrine.Config{CipherSuites: []uint16{theirs.ID}, RootCAs: office.CA.Pool(),
			ServerName: name, Certificates: []tls.Certificate{id.Certificate}}
		them := &tls.Config{CipherSuites: us.CipherSuites, RootCAs: us.RootCAs, ServerName: name,
			Certificates: us.Certificates, MaxVersion: tls.VersionTLS12}
		t.Run(theirs.Name+"/their client", func(t *testing.T) {
			t.Parallel()
			meetGo(t, func(c net.Conn) conn { return tls.Client(c, them) },
				func(c net.Conn) conn { return vitrine.Server(c, us) })
		})
		t.Run(theirs.Name+"/their server", func(t *testing.T) {
			t.Parallel()
			meetGo(t, func(c net.Conn) conn { return vitrine.Client(c, us) },
				func(c net.Conn) conn { return tls.Server(c, them) })
		})
	}
	if n == 0 {
		t.Fatal("no suite in common")
	}
	t.Logf("%d suites in common with crypto/tls; in both roles", n)
}

type conn interface {
	net.Conn
	CloseWrite() error
}

// meetGo moves 1 MiB each way between two ends in this process, and closes both ways.
func meetGo(t *testing.T, client, server func(net.Conn) conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c, s := client(raw), server(accepted)
	for _, end := range []conn{c, s} {
		end.SetDeadline(time.Now().Add(deadline))
		defer end.Close()
	}
	exchange(t, 1<<20, 1<<20, c, s)
	for _, way := range [][2]conn{{c, s}, {s, c}} {
		if err := way[0].CloseWrite(); err != nil {
			t.Error(err)
		}
		if n, err := way[1].Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %d bytes and %v, expected close_notify", n, err)
		}
	}
	count(t, "crypto/tls")
}
