package main

import (
	"crypto/x509"
	"encoding/hex"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/live"
)

// A proxy that speaks TLS on both legs shows both, and records the plaintext of both when told to.
func TestForwardingWithTLSOnBothLegs(t *testing.T) {
	const text = "what passes through\n"
	behind, serviceCA := serving(t, "--echo", "--alpn", "x/1")
	dir := filepath.Join(t.TempDir(), "out")
	s, ca := serving(t, "--forward", behind.addr, "--forward-tls", "--forward-ca", serviceCA,
		"--alpn", "x/1", "--ui", "--reveal", "--forward-out", dir)
	v := view(t, s.errs.String)
	talk(t, s, ca, text, func(c *vitrine.Config) {
		c.NextProtos, c.MaxVersion = []string{"x/1"}, vitrine.VersionTLS12
	})
	rows := v.rows(over(2))
	if rows[0].Leg != "client" {
		rows[0], rows[1] = rows[1], rows[0]
	}
	for i, want := range []live.Row{{Leg: "client", Version: "TLS 1.2", Other: rows[1].ID},
		{Leg: "service", Version: "TLS 1.3", Other: rows[0].ID}} {
		r := rows[i]
		if r.Leg != want.Leg || r.Version != want.Version || r.Other != want.Other ||
			r.ALPN != "x/1" || r.Reason != "close_notify" || r.Name != "localhost" ||
			r.Received.Data != int64(len(text)) || r.Sent.Data != int64(len(text)) {
			t.Errorf("got %+v", r)
		}
		if events, _ := v.get(200, "/c/"+r.ID+".json"); strings.Count(events,
			hex.EncodeToString([]byte(text))) < 2 {
			t.Errorf("the events of the leg to the %s lack what was said", r.Leg)
		}
	}
	for _, leg := range []string{"client", "service"} {
		files, _ := filepath.Glob(filepath.Join(dir, "*-1-"+leg+".bin"))
		if len(files) != 1 {
			t.Fatalf("the files are %v", files)
		}
		got, err := os.ReadFile(files[0])
		if err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", leg, got, err)
		}
	}
}

// answered returns what a server answers, until it ends.
func answered(t *testing.T, s *served, ca, text string) string {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	c := &vitrine.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	c.RootCAs.AppendCertsFromPEM(pem)
	conn, err := vitrine.Dial("tcp", s.addr, c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, text)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// A service that is not the one expected gets nothing of what its clients say, and which client
// got no service, and why, is in the log and in its row.
func TestForwardingSaysWhyAServiceFailed(t *testing.T) {
	behind, _ := serving(t, "--echo")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for _, c := range []struct {
		args   []string
		says   string // after the address of the client
		reason string // of the leg to the service, if there is one
	}{
		{[]string{"--forward", nobody},
			"the service at " + nobody + " cannot be reached: connection refused", ""},
		{[]string{"--forward", nobody, "--forward-tls"},
			"the service at " + nobody + " cannot be reached: connection refused", ""},
		{[]string{"--forward", behind.addr, "--forward-tls"},
			"the service at " + behind.addr + " is not trusted: ",
			"alert_from_client_unknown_ca"},
	} {
		s, ca := serving(t, append(c.args, "--ui")...)
		v := view(t, s.errs.String)
		if seen := answered(t, s, ca, "secret\n"); seen != "" {
			t.Errorf("%v: the client got %q", c.args, seen)
		}
		legs := 1
		if c.reason != "" {
			legs++
		}
		for _, r := range v.rows(over(legs)) {
			want := "service_failed"
			if r.Leg == "service" {
				want = c.reason
			} else if log := "vitrine: " + r.Client + ": " + r.Why; !strings.Contains(r.Why,
				c.says) || !strings.Contains(s.errs.String(), log) {
				t.Errorf("%v: the row is %+v, the log\n%s", c.args, r, s.errs.String())
			}
			if r.State != live.Failed || r.Reason != want {
				t.Errorf("%v: %+v, expected %s", c.args, r, want)
			}
		}
		if hint := "--forward-ca FILE or --forward-insecure"; strings.Contains(s.errs.String(),
			hint) != (c.reason != "") {
			t.Errorf("%v: the log is\n%s", c.args, s.errs.String())
		}
	}
}

func TestFlagsOfForwardingFitTogether(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--forward-tls"}, "need --forward"},
		{[]string{"--forward-out", "x"}, "need --forward"},
		{[]string{"--forward", "nowhere"}, "takes HOST:PORT"},
		{[]string{"--forward", "x:1", "--forward-insecure"}, "is for --forward-tls"},
		{[]string{"--forward", "x:1", "--forward-sni", "y"}, "is for --forward-tls"},
		{[]string{"--forward", "x:1", "--forward-tls", "--forward-insecure", "--forward-ca", "y"},
			"--forward-ca and --forward-insecure"},
		{[]string{"--forward", "x:1", "--forward-tls", "--forward-ca", "missing.pem"},
			"missing.pem"},
	} {
		_, errs := runs(t, exitUsage, append([]string{"serve", "--listen", "127.0.0.1:0"},
			c.args...)...)
		if !strings.Contains(errs, c.want) {
			t.Errorf("%v: %s", c.args, errs)
		}
	}
}
