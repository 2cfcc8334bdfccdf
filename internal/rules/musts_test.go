package rules_test

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
)

// A must is a row of testdata/rfc/musts13.tsv.
type must struct {
	section, who, what string   // a section of RFC 8446, or one of another RFC as in 9846/4.3
	alerts             []string // nil if RFC 8446 names none
	test, row          string
}

func musts(t *testing.T) (all []must) {
	t.Helper()
	text, err := os.ReadFile("testdata/rfc/musts13.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 || slices.Contains(f, "") {
			t.Fatalf("got %d columns, expected 6: %q", len(f), line)
		}
		m := must{section: f[0], who: f[1], what: f[2], test: f[4], row: f[5]}
		if f[3] != "-" {
			m.alerts = strings.Fields(f[3])
		}
		all = append(all, m)
	}
	return all
}

// wrong says what does not hold in a row; "" if nothing. read returns a file of the tree, or nil.
func (m *must) wrong(sections map[string][]string, read func(string) []byte) string {
	rfc, section := "8446", m.section
	if other, of, ok := strings.Cut(section, "/"); ok {
		rfc, section = other, of
	}
	if !slices.Contains(sections[rfc], section) {
		return "RFC " + rfc + " has no such section"
	}
	for _, side := range strings.Fields(m.who) {
		if side != "client" && side != "server" {
			return "neither client nor server: " + side
		}
	}
	for _, name := range m.alerts {
		if !registered(name) {
			return "no alert is called " + name
		}
	}
	if m.test == "-" {
		if m.row == "-" {
			return "neither a test nor a reason"
		}
		return ""
	}
	file, test, ok := strings.Cut(m.test, ":")
	text := string(read(file))
	if !ok || !strings.HasSuffix(file, "_test.go") || text == "" {
		return "no such file of tests: " + file
	}
	start := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(test) + `\(t \*testing\.T\)`).
		FindStringIndex(text)
	if start == nil {
		return "no such test: " + test
	}
	body := text[start[1]:]
	if next := strings.Index(body, "\nfunc Test"); next >= 0 {
		body = body[:next]
	}
	if m.row == "-" {
		return ""
	}
	if strings.Contains(body, m.row) {
		return ""
	}
	return test + " has no row: " + m.row
}

// registered reports whether an alert of the registry has the name.
func registered(name string) bool {
	for d := range math.MaxUint8 + 1 {
		if alert.Description(d).String() == name {
			return !strings.HasPrefix(name, "0x")
		}
	}
	return false
}

// Each alert that RFC 8446 demands has a test of ours that sees it sent, or a reason.
func TestEachMustOfTLS13HasATest(t *testing.T) {
	t.Chdir(root)
	known, all := sections(t), musts(t)
	files := map[string][]byte{}
	read := func(file string) []byte {
		if _, ok := files[file]; !ok {
			files[file], _ = os.ReadFile(file)
		}
		return files[file]
	}
	untested := 0
	for i, m := range all {
		if why := m.wrong(known, read); why != "" {
			t.Errorf("row %d, §%s, %s: %s", i+1, m.section, m.what, why)
		}
		if m.test == "-" {
			untested++
		}
	}
	t.Logf("%d rows, %d without a test", len(all), untested)
	if len(all) < 100 {
		t.Error("most rows were not found")
	}
}

func TestBadRowsOfMustsAreNoticed(t *testing.T) {
	t.Chdir(root)
	good := must{"4.2", "client server", "", []string{"illegal_parameter"}, "a_test.go:TestA",
		"a row"}
	read := func(file string) []byte {
		if file != "a_test.go" {
			return nil
		}
		return []byte("func TestA(t *testing.T) {\n\ta row\n}\n\nfunc TestB(t *testing.T) " +
			"{\n\tanother\n}\n")
	}
	sections := map[string][]string{"8446": {"4.2"}, "9846": {"4.3"}}
	if why := good.wrong(sections, read); why != "" {
		t.Error(why)
	}
	for what, change := range map[string]func(*must){
		"the section":       func(m *must) { m.section = "4.22" },
		"the revision's":    func(m *must) { m.section = "9846/4.2" },
		"the section's RFC": func(m *must) { m.section = "9999/4.2" },
		"a side":            func(m *must) { m.who = "nobody" },
		"the alert":         func(m *must) { m.alerts = []string{"illegal_parameters"} },
		"the file":          func(m *must) { m.test = "b_test.go:TestA" },
		"the test":          func(m *must) { m.test = "a_test.go:TestAA" },
		"the row":           func(m *must) { m.row = "another" }, // of another test
		"a reason":          func(m *must) { m.test, m.row = "-", "-" },
	} {
		m := good
		if change(&m); m.wrong(sections, read) == "" {
			t.Errorf("%s is wrong and was not noticed", what)
		}
	}
}
