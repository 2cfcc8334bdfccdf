package term

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	"github.com/vitrine-tls/vitrine/explain"
)

func lay(t *testing.T, style Style, facts ...explain.Fact) string {
	t.Helper()
	var b bytes.Buffer
	s := &explain.Story{Chapters: []explain.Chapter{{Number: 1, Name: "TEST", Motto: "facts",
		Steps: []explain.Step{{Facts: facts}}}}}
	if err := Write(&b, s, style); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "TEST")
	_, body, _ = strings.Cut(body, "\n")
	body, _, _ = strings.Cut(body, strings.Repeat("-", 20))
	return strings.TrimRight(body, "\n")
}

func TestHexHasNoSpaces(t *testing.T) {
	f := explain.Fact{Name: "master_secret", Under: "48 bytes",
		Value: explain.Pair{Client: make([]byte, 48), Server: make([]byte, 48)}}
	want := "      master_secret        " + strings.Repeat("00", 32) + "\n" +
		"        48 bytes           " + strings.Repeat("00", 16) + "  ok"
	if got := lay(t, Style{}, f); got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

func TestDifferentValuesAreShown(t *testing.T) {
	f := explain.Fact{Name: "client_write_key",
		Value: explain.Pair{Client: []byte{1}, Server: []byte{2}}}
	want := "      client_write_key     !! different\n          client           01\n          " +
		"server           02"
	if got := lay(t, Style{}, f); got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

func TestPublicValueHasNoTick(t *testing.T) {
	f := explain.Fact{Name: "client_random", Sent: true,
		Value: explain.Pair{Client: []byte{1}, Server: []byte{1}}}
	if got := lay(t, Style{}, f); strings.Contains(got, "ok") {
		t.Error(got)
	}
	f.Checked = true
	if got := lay(t, Style{}, f); !strings.HasSuffix(got, "  ok") {
		t.Error(got)
	}
}

func TestLongAndWideWordsAreWrapped(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 300), strings.Repeat("漢字 ", 90),
		strings.Repeat("漢", 150), strings.Repeat("a\x1b[2J", 50)} {
		for _, style := range []Style{{}, {Unicode: true}} {
			for _, line := range strings.Split(lay(t, style,
				explain.Fact{Name: "name", Text: text}), "\n") {
				if lipgloss.Width(line) > width || strings.ContainsRune(line, '\x1b') {
					t.Errorf("%+v: %q", style, line)
				}
			}
		}
	}
}

// No two secrets share a hue, and a formula shows each input in its own.
func TestSecretsHaveDistinctHues(t *testing.T) {
	hues := map[string]ink{}
	for name, style := range inks {
		if !strings.Contains(string(name), "_") || strings.HasSuffix(string(name), "_public") {
			continue
		}
		hue := fmt.Sprint(style.GetForeground())
		if other, taken := hues[hue]; taken && !strings.HasSuffix(string(other), "_random") {
			t.Errorf("%s and %s share a hue", name, other)
		}
		hues[hue] = name
	}
	formula := lay(t, Style{Color: true},
		explain.Fact{Heading: true, Formula: true,
			Text: "key_block = PRF(master_secret, server_random + client_random)"})
	for _, name := range []ink{"master_secret", "server_random", "client_random"} {
		if !strings.Contains(formula, inks[name].Render(string(name))) {
			t.Errorf("%s has no hue in %q", name, formula)
		}
	}
}

func TestNoEscapesWithoutColor(t *testing.T) {
	f := explain.Fact{Name: "master_secret", Secret: "master_secret",
		Value: explain.Pair{Client: []byte{1}, Server: []byte{1}}}
	if got := lay(t, Style{Unicode: true}, f); strings.ContainsRune(got, '\x1b') {
		t.Errorf("%q", got)
	}
	if got := lay(t, Style{Unicode: true, Color: true}, f); !strings.ContainsRune(got, '\x1b') {
		t.Errorf("%q", got)
	}
}

// The columns of the table of values stand below each other, however long a name is.
func TestValuesStandBelowEachOther(t *testing.T) {
	values := []explain.Value{
		{Name: "a", Offset: -1, Bytes: []byte{0xAB}},
		{Name: "client_application_traffic_secret_0", Offset: 7, Bytes: []byte{0xAB}},
	}
	var b strings.Builder
	if err := WriteValues(&b, values, Style{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	at := strings.Index(lines[0], "VALUE")
	for _, line := range lines[1:3] {
		if at < 0 || strings.Index(line, "ab") != at || at != len(line)-2 {
			t.Errorf("the values do not stand below each other:\n%s", &b)
		}
	}
}
