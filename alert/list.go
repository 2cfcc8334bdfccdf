package alert

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// fewest is how many elements of a list an error text shows.
	fewest = 8

	// maxText is the longest error text, in bytes.
	maxText = 4 << 10
)

// Few returns a list for an error text: the first elements, and how many more there are. How long a
// list of the peer's is, the peer decides; the text must not become longer with it. Elements are
// formatted with the verb given, and only when the text is written.
func Few[T any](list []T) fmt.Formatter { return few[T](list) }

type few[T any] []T

func (l few[T]) Format(f fmt.State, verb rune) {
	n := min(len(l), fewest)
	fmt.Fprintf(f, fmt.FormatString(f, verb), []T(l[:n]))
	if more := len(l) - n; more > 0 {
		fmt.Fprintf(f, " and %d more", more)
	}
}

// Escape makes text from a peer printable: control characters, invisible characters and invalid
// UTF-8 are written as in a Go string, without the quotes. Printable text stays as it is, so that a
// text may be escaped twice.
func Escape(s string) string {
	if !strings.ContainsFunc(s,
		func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[n:]
	}
	return b.String()
}

// clean makes a text fit for a log: printable, in one line, and at most maxText bytes long. An
// error may quote a certificate of the peer, or a library's error that does: no newline may begin a
// line of the peer's making, and no escape sequence may reach a terminal.
func clean(text string) string {
	text = Escape(text[:min(len(text), maxText+1)])
	if len(text) <= maxText {
		return text
	}
	end := maxText - len("…")
	for back := 1; back < utf8.UTFMax && !utf8.RuneStart(text[end]); back++ {
		end--
	}
	return text[:end] + "…"
}
