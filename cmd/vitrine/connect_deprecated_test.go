package main

import (
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

var worksWith = regexp.MustCompile(`(?m)^works with: vitrine (.*)$`)

// A server of OpenSSL that offers one suite which is off by default: connect fails, and the line
// that it prints works.
func TestALineThatWorksIsPrintedForEveryDeprecatedSuite(t *testing.T) {
	if missing := interop.OpenSSL.Missing(); missing != "" {
		t.Skip(missing)
	}
	office, err := interop.NewOffice(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[iana.Authentication]*interop.Identity{}
	for auth, kind := range map[iana.Authentication]throwaway.Kind{iana.AuthRSA: throwaway.RSA,
		iana.AuthECDSA: throwaway.ECDSA} {
		if ids[auth], err = office.Issue(kind, []string{"localhost"}); err != nil {
			t.Fatal(err)
		}
	}
	suites, err := interop.OpenSSL.Suites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	suites = slices.DeleteFunc(suites, func(s *suite.Suite) bool {
		return slices.Contains(vitrine.Modern.CipherSuites(), s.ID) || s.PreShared()
	})
	if len(suites) < 20 {
		t.Fatalf("%d suites, expected more", len(suites))
	}
	t.Logf("%d suites of OpenSSL that are off by default", len(suites))
	for _, s := range testkit.Sample(t, "suites", 4, suites) {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			server, err := interop.OpenSSL.Serve(t.Context(),
				&interop.Setup{Suite: s, Identity: ids[s.ServerKey()],
					Options: []string{"-naccept", "100"}})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Kill()
			probe, err := server.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			probe.Close()
			_, port, _ := net.SplitHostPort(server.Addr)
			code, stdout, stderr := command(t, "connect", "-i=false", "localhost:"+port,
				"--ca", office.Trust, "--timeout", "5s")
			if code != exitFailed {
				t.Fatalf("exit code %d, expected %d\n%s%s", code, exitFailed, stdout, stderr)
			}
			line := worksWith.FindStringSubmatch(stdout)
			if line == nil {
				t.Fatalf("no line that works:\n%s%s", stdout, stderr)
			}
			args := append(strings.Fields(line[1]), "-i=false")
			code, stdout, stderr = command(t, args...)
			if code != exitOK || !strings.Contains(stdout, s.ID.String()) {
				t.Fatalf("%q: exit code %d\n%s%s", line[0], code, stdout, stderr)
			}
			if suite.Status(s) != suite.Fine && !strings.Contains(stdout, "TO KNOW") {
				t.Errorf("nothing is said against it:\n%s", stdout)
			}
		})
	}
}
