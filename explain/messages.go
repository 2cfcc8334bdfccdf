package explain

import (
	"slices"
	"strings"
)

// generic lists the causes whose messages leave it to the rest of the text to say what happened.
var generic = []string{"alert", "verify"}

// messagesIn returns the error messages that a sentence contains or is a part of, one for each
// cause, the longest first and a guess at the reason last. If the messages alone do not say what
// happened, the alerts that the sentence names follow.
func messagesIn(sentence string) []Term {
	want := plainWord(sentence)
	var list []Term
	for _, t := range Terms() {
		if t.Kind == kindMessage && (occurs(t.Name, want) ||
			len(want) >= 8 && strings.Contains(plainWord(t.Name), want)) {
			list = append(list, t)
		}
	}
	outer, _, _ := strings.Cut(sentence, "(possibly because of") // Go's guess at the reason
	outer = plainWord(outer)
	slices.SortStableFunc(list, func(a, b Term) int {
		if first := occurs(a.Name, outer); first != occurs(b.Name, outer) {
			if first {
				return -1
			}
			return 1
		}
		return len(b.Name) - len(a.Name)
	})
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
