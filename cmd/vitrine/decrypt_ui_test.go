package main

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
)

// A capture that grows is shown as it does: with a key log all of it, and without one why not.
func TestTheLiveViewShowsAGrowingCapture(t *testing.T) {
	s, ca := serving(t, "--echo")
	dir := t.TempDir()
	packets, keys := filepath.Join(dir, "growing.pcapng"), filepath.Join(dir, "keys.log")
	for _, name := range []string{packets, keys} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	viewers := map[bool]*viewer{}
	for _, secret := range []bool{false, true} {
		args := []string{"decrypt", "-f", packets, "--ui", "127.0.0.1:0"}
		if secret {
			args = append(args, "--keylog", keys, "--reveal")
		}
		var out, errs syncBuffer
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			run(ctx, args, &out, &errs)
		}()
		t.Cleanup(func() { cancel(); <-ended })
		viewers[secret] = view(t, errs.String)
	}
	tapped(t, s, ca, packets, keys, "what passes by\n")
	for secret, v := range viewers {
		r := v.rows(over(1))[0]
		want := live.Row{
			State:   live.Closed,
			Version: "TLS 1.3",
			Name:    "localhost",
			Reason:  "no_secret",
		}
		data := int64(0)
		if secret {
			want.Reason, data = "close_notify", int64(len("what passes by\n"))
		}
		if r.State != want.State || r.Version != want.Version || r.Reason != want.Reason ||
			r.Name != want.Name || r.Received.Data != data || r.Sent.Data != data {
			t.Errorf("with a secret %v: %+v", secret, r)
		}
		page, _ := v.get(200, "/c/"+r.ID)
		if !strings.Contains(page, `class="ladder"`) {
			t.Errorf("with a secret %v: no story", secret)
		}
		if secret {
			if log, _ := v.get(200, "/c/"+r.ID+".keys"); !strings.Contains(log, "TRAFFIC_SECRET") {
				t.Errorf("the key log is %q", log)
			}
		}
	}
	_, errs := runs(t, exitUsage, "decrypt", packets, "--ui")
	if !strings.Contains(errs, "-f") {
		t.Error(errs)
	}
}

// tapped makes a connection whose packets and secrets are appended to files.
func tapped(t *testing.T, s *served, ca, packets, keys, text string) {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	var files [2]*os.File
	for i, name := range []string{packets, keys} {
		if files[i], err = os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0); err != nil {
			t.Fatal(err)
		}
		defer files[i].Close()
	}
	raw, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	w := capture.NewWriter(files[0], capture.WriterOptions{})
	c := &vitrine.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost",
		KeyLogWriter: files[1]}
	c.RootCAs.AppendCertsFromPEM(pem)
	conn := vitrine.Client(capture.Tap(raw, w, iana.Client), c)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	if got, err := io.ReadAll(conn); err != nil || string(got) != text {
		t.Fatalf("%q, %v", got, err)
	}
	conn.Close()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}
