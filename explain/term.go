package explain

import (
	_ "embed"
	"strings"
)

// Term is one meaning of a word or a number.
type Term struct {
	Kind   string `json:"kind"`             // "alert", "cipher suite", "extension", …
	Name   string `json:"name"`             // as the registry spells it
	Number string `json:"number,omitempty"` // "40", "0xC02F"
	Ref    string `json:"ref,omitempty"`
	Text   string `json:"text"`

	// Of an error message alone: the program that prints it, what usually leads to it, and the
	// command that finds out.
	Program string `json:"program,omitempty"`
	Causes  string `json:"causes,omitempty"`
	Try     string `json:"try,omitempty"`
	cause   string // the name of the cause: different messages may have the same
}

// termsTSV has a line for each term: kind, name, reference and text. Numbers come from the
// registries.
//
//go:embed terms.tsv
var termsTSV string

// plainWord returns a word in lower case without separators.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_.:", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// causesTSV has a line for each cause of a failed connection: a name, the reference, what it means,
// what usually leads to it, and the command that finds out.
//
//go:embed causes.tsv
var causesTSV string

// messagesTSV has a line for each error message of other programs: the program, the message, its
// cause and, where there is more to say, a sentence. An … in a message stands for anything.
//
//go:embed messages.tsv
var messagesTSV string

// kindMessage is the kind of the terms that are error messages.
const kindMessage = "error message"

// messageTerms returns the error messages of other programs as terms.
func messageTerms() []Term {
	causes := map[string]Term{}
	for line := range strings.Lines(causesTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		causes[f[0]] = Term{Kind: kindMessage, Ref: f[1], Text: f[2], Causes: f[3], Try: f[4],
			cause: f[0]}
	}
	var list []Term
	for line := range strings.Lines(messagesTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		t := causes[f[2]]
		t.Program, t.Name = f[0], f[1]
		if len(f) > 3 {
			t.Text += " " + f[3]
		}
		list = append(list, t)
	}
	return list
}
