package iana

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// registryRows reads registry.tsv, independently of the generated table under test.
func registryRows(t *testing.T) (rows []registered) {
	t.Helper()
	data, err := os.ReadFile("registry.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := append(strings.Split(strings.TrimSuffix(line, "\n"), "\t"), "")
		var code CipherSuite
		if _, err := fmt.Sscanf(f[0], "0x%04X", &code); err != nil || len(f) > 4 {
			t.Fatalf("registry.tsv: %q: %v", line, err)
		}
		rows = append(rows, registered{code, f[1], f[2]})
	}
	return rows
}

func TestGeneratedSuitesMatchDataFile(t *testing.T) {
	rows := registryRows(t)
	if !slices.Equal(rows, suites[:]) {
		t.Error("zz_suites.go is not made of registry.tsv: run go generate ./iana")
	}
	if !slices.IsSortedFunc(rows, func(a, b registered) int { return int(a.code) - int(b.code) }) {
		t.Error("registry.tsv is not sorted by code")
	}
	source, err := os.ReadFile("zz_suites.go")
	if err != nil {
		t.Fatal(err)
	}
	consts := regexp.MustCompile(`(?m)^\t(TLS_\w+) +CipherSuite = (0x[0-9A-F]{4})$`).
		FindAllStringSubmatch(string(source), -1)
	if len(consts) != len(rows) {
		t.Fatalf("got %d constants for %d rows", len(consts), len(rows))
	}
	for i, c := range consts {
		if want := rows[i]; c[1] != want.name || c[2] != unknown16(want.code) {
			t.Errorf("got the constant %s = %s, expected %s = %s", c[1], c[2], want.name,
				unknown16(want.code))
		}
	}
	t.Logf("%d code points", len(rows))
}

func TestSuiteByName(t *testing.T) {
	n := 0
	for _, r := range registryRows(t) {
		if r.code.String() != r.name || r.code.OpenSSL() != r.openssl {
			t.Errorf("0x%04X: got %v and %q, expected %s and %q", uint16(r.code), r.code,
				r.code.OpenSSL(), r.name, r.openssl)
		}
		for _, name := range []string{r.name, strings.ToLower(r.name), r.openssl,
			strings.ToLower(r.openssl), unknown16(r.code), strings.ToLower(unknown16(r.code))} {
			if name == "" {
				continue
			}
			n++
			if got, ok := SuiteByName(name); !ok || got != r.code {
				t.Errorf("%s: got %v, %t, expected %v", name, got, ok, r.code)
			}
		}
	}
	t.Logf("%d names", n)
}

func TestCodePointsPrint(t *testing.T) {
	for _, c := range []struct {
		v    fmt.Stringer
		want string
	}{
		{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{TLS_EMPTY_RENEGOTIATION_INFO_SCSV, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
		{TLS_FALLBACK_SCSV, "TLS_FALLBACK_SCSV"},
		{CipherSuite(0x1A1A), "GREASE (0x1A1A)"}, // RFC 8701 §2
		{Version(0x2A2A), "GREASE (0x2A2A)"},
		{ExtensionType(0x3A3A), "GREASE (0x3A3A)"},
		{Group(0x4A4A), "GREASE (0x4A4A)"},
		{SignatureScheme(0x5A5A), "GREASE (0x5A5A)"},
		{PSKKeyExchangeMode(0x0B), "GREASE (0x0B)"},
		{PSKKeyExchangeMode(0xE4), "GREASE (0xE4)"},
		{PSKKeyExchangeMode(1), "psk_dhe_ke"},
		{PSKKeyExchangeMode(2), "0x02"},
		{Version(0x0305), "0x0305"},
		{CipherSuite(0x1A2B), "0x1A2B"},
		{CipherSuite(0x1A2A), "0x1A2A"},
		{CipherSuite(0xFFFF), "0xFFFF"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("got %s, expected %s", got, c.want)
		}
	}
}

func TestUnknownNamesAreNotFound(t *testing.T) {
	for _, name := range []string{"", "0x", "0x12345", "0xC02G", "0x-1", "C02F", "TLS_", "ECDHE",
		" AES128-SHA", "md5_sha1"} {
		if s, ok := SuiteByName(name); ok {
			t.Errorf("%q is the suite %v", name, s)
		}
		if g, ok := GroupByName(name); ok {
			t.Errorf("%q is the group %v", name, g)
		}
		if s, ok := SchemeByName(name); ok {
			t.Errorf("%q is the scheme %v", name, s)
		}
	}
}

func TestGroupsByName(t *testing.T) {
	for name, want := range map[string]Group{
		"P-256": Secp256r1, "prime256v1": Secp256r1, "secp256r1": Secp256r1, "p256": Secp256r1,
		"SECP384R1": Secp384r1, "P-384": Secp384r1,
		"P-521": Secp521r1, "X25519": X25519, "x25519": X25519, "X448": X448,
		"ffdhe2048": FFDHE2048, "FFDHE8192": FFDHE8192,
		"0x001D": X25519, "0x1D": X25519, "X25519MLKEM768": 0x11EC,
	} {
		if got, ok := GroupByName(name); !ok || got != want {
			t.Errorf("%s: got %v, %t, expected %v", name, got, ok, want)
		}
	}
	for g, name := range groups {
		if got, ok := GroupByName(name); !ok || got != g {
			t.Errorf("%s: got %v, %t", name, got, ok)
		}
	}
}

func TestSchemesByName(t *testing.T) {
	for s, name := range signatureSchemes {
		if got, ok := SchemeByName(strings.ToUpper(name)); s != MD5_SHA1 && (!ok || got != s) {
			t.Errorf("%s: got %v, %t", name, got, ok)
		}
	}
	if got, ok := SchemeByName("0x0804"); !ok || got != RSA_PSS_RSAE_SHA256 {
		t.Errorf("0x0804: got %v, %t", got, ok)
	}
}

func TestSuiteNamesMatchOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed (Debian: openssl)")
	}
	out, err := exec.Command("openssl", "ciphers", "-V", "-stdname",
		"ALL:eNULL:@SECLEVEL=0").Output()
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`0x(..),0x(..) - (\S+) +- (\S+)`).FindAllStringSubmatch(string(out),
		-1)
	for _, r := range rows {
		s, ok := SuiteByName("0x" + r[1] + r[2])
		if !ok || s.String() != r[3] || s.OpenSSL() != r[4] {
			t.Errorf("0x%s%s: got %v and %q, OpenSSL says %s and %s", r[1], r[2], s,
				s.OpenSSL(), r[3], r[4])
		}
	}
	if len(rows) == 0 {
		t.Fatalf("no suites in what openssl printed: %s", out)
	}
	t.Logf("%d suites", len(rows))
}

// Encrypted ClientHello is not spoken; a peer's, or its GREASE, has a name. See RFC 9849.
func TestEncryptedClientHelloHasItsName(t *testing.T) {
	if got := ExtensionType(0xFE0D).String(); got != "encrypted_client_hello" {
		t.Errorf("got %s", got)
	}
}
