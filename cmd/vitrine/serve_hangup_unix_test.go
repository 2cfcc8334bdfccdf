//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// hangUp sends SIGHUP to this process and waits until its servers have reported it n times.
func hangUp(t *testing.T, s *served, n int, want string) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if strings.Count(s.errs.String(), "! SIGHUP: ") == n {
			said := s.errs.String()
			if !strings.Contains(said[strings.LastIndex(said, "! SIGHUP: "):], want) {
				t.Fatalf("expected %q, got\n%s", want, said)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("SIGHUP made nothing happen:\n%s", s.errs.String())
}

// New connections get the new certificate, and existing ones go on. Sessions of the old certificate
// are not resumed.
func TestAHangupReadsTheCertificateAgain(t *testing.T) {
	rig.EachVersion(t, testAHangupReadsTheCertificateAgain)
}

func testAHangupReadsTheCertificateAgain(t *testing.T, version func(*vitrine.Config)) {
	dir := t.TempDir()
	if err := identities(dir); err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "current.pem"), filepath.Join(dir, "current.key")
	put := func(name string) {
		for from, to := range map[string]string{name + ".pem": cert, name + ".key": key} {
			text, err := os.ReadFile(filepath.Join(dir, from))
			if err == nil {
				err = os.WriteFile(to, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	put("server")
	s, err := serveInTest("--cert", cert, "--key", key, "--echo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() }) // after the connections are closed: it waits for them
	config := &vitrine.Config{InsecureSkipVerify: true,
		ClientSessionCache: vitrine.NewLRUClientSessionCache(1)}
	version(config)
	talk := func(c *vitrine.Conn) {
		t.Helper()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		got := make([]byte, 3)
		if _, err := io.WriteString(c, "in\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "in\n" {
			t.Fatalf("got %q and %v", got, err)
		}
	}
	expect := func(name string, resumed bool) *vitrine.Conn {
		t.Helper()
		c, err := vitrine.Dial("tcp", s.addr, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		talk(c)
		state := c.ConnectionState()
		if got := state.PeerCertificates[0].DNSNames; len(got) != 1 || got[0] != name ||
			state.DidResume != resumed {
			t.Errorf("the certificate is for %q, resumed: %v; expected %q, %v", got,
				state.DidResume, name, resumed)
		}
		return c
	}
	early := expect("localhost", false)
	expect("localhost", true)
	put("other")
	hangUp(t, s, 1, "read again")
	expect("other.example", false)
	if err := os.WriteFile(cert, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(t, s, 2, "everything stays as it was")
	expect("other.example", true)
	talk(early)
}

// A panic while the files are read again, here by a host without options, is reported and changes
// nothing; the next SIGHUP is heeded too.
func TestAPanicOfAHangupChangesNothing(t *testing.T) {
	var s served
	cmd := &cobra.Command{}
	cmd.SetErr(&s.errs)
	h, current := &host{cmd: cmd, config: &vitrine.Config{}}, &vitrine.Config{}
	h.current.Store(current)
	defer h.onHangup()()
	hangUp(t, &s, 1, "everything stays as it was: "+bug.Prefix)
	hangUp(t, &s, 2, "everything stays as it was: "+bug.Prefix)
	if h.current.Load() != current {
		t.Error("new connections have another Config")
	}
}
