package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
)

// The certificates of ../shared/cases: with -k there is a connection, and the chain is shown and
// written; without it the report has the true reason, and a change that is seen to help.
func TestCertificatesOfTheCasesAreShownAndExplained(t *testing.T) {
	const dir = "../../../shared/cases/certificates"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the cases are not at hand: ../shared/cases/certificates")
	}
	for _, tt := range []struct {
		name, first string // first: the flags that a first attempt with -k finds to be needed
		root        bool   // the file holds a root for it
		reason      string // without -k
		trusted     bool   // the change that helps makes it trusted
		section     string // that the report with -k names
	}{
		{"neg-serial", "", false, "certificate 1 of 1 is refused as it is: negative serial number",
			false, "RFC 5280 §4.1.2.2"},
		{"san-nonascii", "", false,
			"certificate 1 of 1 is refused as it is: SAN dNSName is malformed", false,
			"RFC 5280 §4.2.1.6"},
		{"san-ip-badlen", "", false,
			"certificate 1 of 1 is refused as it is: cannot parse IP address", false,
			"RFC 5280 §4.2.1.6"},
		{"explicit", "", false, "certificate 1 of 1 is refused as it is: its key does not name " +
			"its curve", false, "RFC 5480 §2.1.1"},
		{"sha1", "", false, "signed with sha1WithRSAEncryption, which only policy legacy accepts",
			false, "RFC 6194"},
		{"ku-only-encipher", "", true, "KeyUsage does not allow what the server uses it for", true,
			"RFC 5280 §4.2.1.3"},
		{"rsa512", "--max 1.2", false, "got an RSA key of 512 bits, expected at least 1024", false,
			"RFC 9325 §4.5"},
		{"cn-only", "", true, "it has no name at all that counts", false, ""},
		{"wrong-order", "", true, "", true, "RFC 5246 §7.4.2, RFC 8446 §4.4.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cert := filepath.Join(dir, tt.name+".pem")
			options := []string{"-cert", cert, "-key", filepath.Join(dir, tt.name+".key"),
				"-cipher", "DEFAULT:@SECLEVEL=0"}
			if tt.name == "wrong-order" { // else the leaf would come twice
				options = append(options, "-cert_chain", cert)
			}
			addr := broken.OpenSSL(t, options...)
			addr = "localhost:" + strings.TrimPrefix(addr, "127.0.0.1:")
			file := filepath.Join(t.TempDir(), "chain.pem")
			args := []string{"connect", addr, "-4", "-i=false", "-k", "--chain-out", file}
			code, stdout, stderr := command(t, args...)
			if tt.first != "" {
				works := worksWith.FindStringSubmatch(stdout)
				if code != exitFailed || works == nil || !strings.HasSuffix(works[1], tt.first) {
					t.Fatalf("exit code %d, expected the line that works to add %s\n%s", code,
						tt.first, stdout)
				}
				args = append(args, strings.Fields(tt.first)...)
				code, stdout, stderr = command(t, args...)
			}
			if code != exitOK || !strings.Contains(stdout, "0 subject   CN=localhost") {
				t.Errorf("with -k: exit code %d\n%s%s", code, stdout, stderr)
			}
			if text := strings.Join(strings.Fields(stdout), " "); tt.section != "" &&
				!strings.Contains(text, "("+tt.section+")") || strings.Contains(text, "§4)") {
				t.Errorf("with -k the section is not %q\n%s", tt.section, stdout)
			}
			if pem, err := os.ReadFile(file); err != nil ||
				!strings.HasPrefix(string(pem), "-----BEGIN CERTIFICATE") {
				t.Errorf("the chain was not written: %v", err)
			}
			args = append([]string{"connect", addr, "-4", "-i=false"}, strings.Fields(tt.first)...)
			if tt.root {
				args = append(args, "--ca", cert)
			}
			verifies(t, tt.reason, tt.trusted, args)
		})
	}
}

// verifies runs connect without -k and expects the reason, and whether a change helps.
func verifies(t *testing.T, reason string, trusted bool, args []string) {
	t.Helper()
	code, stdout, stderr := command(t, args...)
	flat := strings.Join(strings.Fields(stdout+stderr), " ")
	if reason == "" {
		if code != exitOK {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
		return
	}
	works := worksWith.FindStringSubmatch(stdout)
	if code == exitOK || !strings.Contains(flat, reason) || (works != nil) != trusted {
		t.Fatalf("exit code %d, expected %q\n%s%s", code, reason, stdout, stderr)
	}
	if works == nil {
		return
	}
	code, stdout, stderr = command(t, append(strings.Fields(works[1]), "-i=false")...)
	if code != exitOK {
		t.Errorf("%q: exit code %d\n%s%s", works[1], code, stdout, stderr)
	}
}
