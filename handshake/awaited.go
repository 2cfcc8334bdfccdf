package handshake

import (
	"iter"
	"slices"
	"strings"
)

// Awaited is what may come next, in words: "the server's server_hello (RFC 5246 §7.4.1.3)". It is
// for those who explain why a handshake came no further. A line that was said and refused is still
// awaited: it became no fact.
func (m *Machine) Awaited() string {
	if m.current.Line != nil {
		return m.current.Line.String()
	}
	return spell(m.expected())
}

// spell is each line once, though two figures often go on alike.
func spell(lines iter.Seq2[reading, *Line]) string {
	var words []string
	for _, l := range lines {
		if w := l.String(); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "nothing more"
	}
	return strings.Join(words, " or ")
}
