package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/dump"
)

// This file reads bytes as programs print or write them: arrays of C, Go and Java, bytes of Python
// and JavaScript, escaped strings, Base64, and openssl's text with colons.

var (
	cComment  = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	inBraces  = regexp.MustCompile(`(?s)\{([^{}]*)\}`)
	inBracket = regexp.MustCompile(`(?s)\[([^\[\]]*)\]\s*\)?;?\s*$`)
	inBuffer  = regexp.MustCompile(`(?s)<Buffer ([^>]*)>`)
	inQuotes  = regexp.MustCompile(`(?s)"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'`)
	moreBytes = regexp.MustCompile(`\.\.\. \d+ more (?:bytes|items)`)
	colonLine = regexp.MustCompile(`^\s*(?:[0-9a-fA-F]{2}:)*[0-9a-fA-F]{2}:?\s*$`)
	colonHead = regexp.MustCompile(`^\s*([A-Za-z][\w ()-]*):\s*(?:\([^)]*\)|[A-Za-z].*)?$`)
	// its text may have braces
	bytesOfPython = regexp.MustCompile("^b(?:'.*'|\".*\")$")
	base64s       = regexp.MustCompile(`^[A-Za-z0-9+/_-]+={0,2}$`)
)

// declared is an assignment in C, Go, Java or Python; lengths are those that xxd -i writes.
var (
	declared = regexp.MustCompile(
		`^(?:[A-Za-z_][\w\[\]*]*\s+)*\*?([A-Za-z_]\w*)\s*(?:\[\w*\])?\s*` +
			`:?=\s*(.+?);?$`,
	)
	lengths = regexp.MustCompile(`^unsigned int \w+_len = \d+;$`)
	joins   = regexp.MustCompile(`(?s)\{[^{}]*\}|\\\r?\n`)
)

// onOneLine puts each array, and each string that goes on in the next line, on one line. Later
// lines keep their numbers.
func onOneLine(data []byte) []byte {
	return joins.ReplaceAllFunc(data, func(part []byte) []byte {
		n := bytes.Count(part, []byte("\n"))
		if part[0] == '\\' {
			return []byte(" ")
		}
		return append(bytes.ReplaceAll(part, []byte("\n"), []byte(" ")),
			bytes.Repeat([]byte(";\n"), n)...)
	})
}

// fieldOf returns the field and the value of a line of a file. skip reports that it has none, such
// as the length that xxd -i writes.
func fieldOf(line string) (field, text string, skip bool) {
	if lengths.MatchString(line) || strings.Trim(line, "; ") == "" {
		return "", "", true
	}
	field = line
	if m := declared.FindStringSubmatch(line); m != nil {
		field, text = m[1], m[2]
	} else if at := strings.IndexAny(line, "=: \t"); at >= 0 {
		field, text = line[:at], strings.TrimLeft(line[at:], "=: \t")
	}
	if known, ok := dump.Field(field); ok {
		return known, text, false
	}
	return strings.ReplaceAll(strings.ToLower(field), "-", "_"), text, false
}

// literal reads bytes that text has in the syntax of a program. ok is false if text has none.
func literal(text string) (b []byte, ok bool, err error) {
	plain := strings.TrimSpace(cComment.ReplaceAllString(text, " "))
	if strings.Contains(text, "-----BEGIN ") {
		return nil, true, errors.New("is a PEM file: openssl pkey -text -noout prints the value " +
			"in it, under priv")
	}
	if m := inBuffer.FindStringSubmatch(plain); m != nil {
		if moreBytes.MatchString(m[1]) {
			return nil, true, errors.New(
				"was cut by what printed it: print all of it, in Node.js " +
					"with buffer.toString('hex')",
			)
		}
		b, err = unhex([]byte(m[1]))
		return b, true, err
	}
	if bytesOfPython.MatchString(plain) {
		return quotedBytes(inQuotes.FindAllStringSubmatch(plain, -1))
	}
	if all := inBraces.FindAllStringSubmatch(plain, -1); len(all) == 1 {
		b, err = list(all[0][1])
		return b, true, err
	} else if len(all) > 1 {
		return nil, true, fmt.Errorf("has %d arrays: give one", len(all))
	}
	if strings.HasPrefix(plain, `\x`) {
		b, err = unescape(plain)
		return b, true, err
	}
	if m := inQuotes.FindAllStringSubmatch(plain, -1); m != nil {
		return quotedBytes(m)
	}
	if m := inBracket.FindStringSubmatch(plain); m != nil {
		b, err = list(m[1])
		return b, true, err
	}
	if b, ok = fromBase64(plain); ok {
		return b, true, nil
	}
	return colons(text)
}

// list reads the elements of an array: 0x03, 3, '\n', (byte) 0x83 or -125.
func list(text string) (b []byte, err error) {
	if moreBytes.MatchString(text) {
		return nil, errors.New("was cut by what printed it: print all of it, as hex")
	}
	words := strings.FieldsFunc(strings.ReplaceAll(text, "(byte)", " "), func(r rune) bool {
		return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == ';'
	})
	for i, w := range words {
		if q, err := unescape(strings.Trim(w, "'")); len(w) > 2 && w[0] == '\'' && err == nil &&
			len(q) == 1 {
			b = append(b, q[0])
			continue
		}
		n, err := strconv.ParseInt(strings.TrimRight(strings.ToLower(w), "u"), 0, 16)
		if err != nil && strings.Trim(w, "0123456789abcdefABCDEF") == "" && len(w) == 2 {
			return unhex([]byte(text)) // hex in brackets
		}
		if err != nil || n < -128 || n > 255 {
			return nil, fmt.Errorf("element %d is not a byte: expected 0 to 255, such as 0x03 or 3",
				i+1)
		}
		b = append(b, byte(n))
	}
	if len(b) == 0 {
		return nil, errors.New("is empty")
	}
	return b, nil
}

// quotedBytes reads string literals: with escapes they are bytes, else hex or Base64.
func quotedBytes(literals [][]string) (b []byte, ok bool, err error) {
	var all strings.Builder
	for _, m := range literals {
		all.WriteString(m[1] + m[2])
	}
	text := all.String()
	if strings.Contains(text, `\`) {
		b, err = unescape(text)
		return b, true, err
	}
	if b, ok = fromBase64(text); ok {
		return b, true, nil
	}
	b, err = unhex([]byte(text))
	return b, true, err
}

// unescape reads the escapes of C, Python, Go and Java.
func unescape(text string) (b []byte, err error) {
	for rest := text; rest != ""; {
		if rest[0] == '\r' || rest[0] == '\n' {
			rest = rest[1:]
			continue
		}
		if rest[0] != '\\' || len(rest) == 1 {
			b, rest = append(b, rest[0]), rest[1:]
			continue
		}
		if rest[1] == '\n' { // a string goes on in the next line
			rest = rest[2:]
			continue
		}
		if rest[1] == 'x' && len(rest) >= 4 {
			n, err := strconv.ParseUint(rest[2:4], 16, 8)
			if err != nil {
				return nil, fmt.Errorf("byte %d: \\x is not followed by two hex digits", len(b))
			}
			b, rest = append(b, byte(n)), rest[4:]
			continue
		}
		digits := 0
		for digits < 3 && digits+1 < len(rest) && rest[1+digits] >= '0' && rest[1+digits] <= '7' {
			digits++
		}
		if digits > 0 {
			n, err := strconv.ParseUint(rest[1:1+digits], 8, 8)
			if err != nil {
				return nil, fmt.Errorf("byte %d: an escape above 377", len(b))
			}
			b, rest = append(b, byte(n)), rest[1+digits:]
			continue
		}
		i := strings.IndexByte(`abfnrtv\'"`, rest[1])
		if i < 0 {
			return nil, fmt.Errorf(
				"byte %d: an escape that is not read here: expected \\x and two "+
					"hex digits",
				len(b),
			)
		}
		b, rest = append(b, "\a\b\f\n\r\t\v\\'\""[i]), rest[2:]
	}
	return b, nil
}

// fromBase64 reads Base64 of at least 12 bytes, in lines or in one. Hex with a wrong digit is not
// taken for it: a quarter of its characters are none of hex, of which about two thirds are
// expected.
func fromBase64(text string) ([]byte, bool) {
	text = strings.Join(strings.Fields(text), "")
	other := 0
	for _, c := range text {
		if !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			other++
		}
	}
	if len(text) < 16 || other*4 < len(text) || !base64s.MatchString(text) {
		return nil, false
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	return b, err == nil
}

// colons reads the value that openssl prints in lines with colons under a heading such as priv:.
func colons(text string) (b []byte, ok bool, err error) {
	values, heads := map[string]string{}, []string(nil)
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, "\r")
		switch m := colonHead.FindStringSubmatch(line); {
		case strings.TrimSpace(line) == "":
		case colonLine.MatchString(line) && heads != nil:
			values[heads[len(heads)-1]] += line
		case m != nil:
			heads = append(heads, m[1])
		default:
			return nil, false, nil
		}
	}
	var names []string
	for _, h := range heads {
		if values[h] != "" {
			names = append(names, h)
		}
	}
	switch {
	case len(names) == 0:
		return nil, false, nil
	case len(names) > 1:
		return nil, true, fmt.Errorf("has the values %s: give one, without its heading",
			strings.Join(names, ", "))
	}
	b, err = unhex([]byte(values[names[0]]))
	return b, true, err
}
