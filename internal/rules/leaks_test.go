package rules_test

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	connects = regexp.MustCompile(
		`\bvitrine\.(Server|Client|Dial|DialWithDialer|Listen|NewListener)\(|` +
			`\brig\.(Shake|Wires)\(`)
	watches = regexp.MustCompile(`\brig\.(Main\(m\)|Watched\{)`)
)

// A package whose tests make connections ends with a check that none of them left a goroutine
// behind: rig.Main, or rig.Watched where TestMain does more.
func TestConnectionTestsLookForLeaks(t *testing.T) {
	t.Chdir(root)
	connecting, watched := map[string]bool{}, map[string]bool{}
	eachFile(t, "_test.go", func(file string, text []byte) {
		pkg := path.Dir(file)
		if strings.HasPrefix(pkg, "browsertest") { // a module of its own
			return
		}
		connecting[pkg] = connecting[pkg] || connects.Match(text)
		watched[pkg] = watched[pkg] || watches.Match(text)
	})
	for _, pkg := range slices.Sorted(maps.Keys(connecting)) {
		if connecting[pkg] && !watched[pkg] {
			t.Errorf("%s: its tests make connections, and nothing looks for what they leave behind",
				pkg)
		}
	}
	if len(watched) < 20 || !watched["internal/faults"] {
		t.Errorf("%d packages with tests were found", len(watched))
	}
}
