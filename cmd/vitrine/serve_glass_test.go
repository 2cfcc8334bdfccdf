package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
)

// Under the glass each kind of visitor is told as what it was: a refusal names no version that was
// not negotiated, an alert of the client is the end, a session keeps its master_secret, and what is
// not TLS has no story.
func TestTheGlassTellsEachVisitor(t *testing.T) {
	s, ca := serving(t, "--glass", "all")
	pool, _, err := loadPool("--ca", ca, "")
	if err != nil {
		t.Fatal(err)
	}
	dial := func(edit func(*tls.Config)) func() {
		return func() {
			config := &tls.Config{RootCAs: pool, ServerName: "localhost"}
			edit(config)
			if conn, err := tls.Dial("tcp", s.addr, config); err == nil {
				io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
				io.Copy(io.Discard, conn) // the ticket comes with the handshake
				conn.Close()
			}
		}
	}
	sessions := tls.NewLRUClientSessionCache(1)
	keeps := func(c *tls.Config) {
		c.MaxVersion, c.ClientSessionCache = tls.VersionTLS12, sessions
	}
	for _, c := range []struct {
		what  string
		visit func()
		end   string // of what is printed
		never string
	}{
		{"a ticket of TLS 1.2", dial(keeps), "the ticket holds the master_secret, so until the " +
			"key of the server's tickets is gone, it opens a recording.", "no key that stays"},
		{"a resumption of TLS 1.2", dial(keeps), "Once both sides forget the session: as long as " +
			"one keeps its master_secret", "no key that stays"},
		{"TLS 1.0", dial(func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
		}), "FAILED: the server ended the connection with protocol_version",
			"vitrine serve · TLS 1.2"},
		{"no trust", dial(func(c *tls.Config) { c.RootCAs = nil }),
			"FAILED: the client ended the connection with bad_certificate.", "FORWARD SECRET"},
		{"plain HTTP", func() {
			if answer, err := http.Get("http://" + s.addr + "/"); err == nil {
				answer.Body.Close()
			}
		}, "plain HTTP on a TLS port", "RESULT"},
	} {
		before := len(s.out.String())
		c.visit()
		said := func() string {
			return strings.Join(strings.Fields(s.out.String()[before:]), " ")
		}
		for end := time.Now().Add(rig.Patience); !strings.Contains(said(), c.end); {
			if time.Now().After(end) {
				t.Fatalf("%s: got %s\nexpected %q", c.what, s.out.String()[before:], c.end)
			}
			time.Sleep(time.Millisecond)
		}
		if strings.Contains(strings.ReplaceAll(said(), "|", "·"), c.never) {
			t.Errorf("%s: says %q:\n%s", c.what, c.never, s.out.String()[before:])
		}
	}
}
