package rules_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	citation = regexp.MustCompile(`\bRFCs? ?([0-9]{3,5})` +
		`((?:,? ?(?:and |or |to )?(?:§|[Ss]ections? |[Aa]ppendix )[0-9A-Z]+(?:\.[0-9]+)*)*)`)
	section = regexp.MustCompile(`(?:§|[Ss]ections? |[Aa]ppendix )([0-9A-Z]+(?:\.[0-9]+)*)`)
	// a citation may go on in the next line of a comment
	wrapped = regexp.MustCompile(`\s*\n\s*(?://)?\s*`)
)

// sections reads testdata/rfc/sections.txt.
func sections(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/rfc/sections.txt")
	if err != nil {
		t.Fatal(err)
	}
	index := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if rfc, list, ok := strings.Cut(line, ":"); ok && line[0] != '#' {
			index[rfc] = strings.Fields(list)
		}
	}
	return index
}

// miscited lists the citations in a text whose RFC or section is not in the index, and counts them
// all.
func miscited(index map[string][]string, text string) (wrong []string, count int) {
	for _, c := range citation.FindAllStringSubmatch(wrapped.ReplaceAllString(text, " "), -1) {
		known, ok := index[c[1]]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("RFC %s is not in testdata/rfc/sections.txt", c[1]))
		}
		for _, s := range section.FindAllStringSubmatch(c[2], -1) {
			count++
			if ok && !slices.Contains(known, s[1]) {
				wrong = append(wrong, fmt.Sprintf("RFC %s has no §%s", c[1], s[1]))
			}
		}
	}
	return wrong, count
}

func TestEveryCitedSectionExists(t *testing.T) {
	t.Chdir(root)
	index := sections(t)
	cited := 0
	for _, suffix := range []string{".go", ".md"} {
		eachFile(t, suffix, func(file string, text []byte) {
			wrong, n := miscited(index, string(text))
			for _, w := range wrong {
				t.Errorf("%s: %s", file, w)
			}
			cited += n
		})
	}
	t.Logf("%d citations of sections of %d RFCs", cited, len(index))
	if cited < 100 {
		t.Error("most citations were not found")
	}
}

func TestWrongCitationsAreNoticed(t *testing.T) {
	t.Chdir(root)
	const rfc = "RFC 5246" + " " // apart, or the test above would find what follows
	index := sections(t)
	for text, want := range map[string]int{
		rfc + "§7.4.1.2.": 0, rfc + "§7.4.2, §7.4.3 and §7.4.8": 0, rfc + "appendix A.5": 0, rfc +
			"§F.1.1.2": 0, rfc + "is long": 0,
		rfc + "§7.4.10": 1, rfc + "§7.4.2, §7.9 and §99": 2, rfc + "appendix Z": 1, rfc +
			"\n\t// §7.9": 1, "RFC " + "1 §1 is too short a number": 0,
		"RFC " + "99999": 1, "RFC " + "99999 §1": 1,
	} {
		if wrong, _ := miscited(index, text); len(wrong) != want {
			t.Errorf("%q: %q, expected %d", text, wrong, want)
		}
	}
}
