package vhttp_test

import (
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// Appendix A of RFC 9113 is a list of what was registered then; suite.HTTP2 is its rule. On what
// Vitrine speaks they must agree.
func TestTheListOfProhibitedSuitesIsItsRule(t *testing.T) {
	text, err := os.ReadFile("testdata/prohibited.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimSpace(line); name != "" && name[0] != '#' {
			listed[name] = true
		}
	}
	if len(listed) != 276 {
		t.Errorf("the list has %d suites, expected the RFC's 276", len(listed))
	}
	// Registered after the list was made, and therefore not in it; the rule is ours to keep for
	// them as well.
	later := map[iana.CipherSuite]bool{iana.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256: true,
		iana.TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256: true}
	allowed, prohibited := 0, 0
	for _, s := range suite.All() {
		if !later[s.ID] && s.HTTP2() == listed[s.String()] {
			t.Errorf("%v: by the rule HTTP/2 %v, in the list %v", s, s.HTTP2(), listed[s.String()])
		}
		if s.HTTP2() {
			allowed++
		} else {
			prohibited++
		}
	}
	for name := range listed { // the rule by the name alone, for all 276
		ephemeral := strings.HasPrefix(name, "TLS_DHE_") || strings.HasPrefix(name, "TLS_ECDHE_")
		aead := strings.Contains(name, "_GCM_") || strings.Contains(name, "_CCM") ||
			strings.Contains(name, "_CHACHA20_")
		if ephemeral && aead {
			t.Errorf("%s is in the list, and ephemeral with an AEAD", name)
		}
	}
	t.Logf("%d in the list; of Vitrine's suites %d allowed, %d prohibited", len(listed), allowed,
		prohibited)
}
