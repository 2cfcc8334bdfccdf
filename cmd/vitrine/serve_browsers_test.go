package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// serving starts vitrine serve with a certificate made for the run.
func serving(t *testing.T, args ...string) (s *served, ca string) {
	t.Helper()
	ca = filepath.Join(t.TempDir(), "ca.pem")
	s, err := serveInTest(append(args, "--ca-out", ca)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	return s, ca
}

func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: it is in the Debian package of that name", name)
	}
	return path
}

// The commands that serve prints at its start reach it.
func TestThePrintedCommandsReachTheServer(t *testing.T) {
	installed(t, "curl")
	installed(t, "openssl")
	for _, args := range [][]string{nil, {"--name", "a.test"}, {"--suite", "AES128-SHA"},
		{"--suite", "NULL-SHA256"}, {"--policy", "legacy"}, {"--echo"}} {
		s, _ := serving(t, args...)
		n := 0
		for line := range strings.Lines(s.errs.String()) {
			line = strings.TrimSpace(line)
			name, _, _ := strings.Cut(line, " ")
			switch name {
			case "curl":
				out, err := shell(t, line+" -sS")
				if n++; err != nil || !strings.Contains(out, "hello from behind the glass") {
					t.Errorf("%s: %v\n%s", line, err, out)
				}
			case "openssl":
				out, err := shell(t, line+" -verify_return_error -brief </dev/null")
				if n++; err != nil || !strings.Contains(out, "CONNECTION ESTABLISHED") {
					t.Errorf("%s: %v\n%s", line, err, out)
				}
			case "vitrine":
				if slicesHas(args, "--suite") {
					line += " --suite " + args[1]
				}
				code, stdout, stderr := command(t, append(strings.Fields(line)[1:], "-i=false")...)
				if n++; code != exitOK {
					t.Errorf("%s: exit code %d\n%s%s", line, code, stdout, stderr)
				}
			}
		}
		if want := map[bool]int{true: 2, false: 3}[slicesHas(args, "--echo")]; n != want {
			t.Errorf("%q: %d commands, expected %d:\n%s", args, n, want, s.errs.String())
		}
	}
}

func slicesHas(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func shell(t *testing.T, line string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput()
	return string(out), err
}

func TestCurlSpeaksBothVersionsOfHTTP(t *testing.T) {
	installed(t, "curl")
	s, ca := serving(t)
	for flag, want := range map[string]string{"--http1.1": `protocol     "http/1.1"`,
		"--http2": `protocol     "h2"`} {
		for tls, version := range map[string]string{"": "TLS 1.3", "--tls-max 1.2": "TLS 1.2"} {
			out, err := shell(t,
				strings.Join([]string{"curl -sS --cacert", ca, flag, tls, "https://" + s.addr},
					" "))
			if err != nil || !strings.Contains(out, want) ||
				!strings.Contains(out, "version      "+version) {
				t.Errorf("curl %s %s: %v\n%s", flag, tls, err, out)
			}
		}
	}
	out, err := shell(t, "curl -sS -i http://"+s.addr+"/")
	if err != nil || !strings.HasPrefix(out, "HTTP/1.1 400 ") {
		t.Errorf("curl without TLS: %v\n%s", err, out)
	}
	if out, err := shell(t, "curl -sS https://"+s.addr+"/"); err == nil {
		t.Errorf("curl trusts whom it does not know:\n%s", out)
	}
}

// tstclnt speaks with NSS, the library of Firefox. It trusts the CA that serve wrote, comes back
// with a ticket, and reads a whole page.
func TestNSSReachesServe(t *testing.T) {
	for _, tool := range []string{"tstclnt", "certutil"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: it is in the Debian package libnss3-tools", tool)
		}
	}
	s, ca := serving(t)
	dir := t.TempDir()
	for _, line := range []string{"certutil -N -d sql:" + dir + " --empty-password",
		"certutil -A -d sql:" + dir + " -n root -t CT,C, -a -i " + ca,
		`printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' >` + dir + "/request"} {
		if out, err := shell(t, line); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	_, port, _ := strings.Cut(s.addr, ":")
	for version, want := range map[string]string{"tls1.3": "TLS 1.3", "tls1.2": "TLS 1.2"} {
		out, err := shell(t, "tstclnt -4 -O -u -G -L 2 -h localhost -p "+port+" -d sql:"+dir+
			" -V "+version+":"+version+" -A "+dir+"/request")
		if n := strings.Count(out, "hello from behind the glass"); err != nil || n != 2 ||
			!strings.Contains(out, "version      "+want) {
			t.Errorf("NSS with %s: %v, %d pages\n%s", version, err, n, out)
		}
		for range 1000 {
			if strings.Contains(s.out.String(), want+" ") &&
				strings.Count(s.out.String(), "\n")%2 == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		lines := regexp.MustCompile(`(?m)^.* `+want+` .*$`).FindAllString(s.out.String(), -1)
		if len(lines) != 2 || strings.Contains(lines[0], "resumed") ||
			!strings.Contains(lines[1], " sni=localhost resumed ") {
			t.Errorf("serve tells of NSS with %s: %q", version, lines)
		}
	}
	// without the CA it says why it left
	out, err := shell(t, "tstclnt -4 -D -O -h localhost -p "+port+" -A "+dir+"/request")
	if err == nil {
		t.Errorf("NSS trusts whom it does not know:\n%s", out)
	}
	for range 1000 {
		if strings.Contains(s.out.String(), "unknown_ca") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("serve does not tell that NSS left with unknown_ca:\n%s", s.out.String())
}

var printedPin = regexp.MustCompile(`pin sha256/(\S+);`)

// A browser shows the page of its connection, over HTTP/2 and TLS 1.3 with the hybrid group. It
// trusts the pin of the key instead of the CA.
func TestChromiumSeesThePage(t *testing.T) {
	chromium := testkit.Chromium(t)
	s, _ := serving(t)
	pin := printedPin.FindStringSubmatch(s.errs.String())
	if pin == nil {
		t.Fatalf("no pin was printed:\n%s", s.errs.String())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-background-networking",
		"--user-data-dir="+t.TempDir(), "--ignore-certificate-errors-spki-list="+pin[1],
		"--dump-dom", "https://"+s.addr+"/")
	killedWhole(cmd)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	for _, want := range []string{"This is the connection that brought you this page",
		`<span class="version">TLS 1.3</span>`, "X25519MLKEM768", "GREASE",
		"This record brought the request that this page answers.", `class="js one"`} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("the page lacks %q: %v\n%.2000s", want, err, out)
		}
	}
	for range 100 { // the log has it
		if strings.Contains(s.out.String(), "alpn=h2") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the log does not have it:\n%s", s.out.String())
}

// An interrupt ends serve with the documented exit code. One JSON line was logged for each
// connection, and --glass showed the one that matches.
func TestServeLogsAndEnds(t *testing.T) {
	s, ca := serving(t, "--json", "--glass", "failed")
	code, stdout, stderr := command(t, "connect", s.addr, "--ca", ca, "--get", "/")
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, _ := command(t, "connect", s.addr, "-i=false", "--no-retry", "--max", "1.0",
		"--policy", "legacy"); code != exitFailed {
		t.Fatalf("exit code %d, expected %d", code, exitFailed)
	}
	for range 1000 { // the client may be gone before the server has logged it
		if strings.Count(s.out.String(), "\n") == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if code := s.stop(); code != exitInterrupted {
		t.Errorf("exit code %d, expected %d", code, exitInterrupted)
	}
	lines := strings.Split(strings.TrimSpace(s.out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"ok":true`) ||
		!strings.Contains(lines[1], `"ok":false`) || !strings.Contains(lines[1], `"cause":"`) {
		t.Errorf("the log is:\n%s", s.out.String())
	}
	if glass := s.errs.String(); strings.Count(glass, "1 HELLOS") != 1 ||
		!strings.Contains(glass, "protocol_version") {
		t.Errorf("under the glass:\n%s", glass)
	}
}
