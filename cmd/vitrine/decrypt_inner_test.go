package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/observe"
)

// nested records a connection of TLS in one of TLS, and returns its capture and its key log.
func nested(t testing.TB, outer, inner uint16) (packets, keys string) {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(throwaway.ECDSA, []string{"inner.test"})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	serves := &tls.Config{Certificates: []tls.Certificate{leaf}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		raw, err := listener.Accept()
		if err != nil {
			return
		}
		proxy := tls.Server(raw, serves)
		b := make([]byte, 8) // a request in the outer connection's data, and an answer
		if _, err := io.ReadFull(proxy, b); err == nil {
			proxy.Write([]byte("go on"))
		}
		conn := tls.Server(proxy, serves)
		io.Copy(conn, conn)
		conn.Close()
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	packets, keys = filepath.Join(dir, "c.pcapng"), filepath.Join(dir, "keys.log")
	f, err := os.Create(packets)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var log bytes.Buffer
	tap := capture.Tap(raw, capture.NewWriter(f, capture.WriterOptions{}), iana.Client)
	proxy := tls.Client(tap, &tls.Config{InsecureSkipVerify: true, ServerName: "proxy.test",
		MaxVersion: outer, KeyLogWriter: &log})
	proxy.Write([]byte("CONNECT\n"))
	if _, err := io.ReadFull(proxy, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(proxy, &tls.Config{InsecureSkipVerify: true, ServerName: "inner.test",
		MaxVersion: inner, KeyLogWriter: &log})
	conn.Write([]byte("secret within a secret"))
	if _, err := io.ReadFull(conn, make([]byte, 22)); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
	tap.Close()
	<-done
	if err := os.WriteFile(keys, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return packets, keys
}

// TLS in TLS is reported, and read with --inner.
func TestTLSInTLSIsReportedAndRead(t *testing.T) {
	for _, v := range [][2]uint16{{tls.VersionTLS12, tls.VersionTLS13},
		{tls.VersionTLS13, tls.VersionTLS12}, {tls.VersionTLS13, tls.VersionTLS13}} {
		packets, keys := nested(t, v[0], v[1])
		said := func(args ...string) string {
			code, stdout, stderr := command(t,
				append([]string{"decrypt", packets, "--keylog", keys}, args...)...)
			if code != exitOK {
				t.Errorf("%v %v: exit code %d, %s", v, args, code, stderr)
			}
			return strings.Join(strings.Fields(stdout), " ")
		}
		if got := said(); !strings.Contains(got, "TLS in TLS") || strings.Contains(got,
			"inner.test") {
			t.Errorf("%v: %s", v, got)
		}
		got := said("--inner")
		for _, want := range []string{"0 inner", "inner.test", "proxy.test", "22 of 22"} {
			if !strings.Contains(got, want) {
				t.Errorf("%v: expected %q in %s", v, want, got)
			}
		}
		if strings.Contains(got, "TLS in TLS") {
			t.Errorf("%v: --inner was given: %s", v, got)
		}
		if got := said("--inner", "--print", "--sni", "inner.test"); !strings.Contains(got,
			"stream 0.inner, the client says -- secret within a secret") {
			t.Errorf("%v: %s", v, got)
		}
		events := filepath.Join(t.TempDir(), "run.json")
		page := filepath.Join(filepath.Dir(events), "run.html")
		said("--inner", "--events", events, "--html", page)
		for file, want := range map[string]string{strings.TrimSuffix(events, ".json") +
			"-0.inner.json": "inner.test", page: "inner.test"} {
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), want) {
				t.Errorf("%v: %s has no %s: %v", v, file, want, err)
			}
		}
		if got := said("--inner", "--json"); strings.Count(got, `"inner":true`) != 1 {
			t.Errorf("%v: %s", v, got)
		}
	}
}

// A bug while a connection is read is told on standard error, and counts as not decrypted.
func TestABugIsToldAndCounts(t *testing.T) {
	var stderr bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetErr(&stderr)
	s := &showing{decryption: &decryption{cmd: cmd}}
	s.broken(&observe.Watched{Number: 7}, errors.New("a bug: \x1b[2J"))
	if got := stderr.String(); got != "! connection 7: a bug: \\x1b[2J\n" {
		t.Errorf("got %q", got)
	}
	if !failed(&observe.Report{Reason: &observe.Reason{Code: observe.InternalError}}) {
		t.Error("it counts as decrypted")
	}
}
