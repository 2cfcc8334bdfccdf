package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
)

// Escape makes text from a peer printable: control characters, invisible characters and invalid
// UTF-8 are written as in a Go string, without the quotes.
func Escape(s string) string { return alert.Escape(s) }

// shorten escapes s and cuts it to at most n runes. If it was cut, the last is an ellipsis.
func shorten(s string, n int) string {
	runes := []rune(Escape(s))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

// thousands formats 1359 as "1,359".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// octets returns "1 byte" or, for 1359, "1,359 bytes".
func octets(n int) string { return Count(n, "byte") }

// sized returns the length of a secret, or "value" if it is not there, since of an empty one
// nothing is known.
func sized(n int) string {
	if n == 0 {
		return "value"
	}
	return octets(n)
}

// Count returns n with a noun, such as "1 suite" or "3 suites".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// Ranges formats 1, 2, 3, 4, 5, 7 as "1-5, 7".
func Ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, strconv.Itoa(numbers[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// Join joins the parts that are not empty.
func Join(sep string, parts ...string) string {
	var full []string
	for _, p := range parts {
		if p != "" {
			full = append(full, p)
		}
	}
	return strings.Join(full, sep)
}

// spelled are the numbers that are written as words.
var spelled = [...]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
	"nine", "ten", "eleven", "twelve"}

// times returns "once", "ten times" or "47 times".
func times(n int) string {
	switch {
	case n == 1:
		return "once"
	case n == 2:
		return "twice"
	case n < len(spelled):
		return spelled[n] + " times"
	}
	return fmt.Sprintf("%d times", n)
}

// ordinal returns "fifth block" or "block 23".
func ordinal(n int) string {
	words := [...]string{"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh",
		"eighth", "ninth"}
	if n < len(words) {
		return words[n] + " block"
	}
	return fmt.Sprintf("block %d", n)
}
