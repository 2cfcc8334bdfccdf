package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// acceptLine is what s_server prints when it listens.
var acceptLine = regexp.MustCompile(`^ACCEPT 127\.0\.0\.1:(\d+)`)

// sServer starts openssl s_server with the identity "server" of dir. Each request that it prints is
// answered, if answers is set.
func sServer(t *testing.T, dir string, answers bool, args ...string) (addr string) {
	t.Helper()
	installed(t, "openssl")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, "openssl", append([]string{"s_server", "-accept",
		"127.0.0.1:0", "-cert", filepath.Join(dir, "server.pem"), "-key",
		filepath.Join(dir, "server.key")}, args...)...)
	out, in := io.Pipe()
	cmd.Stdout = in
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		out.Close()
		cmd.Wait()
	})
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := acceptLine.FindStringSubmatch(lines.Text()); m != nil && addr == "" {
				found <- "localhost:" + m[1]
			}
			if answers && lines.Text() == "Connection: close" {
				io.WriteString(stdin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
	}()
	select {
	case addr := <-found:
		return addr
	case <-ctx.Done():
		t.Fatal("s_server does not listen")
		return ""
	}
}

// goServer starts a server of crypto/tls and net/http with the identity "server" of dir.
func goServer(t *testing.T, dir string, config *tls.Config) (addr string) {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"),
		filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	config.Certificates = []tls.Certificate{cert}
	s.TLS, s.Config.ErrorLog = config, log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return "localhost:" + s.Listener.Addr().String()[len("127.0.0.1:"):]
}

// connect reports what became of a session with other servers, and why there was none.
func TestConnectReportsTheSession(t *testing.T) {
	dir := t.TempDir()
	if err := identities(dir); err != nil {
		t.Fatal(err)
	}
	openssl := func(args ...string) func(*testing.T) string {
		return func(t *testing.T) string { return sServer(t, dir, false, append(args, "-www")...) }
	}
	crypto := func(c *tls.Config) func(*testing.T) string {
		return func(t *testing.T) string { return goServer(t, dir, c.Clone()) }
	}
	for _, tt := range []struct {
		what  string
		start func(*testing.T) string
		flags string
		text  []string
		json  string
	}{
		{"OpenSSL, TLS 1.3", openssl("-tls1_3"), "",
			[]string{"tickets 2, good for 7,200 seconds",
				"resumed the session by ticket (psk_dhe_ke: x25519 anew), in "},
			`"resumption":{"resumed":true,"by":"ticket","offered":"ticket","mode":"psk_dhe_ke",` +
				`"group":"x25519","ms":`},
		{"OpenSSL, psk_ke", openssl("-tls1_3", "-allow_no_dhe_kex"), "--psk-mode psk_ke",
			[]string{"by ticket alone (psk_ke: NOT forward secret), in "}, `"mode":"psk_ke","ms":`},
		{"OpenSSL, psk_ke is not taken", openssl("-tls1_3"), "--psk-mode psk_ke",
			[]string{"offered the session by ticket, and the server made a new one, in "},
			`"resumption":{"resumed":false,"offered":"ticket","ms":`},
		{"OpenSSL, TLS 1.3 without tickets", openssl("-tls1_3", "-num_tickets", "0"), "",
			[]string{"had none to resume, since the server sent no ticket that we could keep"},
			`"resumption":{"resumed":false,"ms":`},
		{"OpenSSL, TLS 1.2", openssl("-tls1_2"), "",
			[]string{"tickets 1, good for 7,200 seconds", "resumed the session by ticket, in "},
			`"resumption":{"resumed":true,"by":"ticket","offered":"ticket","ms":`},
		{"OpenSSL, TLS 1.2 without tickets", openssl("-tls1_2", "-no_ticket"), "",
			[]string{"resumed the session by session ID, in "},
			`"resumption":{"resumed":true,"by":"session ID","offered":"session ID","ms":`},
		{"crypto/tls, TLS 1.3", crypto(&tls.Config{}), "",
			[]string{"tickets 1, good for 604,800 seconds",
				"resumed the session by ticket (psk_dhe_ke: X25519MLKEM768 anew), in "},
			`"mode":"psk_dhe_ke","group":"X25519MLKEM768"`},
		{"crypto/tls, TLS 1.2", crypto(&tls.Config{MaxVersion: tls.VersionTLS12}), "",
			[]string{"tickets 1, good for as long as the server likes",
				"resumed the session by ticket, in "}, `"by":"ticket","offered":"ticket"`},
		{"crypto/tls, TLS 1.2 without tickets", crypto(&tls.Config{MaxVersion: tls.VersionTLS12,
			SessionTicketsDisabled: true}), "",
			[]string{"had none to resume, since the server gave neither a ticket nor a session ID"},
			`"resumption":{"resumed":false,"ms":`},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"connect", tt.start(t), "-4", "-i=false", "--ca",
				filepath.Join(dir, "ca.pem"), "--resume"}, strings.Fields(tt.flags)...)
			code, stdout, stderr := command(t, args...)
			flat := strings.Join(strings.Fields(stdout), " ")
			for _, want := range tt.text {
				if code != exitOK || !strings.Contains(flat, want) {
					t.Errorf("exit code %d; nothing says %q:\n%s%s", code, want, stdout, stderr)
				}
			}
			if _, stdout, _ := command(t, append(args, "--json")...); !strings.Contains(stdout,
				tt.json) {
				t.Errorf("--json has no %s:\n%s", tt.json, stdout)
			}
		})
	}
}

// connect reports what became of early data that it sent to other servers, and why it sent none.
func TestConnectReportsEarlyData(t *testing.T) {
	dir := t.TempDir()
	if err := identities(dir); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what       string
		addr       string
		text, json string
	}{
		{"OpenSSL takes it", sServer(t, dir, true, "-early_data"),
			"and the server says that it takes them; HTTP/1.1 200 OK, ",
			`"early_data":{"status":"accepted","bytes":`},
		{"OpenSSL has tickets for none", sServer(t, dir, true),
			"not sent: the first connection brought no ticket that allows early data",
			`"early_data":{"status":"not sent","reason":"the first connection brought no ticket`},
		{"crypto/tls has tickets for none", goServer(t, dir, &tls.Config{}),
			"not sent: the first connection brought no ticket that allows early data",
			`"early_data":{"status":"not sent","reason":`},
		{"OpenSSL does not answer", sServer(t, dir, false, "-early_data"),
			"not sent: the first connection's request failed already", ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			args := []string{"connect", tt.addr, "-4", "-i=false", "--timeout", "3s", "--ca",
				filepath.Join(dir, "ca.pem"), "--get", "/", "--early-data"}
			_, stdout, stderr := command(t, args...)
			if flat := strings.Join(strings.Fields(stderr), " "); !strings.Contains(flat, tt.text) {
				t.Errorf("nothing says %q:\n%s%s", tt.text, stdout, stderr)
			}
			if tt.json == "" {
				return
			}
			if _, stdout, _ := command(t, append(args, "--json")...); !strings.Contains(stdout,
				tt.json) {
				t.Errorf("--json has no %s:\n%s", tt.json, stdout)
			}
		})
	}
}

// The log of serve shows which clients of other stacks resumed, and what became of early data.
// Within its first ten seconds a server takes none, and says so, in the live view too.
func TestServeLogsSessionsAndEarlyData(t *testing.T) {
	installed(t, "openssl")
	for _, asJSON := range []bool{false, true} {
		s, ca := serving(t, "--early-data", "--ui", fmt.Sprint("--json=", asJSON))
		dir := t.TempDir()
		session, request := filepath.Join(dir, "session"), filepath.Join(dir, "request")
		if err := os.WriteFile(request, []byte("GET / HTTP/1.0\r\n\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		client := "openssl s_client -connect " + s.addr + " -ign_eof -CAfile " + ca
		for _, rest := range []string{"-sess_out", "-sess_in", "-early_data " + request +
			" -sess_in"} {
			if out, err := shell(t, client+" "+rest+" "+session+" <"+request); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		pem, err := os.ReadFile(ca)
		if err != nil {
			t.Fatal(err)
		}
		config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost",
			ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		config.RootCAs.AppendCertsFromPEM(pem)
		for range 2 {
			conn, err := tls.Dial("tcp", s.addr, config)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n")
			io.Copy(io.Discard, conn)
			conn.Close()
		}
		for range 1000 {
			if strings.Count(s.out.String(), "\n") == 5 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		lines := bytes.Split([]byte(strings.TrimSpace(s.out.String())), []byte("\n"))
		want := []string{"", " resumed ", " resumed early data rejected: this server was just " +
			"started, and may have read it before (RFC 8446 §8.2), ", "", " resumed "}
		if asJSON {
			want = []string{"", `"resumed":true`, `"resumed":true,"early_data":"rejected",` +
				`"early_data_reason":"this server was just started`, "",
				`"resumed":true`}
		}
		for i, line := range lines {
			if len(lines) != len(want) || !bytes.Contains(line, []byte(want[i])) ||
				(want[i] == "") == bytes.Contains(line, []byte("resumed")) ||
				strings.Contains(want[i], "early") != bytes.Contains(line, []byte("early")) {
				t.Errorf("line %d of %d is %s, expected %q in it", i+1, len(lines), line, want[i])
			}
		}
		reasons := ""
		for _, r := range view(t, s.errs.String).rows(over(len(want))) {
			reasons += r.EarlyData + r.EarlyWhy
		}
		if !strings.HasPrefix(reasons, "rejectedthis server was just started") {
			t.Errorf("the live view has early data %q", reasons)
		}
	}
}
