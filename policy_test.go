package vitrine_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/suite"
)

// The policies as text. A policy never changes: a new judgement is a new one, with a new date. The
// order of suites depends on the machine's instructions, so here they stand by number.
func TestPoliciesAreTheSnapshot(t *testing.T) {
	var b bytes.Buffer
	for _, p := range append(vitrine.Policies(), vitrine.EarlierPolicies()...) {
		fmt.Fprintf(&b, "%s, %s: %s\n  from %v to %v\n", p.Name(), p.Date(), p.Purpose(),
			p.MinVersion(), p.MaxVersion())
		suites := p.CipherSuites()
		slices.Sort(suites)
		for _, id := range suites {
			fmt.Fprintf(&b, "  suite   %v\n", id)
		}
		suites13 := p.CipherSuites13()
		slices.Sort(suites13)
		for _, id := range suites13 {
			fmt.Fprintf(&b, "  suite   %v\n", id)
		}
		for _, g := range p.Groups() {
			fmt.Fprintf(&b, "  group   %v\n", g)
		}
		for _, s := range p.SignatureSchemes() {
			fmt.Fprintf(&b, "  scheme  %v\n", s)
		}
		fmt.Fprintln(&b)
	}
	file := filepath.Join("testdata", "policies.txt")
	if flag.Lookup("update").Value.String() == "true" { // golden_test.go's
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the policies are not those of %s; -update, and a new date, if that is meant:\n%s",
			file, b.String())
	}
}

// Secure defaults: nothing deprecated is on until it is named. RFC 9155, RFC 10015, RFC 8996; and
// CBC, which is our choice.
func TestModernHasNothingDeprecated(t *testing.T) {
	n := 0
	for _, id := range vitrine.Modern.CipherSuites() {
		n++
		if s := suite.ByID(id); suite.Status(s) != suite.Fine {
			t.Errorf("%v is %v: %v", id, suite.Status(s), suite.Concerns(s))
		}
	}
	for _, g := range vitrine.Modern.Groups() {
		if g.FiniteField() {
			t.Errorf("%v is a finite field", g)
		}
	}
	for _, p := range []*vitrine.Policy{vitrine.Modern, vitrine.Compatible} {
		for _, s := range p.SignatureSchemes() {
			if s>>8 <= 3 {
				t.Errorf("%s: %v", p.Name(), s)
			}
		}
	}
	for _, p := range vitrine.Policies() {
		for _, id := range p.CipherSuites() {
			if s := suite.ByID(id); s.Cipher.KeyLen == 0 {
				t.Errorf("%s: %v", p.Name(), id)
			}
		}
	}
	t.Logf("%d suites", n)
}

// Changing what a policy's methods return changes no policy.
func TestPoliciesCannotBeChanged(t *testing.T) {
	p := vitrine.Modern
	first, group, scheme := p.CipherSuites()[0], p.Groups()[0], p.SignatureSchemes()[0]
	p.CipherSuites()[0], p.Groups()[0], p.SignatureSchemes()[0] = 0, 0, 0
	if p.CipherSuites()[0] != first || p.Groups()[0] != group || p.SignatureSchemes()[0] != scheme {
		t.Error("a policy was changed")
	}
}
