package lessons

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the lessons of docs/teaching.md again")

// The lessons of docs/teaching.md are those of the playground.
func TestTeachingGuideIsCurrent(t *testing.T) {
	const name = "../../../docs/teaching.md"
	const begin, end = "<!-- lessons -->\n", "<!-- /lessons -->\n"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	inside, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the lessons", name)
	}
	if inside == Guide() {
		return
	}
	if !*update {
		t.Fatalf("%s is not what Guide returns: go test ./internal/playpage/lessons -update", name)
	}
	if err := os.WriteFile(name, []byte(before+begin+Guide()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
