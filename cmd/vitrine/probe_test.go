package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/starttls"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// probed13 is a server of TLS 1.3 that counts its connections. It has two names.
func probed13(t *testing.T) (address string, connections *atomic.Int64) {
	t.Helper()
	cert, err := rig.Authority().Issue(throwaway.ECDSA, []string{"localhost", "second.example"})
	if err != nil {
		t.Fatal(err)
	}
	serve := broken.Stdlib(&tls.Config{Certificates: []tls.Certificate{cert},
		MinVersion: tls.VersionTLS13})
	connections = new(atomic.Int64)
	_, port, _ := net.SplitHostPort(testkit.ServeTCP(t, func(c net.Conn) {
		connections.Add(1)
		serve(c)
	}))
	return "localhost:" + port, connections
}

// A probe sees what the flags of serve say.
func TestProbeSeesWhatServeWasTold(t *testing.T) {
	s, ca := serving(t, "--name", "localhost", "--client-order", "--refuse-unknown-names",
		"--scheme", "ecdsa_secp256r1_sha256,rsa_pss_rsae_sha256", "--session-lifetime", "90m",
		"--max", "1.3")
	code, out, stderr := command(t, "probe", s.addr, "-4", "--ca", ca)
	for _, want := range []string{"TLS 1.3     yes, 3 suites, the client's order counts",
		"signatures  TLS 1.3: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256\n",
		"the last of which lives for 1h"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Fatalf("exit code %d, expected %q: %s%s", code, want, out, stderr)
		}
	}
	_, port, _ := net.SplitHostPort(s.addr)
	code, _, stderr = command(t, "connect", "localhost:"+port, "--sni", "other.example", "--ca", ca)
	if code == exitOK || !strings.Contains(stderr, "has no site of the name other.example") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for _, args := range [][]string{{"--scheme", "rsa_pss"}, {"--session-lifetime", "200h"}} {
		if code, _, stderr = command(t, append([]string{"serve"}, args...)...); code != exitUsage ||
			!strings.Contains(stderr, args[0]) {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}

func TestProbeGoesOnComparesAndShows(t *testing.T) {
	server, connections := probed13(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	list := file("hosts.txt")
	if err := os.WriteFile(list, []byte("# ours\n"+server+"\nlocalhost:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := command(t, "probe", list, "-4", "--state", file("state"), "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitUnreached || len(lines) != 2 ||
		!strings.Contains(lines[1], "connection refused") {
		t.Fatalf("exit code %d: %s", code, out)
	}
	if info, err := os.Stat(file("state")); err != nil || info.Mode().Perm() != secretMode {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	// a line that was being written when the run was killed, and one host more
	f, err := os.OpenFile(file("state"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"target": "local`)
	f.Close()
	asked := connections.Load()
	code, out, stderr := command(t, "probe", list, "localhost:2", "-4", "--state", file("state"),
		"--html", file("page.html"), "--policy", "rfc9325", "--fail-on", "high")
	if n := connections.Load(); n != asked || code != exitUnreached {
		t.Errorf("%d connections more, exit code %d: %s", n-asked, code, stderr)
	}
	if strings.Count(out, "has it.\n") != 2 || !strings.Contains(out, "probe "+server) ||
		!strings.Contains(out, "probe localhost:2") {
		t.Errorf("got %s", out)
	}
	page, err := os.ReadFile(file("page.html"))
	if err != nil || !strings.Contains(string(page), server) {
		t.Errorf("the page: %v", err)
	}

	if err := os.WriteFile(file("old"),
		[]byte(strings.ReplaceAll(lines[0], "TLS_AES_128_GCM_SHA256",
			"TLS_AES_128_CCM_SHA256")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr = command(t, "probe", server, "-4", "--compare", file("old"))
	if code != exitOK || !strings.Contains(out, "suite of TLS 1.3: new: TLS_AES_128_GCM_SHA256") ||
		!strings.Contains(out, "gone: TLS_AES_128_CCM_SHA256") {
		t.Errorf("exit code %d, %s%s", code, out, stderr)
	}
	_, out, _ = command(t, "probe", "localhost:1", "-4", "--compare", file("old"))
	if !strings.Contains(out, "has no report of this server") {
		t.Errorf("got %s", out)
	}
	code, out, stderr = command(t, "probe", server, "-4", "--sni", "localhost,second.example")
	if code != exitOK || !strings.Contains(out, "probe "+server+"\n") ||
		!strings.Contains(out, "probe "+server+" as second.example") {
		t.Errorf("exit code %d, %s%s", code, out, stderr)
	}
	if code, _, stderr = command(t, "probe", server, "--compare",
		file("none")); code != exitUsage ||
		!strings.Contains(stderr, "--compare") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if code, _, stderr = command(t, "probe", server, "--each-address", "--resolve",
		"127.0.0.1"); code !=
		exitUsage {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// A server of many that makes the program panic has a report that says so, without lists of JSON's
// null, and the others have theirs.
func TestAPanicOfAProbeEndsThatProbeAlone(t *testing.T) {
	server, _ := probed13(t)
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		t.Fatal(err)
	}
	good := probed{target: target{host: host, port: port}, name: host,
		way: reach.Way{Host: host, Port: port, Network: "tcp4", Timeout: 5 * time.Second}}
	bad := good
	bad.way.StartTLS = &starttls.Protocol{Name: "none"} // it has no dialogue to call
	cmd := newProbe()
	var out, errs bytes.Buffer
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	o := &probeOptions{parallel: 2, connection: 4, deadline: time.Minute, json: true}
	failed, ok := errors.AsType[*exitError](o.askAll(cmd, []probed{bad, good}, nil))
	if !ok || failed.code != exitUnreached {
		t.Errorf("got %v, expected the exit code %d", failed, exitUnreached)
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); strings.Contains(first, "null") {
		t.Errorf("the report is %s", first)
	}
	reports, err := probe.Read(&out)
	if err != nil || len(reports) != 2 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	if r := reports[0]; r.Reached || !strings.HasPrefix(r.Problem, "a bug: ") ||
		strings.Contains(r.Problem, "\n") {
		t.Errorf("the one that panics: reached %t, %q", r.Reached, r.Problem)
	}
	if r := reports[1]; !r.Reached || r.Problem != "" {
		t.Errorf("the one beside it: reached %t, %q", r.Reached, r.Problem)
	}
	if !strings.Contains(errs.String(), "starttls") {
		t.Errorf("where it was is not told: %s", errs.String())
	}
}
