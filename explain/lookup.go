package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// Lookup returns all meanings of a word or a number: "40", "0xC02F", "key_block", "close_notify",
// "ServerHello", or an error message of another program, which may be part of a longer one. Case,
// spaces, hyphens and underscores do not matter.
func Lookup(word string) []Term {
	if n, hexadecimal, ok := number(word); ok {
		if list := byNumber(n, hexadecimal); len(list) > 0 {
			return list
		}
	}
	want := plainWord(word)
	if want == "" {
		return nil
	}
	var exact []Term
	for _, t := range Terms() {
		if plainWord(t.Name) == want {
			exact = append(exact, t)
		}
	}
	for _, list := range [][]Term{exact, aliased(word)} {
		if len(list) > 0 {
			return list
		}
	}
	return messagesIn(word)
}

// number parses "40", "0xC02F", and "{0xC0,0x2F}" as in the registry of cipher suites.
func number(word string) (n uint64, hexadecimal, ok bool) {
	first, more, hexadecimal := strings.Cut(strings.ToLower(strings.Trim(word, "{} ")), "0x")
	if !hexadecimal {
		n, err := strconv.ParseUint(first, 10, 32)
		return n, false, err == nil
	}
	n, err := strconv.ParseUint(strings.NewReplacer("0x", "", ",", "", " ", "").Replace(more),
		16, 32)
	return n, true, err == nil && first == ""
}

// aliased returns the groups and suites that have word as another name.
func aliased(word string) []Term {
	var want Term
	if id, ok := iana.SuiteByName(word); ok {
		want = Term{Kind: "cipher suite", Name: id.String()}
	} else if g, ok := iana.GroupByName(word); ok {
		want = Term{Kind: "group", Name: g.String()}
	}
	return slices.DeleteFunc(slices.Clone(Terms()),
		func(t Term) bool { return t.Kind != want.Kind || t.Name != want.Name })
}

// Near returns up to 8 names that contain word, or that it may be a misspelling of: error messages
// only if nothing else is near.
func Near(word string) []string {
	want := plainWord(word)
	var names, messages []string
	for _, t := range Terms() {
		name := plainWord(t.Name)
		near := len(want) >= 3 && strings.Contains(name, want) ||
			len(want) >= 4 && distance(name, want) <= 2
		switch {
		case near && t.Kind == kindMessage:
			messages = append(messages, t.Name)
		case near:
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		names = messages
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), 8)]
}

// distance returns the edit distance of two words: the letters to change, add or leave out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
