package suite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/record"
)

var update = flag.Bool("update", false, "write what the tests got into testdata")

// The orders and concerns are kept as text, so that changing a rule shows what it changes.
func TestPreferenceAndConcernsMatchSnapshot(t *testing.T) {
	for name, fast := range map[string]aead{"preference-aes.txt": gcmFirst,
		"preference-no-aes.txt": chachaFirst} {
		var b strings.Builder
		for _, id := range preference(fast) {
			s := ByID(id)
			var what []string
			for _, c := range Concerns(s) {
				what = append(what, c.What)
			}
			fmt.Fprintln(&b,
				strings.TrimSpace(fmt.Sprintf("%-47s %-10s %s", id, Status(s),
					strings.Join(what, ", "))))
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s: got\n%s\nexpected\n%s\nIf the change is meant: go test ./suite -update",
				name, got, want)
		}
	}
}

func TestPreferenceIsComplete(t *testing.T) {
	got := Preference()
	if len(got) != len(registry) {
		t.Errorf("got %d suites, expected %d", len(got), len(registry))
	}
	for _, s := range registry {
		if !slices.Contains(got, s.ID) {
			t.Errorf("%v is missing", s)
		}
	}
}

// Suites that are worse for secrecy never come before better ones. See RFC 9325 §4.1 and §4.2.
func TestPreferencePutsSecrecyFirst(t *testing.T) {
	for _, fast := range []aead{gcmFirst, chachaFirst} {
		ids := preference(fast)
		for i := range ids[1:] {
			a, b := ByID(ids[i]), ByID(ids[i+1])
			if Status(a) == Insecure && Status(b) != Insecure {
				t.Errorf("%v comes before %v", a, b)
			}
			if Status(a) == Status(b) && !a.ForwardSecret() && b.ForwardSecret() &&
				a.Cipher == b.Cipher {
				t.Errorf("%v comes before %v", a, b)
			}
		}
	}
}

// Ephemeral elliptic curves with full-length AEADs are free of concerns, and nothing else is. See
// RFC 10015 and RFC 9113 appendix A.
func TestOnlyECDHEWithFullAEADsHasNoConcerns(t *testing.T) {
	for _, s := range All() {
		on := s.kex.EllipticCurve() && s.Cipher.AEAD() && s.Cipher.TagLen == 16
		if got := len(Concerns(s)) == 0; got != on {
			t.Errorf("%v: without concern: %t", s, got)
		}
		if byName := s.Cipher == record.NULL ||
			s.Cipher == record.DES_EDE3_CBC; byName != (Status(s) == Insecure) {
			t.Errorf("%v: got %v", s, Status(s))
		}
	}
}

func TestEveryRuleAndConcernApplies(t *testing.T) {
	for _, r := range Rules() {
		first := r.rank(registry[0])
		if !slices.ContainsFunc(registry, func(s *Suite) bool { return r.rank(s) != first }) {
			t.Errorf("the rule %q tells no two suites apart", r.Prefer)
		}
	}
	for _, c := range concerns {
		if !slices.ContainsFunc(registry, c.of) || c.Ref == "" || c.Reason == "" {
			t.Errorf("the concern %q is about no suite, or gives no reason", c.What)
		}
	}
	if !slices.IsSortedFunc(concerns,
		func(a, b Concern) int { return int(b.Level) - int(a.Level) }) {
		t.Error("the worst concern does not come first")
	}
}
