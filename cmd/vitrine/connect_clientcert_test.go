package main

import (
	"bufio"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// A server that asks for another handshake gets no_renegotiation or a ClientHello, after the first
// handshake is done. See RFC 5246 §7.4.1.1.
func TestRenegotiationIsReported(t *testing.T) {
	hello := &trace.Message{From: iana.Client, Type: iana.ClientHello}
	refused := &trace.Alert{From: iana.Client, Description: alert.NoRenegotiation}
	for _, c := range []struct {
		events  []trace.Event
		want    string
		refused bool
	}{
		{[]trace.Event{hello, &trace.Done{}}, "", false},
		{[]trace.Event{hello, &trace.Done{}, refused}, "--renegotiate allows it once", true},
		{[]trace.Event{hello, &trace.Done{}, hello}, "which --renegotiate allows once", false},
		{[]trace.Event{hello, &trace.Done{}, hello, &trace.Done{}, refused},
			"a third handshake, which was refused: --renegotiate allows one", true},
		{[]trace.Event{hello, &trace.Done{}, &trace.Alert{From: iana.Server,
			Description: alert.NoRenegotiation}}, "", false},
	} {
		var entries []trace.Entry
		for _, e := range c.events {
			entries = append(entries, trace.Entry{Event: e})
		}
		got, refused := askedAgain(entries)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) ||
			refused != c.refused {
			t.Errorf("got %q, refused: %v, expected %q", got, refused, c.want)
		}
	}
}

// IIS and others ask for a client certificate by a renegotiation. If it is allowed, it ends well:
// the certificate is shown under the first handshake's keys, and the answer comes. OpenSSL's server
// asks for it when its operator types R. See RFC 5246 §7.4.1.1 and RFC 5746.
func TestAGrantedRenegotiationShowsTheCertificate(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	cert, key := broken.Files(t, rig.Certificate(t, throwaway.RSA))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rig.Authority().Cert.Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), openssl, "s_server", "-accept", "127.0.0.1:0",
		"-naccept", "1", "-cert", cert, "-key", key, "-CAfile", ca, "-tls1_2", "-state")
	in, _ := server.StdinPipe()
	out, write := io.Pipe()
	server.Stdout, server.Stderr = write, write
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { server.Wait(); write.Close() }()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	await := func(has string) string {
		t.Helper()
		patience := time.After(30 * time.Second)
		for {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatalf("the server ended before it said %q", has)
				}
				if strings.Contains(line, has) {
					return line
				}
			case <-patience:
				t.Fatalf("the server did not say %q", has)
			}
		}
	}
	_, address, _ := strings.Cut(await("ACCEPT "), "ACCEPT ")
	type result struct {
		code           int
		stdout, stderr string
	}
	done := make(chan result, 1)
	go func() {
		code, stdout, stderr := command(t, "connect", address, "--ca", ca, "--sni", rig.ServerName,
			"--max", "1.2", "--renegotiate", "--cert", cert, "--key", key, "--get", "/",
			"--timeout", "30s")
		done <- result{code, stdout, stderr}
	}()
	await("GET / HTTP/1.1")
	io.WriteString(in, "R\n")
	await("read client certificate")
	await("write finished")
	io.WriteString(in, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfine\n")
	go func() {
		for range lines { // what else it says
		}
	}()
	got := <-done
	in.Close()
	if got.code != exitOK || !strings.Contains(got.stdout, "fine") {
		t.Errorf("exit code %d, %q\n%s", got.code, got.stdout, got.stderr)
	}
	for _, want := range []string{"which --renegotiate allows once", "asked for after the " +
		"handshake, and shown"} {
		if !strings.Contains(strings.Join(strings.Fields(got.stderr), " "), want) {
			t.Errorf("nothing says %q:\n%s", want, got.stderr)
		}
	}
}

// A server that wants a certificate of another authority than ours: the last line says which it
// wants, whose ours is, and does not propose what was tried in vain.
func TestACertificateOfAnotherAuthorityIsExplained(t *testing.T) {
	cert, key := broken.Files(t, rig.Certificate(t, throwaway.ECDSA, throwaway.ForClient))
	other, err := throwaway.New(throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca, wanted := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "wanted.pem")
	strange := filepath.Join(dir, "strange.pem")
	if out, err := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
		"-keyout", strange+".key", "-out", strange, "-subj", "/CN=strange").CombinedOutput(); err !=
		nil {
		t.Skipf("openssl: %v: %s", err, out)
	}
	for file, der := range map[string][]byte{ca: rig.Authority().Cert.Raw, wanted: other.Cert.Raw} {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	asks := func(accepts string) string {
		return broken.OpenSSL(t, "-Verify", "1", "-verify_return_error", "-CAfile", accepts)
	}
	ours := []string{"--cert", cert, "--key", key}
	for _, c := range []struct {
		accepts, want, never string
		flags                []string
	}{
		{ca, "and then: the server wants a client certificate from one of these authorities: " +
			"CN=Vitrine demo CA", "tried", nil},
		// of the same name
		{wanted, "and then: the server does not take our certificate, although its issuer has " +
			"the name of an authority that it accepts: another authority may have this name",
			"--no-sni", ours},
		{strange, "and then: the server wants a client certificate, and ours was not shown: the " +
			"server accepts only certificates from CN=strange; ours is from CN=Vitrine demo CA",
			"all the same vitrine:", ours},
		{strange, "and then: the server does not take our certificate, which is from " +
			"CN=Vitrine demo CA: it accepts those from one of these authorities: CN=strange",
			"--no-sni", append([]string{"--send-anyway"}, ours...)},
	} {
		args := append([]string{"connect", asks(c.accepts), "-i=false", "--ca", ca, "--sni",
			rig.ServerName}, c.flags...)
		code, stdout, stderr := command(t, args...)
		flat := strings.Join(strings.Fields(stdout+stderr), " ")
		if code != exitFailed || !strings.Contains(flat, c.want) ||
			strings.Contains(flat, c.never) {
			t.Errorf("exit code %d, expected %q and no %q:\n%s%s", code, c.want, c.never, stdout,
				stderr)
		}
	}
}
