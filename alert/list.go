package alert

import (
	"fmt"
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

// bounded cuts a text that is longer than maxText, at a rune.
func bounded(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText - len("…")
	for back := 1; back < utf8.UTFMax && !utf8.RuneStart(text[end]); back++ {
		end--
	}
	return text[:end] + "…"
}
