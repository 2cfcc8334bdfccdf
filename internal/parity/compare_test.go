package parity_test

import (
	"crypto/tls"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBehaviourIsThatOfCryptoTLSWhereTheComparisonSaysSo(t *testing.T) {
	covered := map[string]bool{}
	n := 0
	for _, r := range slices.Concat(configRows(), connRows(), callbackRows(), functionRows()) {
		for name := range strings.FieldsSeq(r.covers) {
			covered[name] = true
		}
		for _, role := range []string{"client", "server"} {
			if r.role != "" && r.role != role {
				continue
			}
			for _, highest := range []uint16{tls.VersionTLS12, 0} { // 0: what both have by default
				n++
				name := strings.ReplaceAll(r.covers, " ", "+") + "/" + r.what + "/" + role
				if highest != 0 {
					name += "/until " + tls.VersionName(highest)
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					r.compare(t, highest, role == "client")
				})
			}
		}
	}
	declared := typesAndConstants(t)
	for name, verdict := range verdicts(t) {
		if verdict != "same" && verdict != "differs" || covered[name] || notRun[name] != "" {
			continue
		}
		if !declared[name] {
			t.Errorf("%s: %s, says the document, and no row tries it", name, verdict)
		}
	}
	t.Logf("%d rows", n)
}

// compare plays a row with an end of ours and with one of crypto/tls.
func (r *row) compare(t *testing.T, highest uint16, client bool) {
	got, want := r.observe(t, highest, client, true), r.observe(t, highest, client, false)
	if same := slices.Equal(got, want); same == r.expected(highest) {
		t.Errorf("expected differences: %v; seen:%s", r.expected(highest), differences(got, want))
	}
}

// differences are the lines that two runs do not share.
func differences(got, want []string) string {
	var b strings.Builder
	for i := range max(len(got), len(want)) {
		var ours, theirs string
		if i < len(got) {
			ours = got[i]
		}
		if i < len(want) {
			theirs = want[i]
		}
		if ours != theirs {
			fmt.Fprintf(&b, "\nline %d, here:       %s\nline %d, crypto/tls: %s", i+1, ours, i+1,
				theirs)
		}
	}
	return b.String()
}

// typesAndConstants are the names of crypto/tls that do nothing: comparison_test.go compares them.
func typesAndConstants(t *testing.T) map[string]bool {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("go is not here: its source tells what is a type")
	}
	names := map[string]bool{}
	for name, typ := range exported(t,
		filepath.Join(strings.TrimSpace(string(root)), "src/crypto/tls")) {
		names[name] = !strings.Contains(name, ".") && !strings.HasPrefix(typ, "func(")
	}
	return names
}
