package explain

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/suite"
)

// Every line of terms.tsv names something that exists, and everything that Vitrine implements or
// sends has a line.
func TestCatalogueIsComplete(t *testing.T) {
	terms := map[[2]string]Term{}
	for _, x := range Terms() {
		key := [2]string{x.Kind, x.Name}
		if _, twice := terms[key]; twice && x.Kind != "word" && x.Name != "application_settings" &&
			x.Kind != "cipher suite" {
			t.Errorf("%q occurs twice", key)
		}
		terms[key] = x
		if x.Text == "" || strings.TrimSpace(x.Text) != x.Text || !strings.HasSuffix(x.Text, ".") {
			t.Errorf("%q: text %q", key, x.Text)
		}
	}
	shown := map[string]string{"term": "word"}
	for _, r := range registries {
		shown[r.kind] = r.shown
	}
	lines := 0
	for line := range strings.Lines(termsTSV) {
		lines++
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || shown[f[0]] == "" || f[2] == "" {
			t.Fatalf("line %d: %q", lines, f)
		}
		if x := terms[[2]string{shown[f[0]], f[1]}]; x.Text != f[3] {
			t.Errorf("line %d: no registry knows the %s %q", lines, f[0], f[1])
		}
	}
	own := func(kind, name string) {
		if x := terms[[2]string{kind, name}]; x.Text == "" ||
			strings.Contains(x.Text, "can name and does not speak") || x.Ref == "" {
			t.Errorf("%s %s is not explained: %q", kind, name, x.Text)
		}
	}
	for d := range alert.Description(255) {
		if name := d.String(); !strings.HasPrefix(name, "0x") {
			own("alert", name)
		}
	}
	for n := range iana.HandshakeType(255) {
		if name := n.String(); !strings.HasPrefix(name, "0x") {
			own("handshake message", name)
		}
	}
	for _, s := range slices.Concat(suite.All13(), suite.All()) {
		own("cipher suite", s.ID.String())
	}
	for _, g := range []iana.Group{iana.Secp256r1, iana.Secp384r1, iana.Secp521r1, iana.X25519,
		iana.X448, iana.FFDHE2048, iana.FFDHE8192} {
		own("group", g.String())
	}
	for n := range iana.ExtensionType(60) {
		if name := n.String(); !strings.HasPrefix(name, "0x") {
			own("extension", name)
		}
	}
	t.Logf("%d lines, %d terms", lines, len(terms))
}

// The sections that terms.tsv cites exist.
func TestCatalogueCitesExistingSections(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testkit.Root(), "testdata", "rfc", "sections.txt"))
	if err != nil {
		t.Fatal(err)
	}
	index := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if rfc, list, ok := strings.Cut(line, ":"); ok {
			index[rfc] = strings.Fields(list)
		}
	}
	n := 0
	cited := regexp.MustCompile(`RFC (\d+)(?: (?:§|appendix )([0-9A-Z.]*[0-9A-Z]))?`)
	for _, c := range cited.FindAllStringSubmatch(termsTSV+causesTSV, -1) {
		known, ok := index[c[1]]
		if !ok {
			continue // an extension that Vitrine only names
		}
		if n++; c[2] != "" && !slices.Contains(known, c[2]) {
			t.Errorf("RFC %s has no §%s", c[1], c[2])
		}
	}
	if n == 0 {
		t.Fatal("nothing was cited")
	}
	t.Logf("%d citations", n)
}

func TestATermIsFoundByNumberAndName(t *testing.T) {
	for _, c := range []struct{ word, want string }{ // kind:name, in order
		{"40", "alert:handshake_failure"},
		{"22", "alert:record_overflow content type of records:handshake handshake " +
			"message:certificate_status extension:encrypt_then_mac group:secp256k1"},
		{"0x16", "alert:record_overflow content type of records:handshake handshake " +
			"message:certificate_status extension:encrypt_then_mac group:secp256k1 cipher " +
			"suite:TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
		{"0xC02F", "cipher suite:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{"0xC0,0x2F", "cipher suite:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{"49199", "cipher suite:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{"010", "alert:unexpected_message extension:supported_groups group:sect283r1"},
		{"0x0804", "signature scheme:rsa_pss_rsae_sha256"},
		{"0x0303", "signature scheme:ecdsa_sha224 version:TLS 1.2"},
		{"65281", "extension:renegotiation_info group:arbitrary_explicit_prime_curves"},
		{"ECDHE-RSA-AES128-GCM-SHA256", "cipher suite:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		{"key_block", "word:key_block"},
		{"Key Block", "word:key_block"},
		{"early_secret", "word:Early Secret"},
		{"HelloRetryRequest", "word:HelloRetryRequest"},
		{"close_notify", "alert:close_notify"},
		{"ServerHello", "handshake message:server_hello"},
		{"prime256v1", "group:secp256r1"},
		{"x25519", "group:x25519"},
		{"certificate", "word:certificate handshake message:certificate"},
		{"TLS 1.2", "version:TLS 1.2"},
		{"tls1.2", "version:TLS 1.2"},
		{"SNI", "word:SNI"},
		{"sslv3 alert handshake failure", "error message:sslv3 alert handshake failure"},
		{"error:0A00010B:SSL routines::wrong version number", "error message:wrong version number"},
		{"remote error: tls: bad certificate", "error message:tls: bad certificate"},
		{"Received fatal alert: bad_certificate",
			"error message:Received fatal alert alert:bad_certificate"},
		{"SSL alert number 48", "alert:unknown_ca"},
		{"", ""},
		{"-", ""},
		{"nothing of the kind", ""},
		{"99999999999", ""},
		{"0xFFFFFF", ""},
	} {
		var got []string
		for _, x := range Lookup(c.word) {
			got = append(got, x.Kind+":"+x.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %q, expected %q", c.word, got, c.want)
		}
	}
	if near := Near("handshke_failure"); !slices.Equal(near, []string{"handshake_failure"}) {
		t.Errorf("got %q", near)
	}
	if near := Near("zz"); len(near) != 0 {
		t.Errorf("got %q", near)
	}
}
