package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// eventTypes is the set of trace/events.go.
var eventTypes = []trace.Event{
	&trace.Message{}, &trace.Choice{}, &trace.Agreed{}, &trace.Ephemeral{}, &trace.ThrowawayKey{},
	&trace.SharedSecret{}, &trace.Derived{}, &trace.Given{},
	&trace.KeysInstalled{}, &trace.Record{}, &trace.Verified{}, &trace.Signed{}, &trace.Alert{},
	&trace.Failed{}, &trace.Delivery{}, &trace.Done{}, &trace.Notice{},
}

// docs/events.md has every event and every field with its type, and no others. Its examples are
// what a run writes.
func TestTheSchemaIsDocumented(t *testing.T) {
	path := filepath.Join(testkit.Root(), "docs", "events.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	first, _, _ := strings.Cut(doc, "\n")
	if !strings.HasSuffix(first, fmt.Sprintf("schema version %d", trace.Schema)) {
		t.Errorf("the first line is %q", first)
	}
	source, err := os.ReadFile(filepath.Join(testkit.Root(), "trace", "events.go"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`(?m)^func \(\*\w+\) event\(\) string`).FindAll(source,
		-1)); n != len(eventTypes) {
		t.Errorf("trace has %d events, this test knows %d", n, len(eventTypes))
	}
	examples := exampleEvents(t)
	fields := 0
	for _, e := range eventTypes {
		name := trace.Entry{Event: e}.Name()
		section := regexp.MustCompile(`(?s)\n## ` + name +
			"\n(.*?)\n```json\n(.*?)```\n").FindStringSubmatchIndex(doc)
		if section == nil {
			t.Errorf("there is no section %s with a JSON example", name)
			continue
		}
		var rows []string
		for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([a-z ]+) \\| "+
			"(.+) \\|$").FindAllStringSubmatch(doc[section[2]:section[3]], -1) {
			rows = append(rows, row[1]+": "+row[2]+optional(strings.HasPrefix(row[3], "optional")))
		}
		want := documented(reflect.TypeOf(e).Elem())
		fields += len(want)
		if d := cmp.Diff(want, rows); d != "" {
			t.Errorf("section %s:\n%s", name, d)
		}
		doc = doc[:section[4]] + examples[name] + "\n" + doc[section[5]:]
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(string(text), doc); d != "" {
		t.Errorf("the examples are not what this build writes; go test ./cmd/vitrine -update "+
			"writes them anew:\n%s", d)
	}
	t.Logf("%d events, %d fields", len(eventTypes), fields)
}

func optional(b bool) string {
	if b {
		return ", optional"
	}
	return ""
}

// documented returns the rows that the fields of a type must have.
func documented(t reflect.Type) (rows []string) {
	for f := range t.Fields() {
		if f.Anonymous {
			rows = append(rows, documented(f.Type)...)
			continue
		}
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		rows = append(rows, name+": "+typeName(f.Type)+optional(option == "omitempty"))
	}
	return rows
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[trace.Hex]():
		return "hex"
	case reflect.TypeFor[trace.Secret]():
		return "secret"
	case reflect.TypeFor[iana.Side]():
		return "side"
	}
	switch {
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Implements(reflect.TypeFor[fmt.Stringer]()):
		return "code point"
	}
	return "number"
}

// exampleEvents returns a line of a seeded run for each event: the first of those with the most
// fields.
func exampleEvents(t *testing.T) map[string]string {
	t.Helper()
	code, stdout, stderr := command(t, "handshake", "--seed=docs", "--kx=ecdhe", "--mtls", "--json")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, tampered, stderr := command(t, "handshake", "--seed=docs", "--kx=ecdhe", "--tamper=4",
		"--json")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	stdout += strings.Join(ofBetween.FindAllString(tampered, -1), "")
	examples, most := map[string]string{}, map[string]int{}
	for line := range strings.Lines(stdout + observedEvents(t)) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if name := e["event"].(string); len(e) > most[name] {
			examples[name],
				most[name] = shortened.ReplaceAllString(strings.TrimSpace(line), `"$1…"`), len(e)
		}
	}
	return examples
}

// observedEvents returns the events of a recorded connection that no live one has.
func observedEvents(t *testing.T) string {
	t.Helper()
	recorded := filepath.Join(testkit.Root(), "testdata", "captures", "generated",
		"gnutls-tls13-p256-ccm")
	saved := filepath.Join(t.TempDir(), "events")
	code, _, stderr := command(t, "decrypt", recorded+".pcapng", "--keylog", recorded+".keylog",
		"--reveal", "--events", saved)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	text, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?m)^{"event":"given".*\n`)
	return string(given.Find(text))
}

// ofBetween matches the events that a run has with somebody in between.
var ofBetween = regexp.MustCompile(`(?m)^{"event":"(?:failed|delivery)".*\n`)

// shortened matches strings of more than 64 characters.
var shortened = regexp.MustCompile(`"((?:[^"\\]|\\.){48})(?:[^"\\]|\\.){17,}"`)
