package front_test

import (
	"context"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/front"
)

// scan runs a scanner against a server of the default policy. docs/scanners.md has what it says of
// vitrine serve in full, and testssl.sh, which takes minutes.
func scan(t *testing.T, program string, args func(host, port string) []string) string {
	t.Helper()
	t.Parallel() // they mostly wait
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not here (Debian: %[1]s)", program)
	}
	h := open(t, &front.Server{Use: front.Echo}, time.Second)
	host, port, _ := net.SplitHostPort(h.addr)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args(host, port)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// modern are the suites of the default policy with an ECDSA certificate, of TLS 1.3 and 1.2.
var modern = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
	"TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
	"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-CCM",
	"ECDHE-ECDSA-AES256-CCM"}

func TestSslscanFindsNothing(t *testing.T) {
	out := scan(t, "sslscan", func(host, port string) []string {
		return []string{"--no-colour", "--no-check-certificate", "--sni-name=localhost", host +
			":" + port}
	})
	var suites []string
	for _, m := range regexp.MustCompile(`(?m)^(?:Preferred|Accepted) .* bits +(\S+)`).
		FindAllStringSubmatch(out, -1) {
		suites = append(suites, m[1])
	}
	slices.Sort(suites)
	if want := slices.Sorted(slices.Values(modern)); !slices.Equal(suites, want) {
		t.Errorf("it finds the suites %v, expected %v", suites, want)
	}
	for _, want := range []string{"SSLv2     disabled", "SSLv3     disabled", "TLSv1.0   disabled",
		"TLSv1.1   disabled", "TLSv1.2   enabled", "TLSv1.3   enabled",
		"Server supports TLS Fallback SCSV", "renegotiation not supported",
		"TLSv1.3 not vulnerable to heartbleed", "TLSv1.2 not vulnerable to heartbleed"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func TestNmapFindsNothing(t *testing.T) {
	out := scan(t, "nmap", func(host, port string) []string {
		return []string{"-n", "-Pn", "-p", port, "--script", "ssl-*,sslv2*,tls-ticketbleed", host}
	})
	if !strings.Contains(out, "least strength: A") ||
		!regexp.MustCompile(`(?s)TLSv1\.2:.*TLSv1\.3:`).MatchString(out) {
		t.Errorf("it says:\n%s", out)
	}
	complaint := `(?m)^.*(VULNERABLE|SSLv|TLSv1\.[01]|warnings|NULL_|_CBC_|- [B-F]$).*$`
	for _, m := range regexp.MustCompile(complaint).FindAllString(out, -1) {
		t.Errorf("it says %s", m)
	}
}
