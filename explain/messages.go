package explain

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// generic lists the causes whose messages leave it to the rest of the text to say what happened,
// with how little they say.
var generic = map[string]int{"alert": 1, "verify": 1, "handshake": 2, "tcp": 2}

// messagesIn returns the error messages that a sentence contains or is a part of, one for each
// cause, the longest first and a guess at the reason last. If the messages alone do not say what
// happened, the alerts that the sentence names follow.
func messagesIn(sentence string) []Term {
	outer, guess, _ := strings.Cut(sentence, "(possibly because of") // Go's guess at the reason
	rest := wordsOf(outer)
	list := rest.messages()
	guessed := wordsOf(guess)
	list = append(list, guessed.messages()...)
	if len(list) == 0 && strings.ContainsAny(sentence, " :") {
		list = partOf(sentence)
	}
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(t Term) bool {
		twice := seen[t.cause]
		seen[t.cause] = true
		return twice
	})
	least := 2
	for _, t := range list {
		least = min(least, generic[t.cause])
	}
	list = slices.DeleteFunc(list, func(t Term) bool { return generic[t.cause] > least })
	if least == 0 {
		return list
	}
	alerts := rest.alerts(sentence)
	if least == 2 && len(alerts) > 0 {
		return alerts
	}
	return append(list, alerts...)
}

// partOf returns the messages that have a sentence of some length as a part.
func partOf(sentence string) []Term {
	part := wordsOf(sentence)
	if len(part.plain) < 8 {
		return nil
	}
	var list []Term
	for _, t := range Terms() {
		name := wordsOf(t.Name)
		if _, ok := name.find(part.plain, 0); t.Kind == kindMessage && ok {
			list = append(list, t)
		}
	}
	return list
}

// words is a text in lower case without what separates words, as programs write them apart with
// spaces or underscores or in one: "handshake failure", "handshake_failure", "HandshakeFailure".
type words struct {
	plain string
	edges []bool // whether a word may begin or end before each byte, and at the end
}

// wordsOf returns the words of a text.
func wordsOf(text string) words {
	var w words
	var plain strings.Builder
	runes := []rune(text)
	edge := true
	for i, r := range runes {
		if strings.ContainsRune(" -_.", r) {
			edge = true
			continue
		}
		alone := !unicode.IsLetter(r) && !unicode.IsDigit(r)
		hump := unicode.IsUpper(r) && (i > 0 && unicode.IsLower(runes[i-1]) ||
			i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		before := plain.Len()
		plain.WriteRune(unicode.ToLower(r))
		w.edges = append(w.edges, edge || alone || hump)
		for range plain.Len() - before - 1 {
			w.edges = append(w.edges, false)
		}
		edge = alone
	}
	w.plain, w.edges = plain.String(), append(w.edges, true)
	return w
}

// find returns where whole words are in a text, from a byte on.
func (w *words) find(plain string, from int) (at int, ok bool) {
	for from <= len(w.plain) {
		i := strings.Index(w.plain[from:], plain)
		if i < 0 {
			return 0, false
		}
		at = from + i
		if w.edges[at] && w.edges[at+len(plain)] {
			return at, true
		}
		from = at + 1
	}
	return 0, false
}

// take reports whether the parts of a message between each … are in the text, in order, and blanks
// them, so that a shorter message is not found in a longer one.
func (w *words) take(message string) bool {
	var found [][2]int
	from := 0
	for part := range strings.SplitSeq(message, "…") {
		plain := wordsOf(part).plain
		at, ok := w.find(plain, from)
		if !ok {
			return false
		}
		from = at + len(plain)
		found = append(found, [2]int{at, from})
	}
	text := []byte(w.plain)
	for _, f := range found {
		for i := f[0]; i < f[1]; i++ {
			text[i] = 0
		}
	}
	w.plain = string(text)
	return true
}

// messages returns the error messages of a text, the longest first, and takes them out of it.
func (w *words) messages() []Term {
	var list []Term
	for _, t := range longestFirst() {
		if w.take(t.Name) {
			list = append(list, t)
		}
	}
	return list
}

// longestFirst returns the error messages by the length of their longest parts.
var longestFirst = sync.OnceValue(func() []Term {
	length := func(t Term) (longest int) {
		for part := range strings.SplitSeq(t.Name, "…") {
			longest = max(longest, len(part))
		}
		return longest
	}
	return slices.SortedStableFunc(slices.Values(messageTerms()),
		func(a, b Term) int { return cmp.Compare(length(b), length(a)) })
})

// alerts returns the alert that a sentence names by number, as in "SSL alert number 40", or those
// that what is left of it names, as in "fatal alert: bad_certificate", if it speaks of TLS.
func (w *words) alerts(sentence string) []Term {
	if m := alertNumber.FindStringSubmatch(sentence); m != nil {
		if n, err := strconv.ParseUint(strings.Join(m[1:], ""), 10, 8); err == nil {
			return slices.DeleteFunc(byNumber(n, false),
				func(t Term) bool { return t.Kind != "alert" })
		}
	}
	if strings.Contains(sentence, " ") && !ofTLS.MatchString(sentence) {
		return nil
	}
	var list []Term
	for _, t := range Terms() {
		if t.Kind == "alert" && w.take(t.Name) {
			list = append(list, t)
		}
	}
	return list
}

// alertNumber is how programs print the number of an alert: OpenSSL, Windows and GnuTLS.
var alertNumber = regexp.MustCompile(`(?i)alert number (\d+)|(?:alert|error) code is (\d+)|` +
	`received alert \[(\d+)\]|reason\(1(\d{3})\)`)

// ofTLS is what a sentence says that speaks of alerts of TLS, which are ordinary words otherwise:
// "access denied", "no certificate".
var ofTLS = regexp.MustCompile(`(?i)alert|tls|ssl|handshake`)
