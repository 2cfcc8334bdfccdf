// Package dump reads the lines in which other programs print bytes and secrets: xxd, hexdump, od,
// javax.net.debug, openssl s_client, GnuTLS, and Wireshark's debug file.
package dump

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// MaxLine is the most bytes that a line of a dump has.
const MaxLine = 32

// Line returns the bytes of a line of a dump, and their offset or -1. An offset is followed by a
// colon, by " -" or, if it has seven digits or more, by spaces (six in od -Ax); what stands behind
// the bytes is a copy as text. words says that the bytes are in words of two, as hexdump prints
// them by default: the lower byte first.
func Line(line string) (offset int, b []byte, words, ok bool) {
	line = strings.TrimLeft(line, blanks)
	if inside, is := strings.CutPrefix(line, "|"); is {
		if inside, _, is = strings.Cut(inside, "|"); is {
			b, _ = pairs(inside)
			return -1, b, false, len(b) > 0
		}
	}
	n := digits(line)
	if n < 4 || n > 16 || n == len(line) {
		return 0, nil, false, false
	}
	rest, apart := line[n:], false
	switch {
	case rest[0] == ':':
		rest = rest[1:]
	case strings.HasPrefix(rest, " -"):
		rest = rest[2:]
	case strings.IndexByte(blanks, rest[0]) >= 0 && (n >= 7 || far(n, rest) || odHex(n, rest)):
		apart = true
	default:
		return 0, nil, false, false
	}
	at, err := strconv.ParseUint(line[:n], 16, 32)
	if err != nil {
		return 0, nil, false, false
	}
	b, group := pairs(strings.TrimLeft(rest, blanks))
	if apart && group == n {
		return 0, nil, false, false // a value in groups of hex: nothing sets an offset apart
	}
	return int(at), b, apart && group == 4 && n == 7, len(b) > 0
}

const blanks = " \t\r\n\v\f"

// digits returns how many hex digits begin s.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789abcdefABCDEF"))
}

// far reports whether an offset of n digits is set apart from rest by a gap before bytes that stand
// one by one, as in the dumps of tshark, Wireshark and certutil.
func far(n int, rest string) bool {
	wide := strings.HasPrefix(rest, "\t") || strings.HasPrefix(rest, "  ")
	rest = strings.TrimPrefix(strings.TrimLeft(rest, " "), "\t")
	return n <= 6 && wide && digits(rest) == 2 &&
		(len(rest) == 2 || strings.IndexByte(blanks, rest[2]) >= 0)
}

// odHex reports whether an offset of n digits is one of od -Ax before bytes that stand one by one.
func odHex(n int, rest string) bool {
	return n == 6 && digits(rest[1:]) == 2 &&
		(len(rest) == 3 || strings.IndexByte(blanks, rest[3]) >= 0)
}

// pairs reads hex in groups, up to the text behind it: wider spaces or a vertical line. It returns
// how many digits the first group has.
func pairs(text string) (b []byte, group int) {
	text, _, _ = strings.Cut(text, "|")
	for len(b) < MaxLine {
		gap := len(text) - len(strings.TrimLeft(text, " \t-"))
		text = text[gap:]
		n := digits(text)
		if n == 0 || n%2 != 0 || len(b) > 0 && gap > 3 || n < len(text) &&
			strings.IndexByte(" \t-", text[n]) < 0 || len(b) >= 16 && gap > 1 {
			break
		}
		decoded, _ := hex.DecodeString(text[:n])
		b, text = append(b, decoded...), text[n:]
		if group == 0 {
			group = n
		}
	}
	return b, group
}

// Heading returns the name that a program prints before a value, in lower case and without spaces,
// hyphens and underscores, and what follows in the same line: "Master Secret:" or "INT: CLIENT
// RANDOM[32]: 0a…". ok is false if the line is none.
func Heading(line string) (name, value string, ok bool) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "|<") { // GnuTLS's level
		_, line, _ = strings.Cut(line, "INT: ")
	}
	name, value, ok = strings.Cut(line, ":")
	name = strings.TrimRight(name, blanks)
	if length, is := strings.CutSuffix(name, "]"); is {
		at := strings.LastIndexByte(length, '[')
		if at < 0 || strings.Trim(length[at+1:], "0123456789") != "" {
			return "", "", false
		}
		name = strings.TrimRight(length[:at], blanks)
	}
	if !ok || name == "" || len(name) > maxName {
		return "", "", false
	}
	var plain strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z':
			plain.WriteRune(c)
		case c != ' ' && c != '-' && c != '_' || plain.Len() == 0:
			return "", "", false
		}
	}
	return plain.String(), strings.TrimSpace(value), true
}

// maxName is the most bytes that a heading has.
const maxName = 40

// message returns what a program printed in a line of a log, without the words of the log before
// it: "Nov 27 10:00:00 host java[7]: Master Secret:".
func message(line string) string {
	if at := strings.Index(line, "]: "); at >= 0 {
		return line[at+len("]: "):]
	}
	return line
}
