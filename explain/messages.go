package explain

import (
	_ "embed"
	"slices"
	"strings"
)

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

// generic lists the causes whose messages leave it to the rest of the text to say what happened.
var generic = []string{"alert", "verify"}

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

// messagesIn returns the error messages that a sentence contains or is a part of, one for each
// cause, the longest first. If the messages alone do not say what happened, the alerts that the
// sentence names follow.
func messagesIn(sentence string) []Term {
	want := plainWord(sentence)
	var list []Term
	for _, t := range Terms() {
		if t.Kind == kindMessage && (occurs(t.Name, want) ||
			len(want) >= 8 && strings.Contains(plainWord(t.Name), want)) {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b Term) int { return len(b.Name) - len(a.Name) })
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(t Term) bool {
		twice := seen[t.cause]
		seen[t.cause] = true
		return twice
	})
	vague := func(t Term) bool { return slices.Contains(generic, t.cause) }
	if !slices.ContainsFunc(list, func(t Term) bool { return !vague(t) }) {
		return append(list, inside(sentence)...)
	}
	return slices.DeleteFunc(list, vague)
}

// occurs reports whether the parts of a message between each … occur in a plain sentence, in order.
func occurs(message, plain string) bool {
	for part := range strings.SplitSeq(message, "…") {
		_, rest, ok := strings.Cut(plain, plainWord(part))
		if !ok {
			return false
		}
		plain = rest
	}
	return true
}
