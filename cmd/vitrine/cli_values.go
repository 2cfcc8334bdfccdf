package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/vitrine-tls/vitrine/explain"
)

// maxValue bounds what is read for one value, in bytes. A transcript may hold a long chain.
const maxValue = 16 << 20

// input is a value as it was given, and where it was given.
type input struct {
	text  string
	where string // "--client-random", "line 3, client_random"
}

// values has values by field, as flags and files give them to derive, decrypt and --psk.
type values struct {
	stdin  io.Reader
	fields map[string]input
	used   string // who has read standard input
}

// secretFields are the fields whose values should not appear in the list of processes and in the
// history of a shell.
var secretFields = []string{"pre_master_secret", "master_secret", "psk", "shared_secret",
	"client_private", "server_private"}

// set takes the value of a flag, and warns if it is a secret itself.
func (v *values) set(field, text string, stderr io.Writer) {
	flag := "--" + strings.ReplaceAll(field, "_", "-")
	v.fields[field] = input{text, flag}
	if slices.Contains(secretFields, field) && !indirect(text) {
		fmt.Fprintf(fit(stderr),
			"! %s: a secret on the command line is seen by other users of this machine and kept "+
				"by the shell.\n  Better: %s @FILE, %s - (standard input) or %s env:NAME\n",
			flag, flag, flag, flag)
	}
}

// indirect reports whether text says where to read the value.
func indirect(text string) bool {
	return text == "-" || strings.HasPrefix(text, "@") || strings.HasPrefix(text, "env:")
}

// load reads lines of "field value" or "field = value". Empty lines, and what follows a #, are
// ignored.
func (v *values) load(name string) error {
	data, err := v.open(name, "FILE")
	if err != nil {
		return err
	}
	if !fieldsOnly(data) && v.loadDump(name, data) {
		return nil
	}
	lines := bufio.NewScanner(bytes.NewReader(onOneLine(data)))
	lines.Buffer(nil, 2*maxValue)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		field, text, skip := fieldOf(line)
		if skip {
			continue
		}
		if strings.HasPrefix(line, "javax.net.ssl|") {
			return &usageError{fmt.Sprintf("%s, line %d: javax.net.debug reports no secret since "+
				"Java 9: give one beside its randoms", name, n), "vitrine derive --help"}
		}
		if !slices.Contains(deriveFields, field) {
			return &usageError{fmt.Sprintf("%s, line %d: there is no field %q; the fields are %s",
				name, n, field, strings.Join(deriveFields, ", ")), "vitrine derive --help"}
		}
		if _, twice := v.fields[field]; twice {
			return &usageError{fmt.Sprintf("%s, line %d: %s was given before", name, n, field),
				"vitrine derive --help"}
		}
		v.fields[field] = input{text, fmt.Sprintf("%s, line %d, %s", name, n, field)}
	}
	return lines.Err()
}

// fieldsOnly reports whether every line of a file is a field of derive. A report of another program
// has other lines too.
func fieldsOnly(data []byte) bool {
	for line := range strings.Lines(string(onOneLine(data))) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if field, _, skip := fieldOf(line); !skip && !slices.Contains(deriveFields, field) {
			return false
		}
	}
	return true
}

// bytes returns the value of a field, or nil if it was not given.
func (v *values) bytes(field string) ([]byte, error) {
	g, ok := v.fields[field]
	if !ok {
		return nil, nil
	}
	text, source := []byte(g.text), g.where
	switch {
	case g.text == "-" || strings.HasPrefix(g.text, "@"):
		name := strings.TrimPrefix(g.text, "@")
		data, err := v.open(name, g.where)
		if err != nil {
			return nil, err
		}
		if !textual(data) {
			return data, nil
		}
		text, source = data, fmt.Sprintf("%s: %s", g.where, name)
	case strings.HasPrefix(g.text, "env:"):
		name := strings.TrimPrefix(g.text, "env:")
		value, set := os.LookupEnv(name)
		if !set {
			return nil, &usageError{fmt.Sprintf("%s: there is no environment variable %s", g.where,
				name), "vitrine derive --help"}
		}
		text = []byte(value)
	case strings.ContainsAny(g.text, "/.\\"): // a path may be Base64 as well
		if info, err := os.Stat(g.text); err == nil && info.Mode().IsRegular() {
			return nil, &usageError{fmt.Sprintf("%s: got the name of a file; its contents are "+
				"@%s", g.where, g.text), "vitrine derive --help"}
		}
	}
	b, read, err := undump(text)
	if !read && err == nil {
		b, read, err = literal(string(text))
	}
	if !read && err == nil {
		b, err = unhex(text)
	}
	if err != nil {
		return nil, &usageError{fmt.Sprintf("%s: %v", source, err), "vitrine derive --help"}
	}
	return b, nil
}

// textual reports whether data is text, to be read as hex, and not the value itself. Bytes that are
// all printable ASCII are taken for text.
func textual(data []byte) bool {
	return !slices.ContainsFunc(data,
		func(b byte) bool { return b >= 0x80 || b < 0x20 && !unicode.IsSpace(rune(b)) })
}

// unhex decodes hex as people write it: in several lines, with spaces, colons, commas, hyphens,
// dots or underscores between bytes, after 0x. Its error has the place of a wrong digit and quotes
// no other digit.
func unhex(text []byte) ([]byte, error) {
	digits := make([]byte, 0, len(text))
	line, column := 1, 0
	for i := 0; i < len(text); i++ {
		column++
		c := text[i]
		switch {
		case c == '\n':
			line, column = line+1, 0
		case unicode.IsSpace(rune(c)), c == ':', c == ',', c == '-', c == '.', c == '_':
		case c == '0' && i+1 < len(text) && (text[i+1] == 'x' || text[i+1] == 'X') &&
			len(digits)%2 == 0:
			i, column = i+1, column+1
		case strings.IndexByte("0123456789abcdefABCDEF", c) < 0:
			if c == '*' {
				return nil, fmt.Errorf("line %d, column %d: '*' stands for lines that were left "+
					"out: od -v and xxd print all", line, column)
			}
			return nil, fmt.Errorf("line %d, column %d: %q is not a hex digit", line, column, c)
		default:
			digits = append(digits, c)
		}
	}
	if len(digits)%2 != 0 {
		return nil, fmt.Errorf("got %d hex digits, an odd number: one is missing or too many",
			len(digits))
	}
	if len(digits) == 0 {
		return nil, errors.New("is empty")
	}
	b := make([]byte, len(digits)/2)
	_, err := hex.Decode(b, digits)
	return b, err
}

// open reads a file, or standard input if name is "-". Standard input can be read once; who is
// named in the error of a second attempt.
func (v *values) open(name, who string) ([]byte, error) {
	r, where := v.stdin, who+" "+name
	if who == "FILE" {
		where = name
	}
	if name == "-" {
		if v.used != "" {
			return nil, &usageError{fmt.Sprintf("%s and %s both read standard input", v.used, who),
				"vitrine derive --help"}
		}
		v.used = who
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, ofInput(where, err)
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxValue+1))
	if err == nil && len(data) > maxValue {
		err = fmt.Errorf("it has more than %d MiB", maxValue>>20)
	}
	if err != nil {
		return nil, ofInput(where, err)
	}
	return data, nil
}

// refused replaces the field in an *explain.FieldError by the place where its value was given.
func (v *values) refused(err error) error {
	var f *explain.FieldError
	if !errors.As(err, &f) {
		return err
	}
	where := f.Field
	if g, ok := v.fields[f.Field]; ok {
		where = g.where
	}
	return &usageError{where + ": " + f.Problem, "vitrine derive --help"}
}
