package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/dump"
)

// This file reads bytes as other programs print them: xxd, hexdump -C, od, javax.net.debug, openssl
// s_client and Wireshark's debug file.

var dumpEnd = regexp.MustCompile(`^\s*[0-9a-fA-F]{6,8}\s*$`)

// maxSqueezed is how many bytes the lines "*" of a text may bring a dump to.
const maxSqueezed = 1 << 20

// undump reads a dump. ok is false if text is none. Lines of other kinds, such as headings, are
// skipped; offsets must follow one another. A line "*" stands for repetitions of the one before.
func undump(text []byte) (all []byte, ok bool, err error) {
	next, last, squeezed, base, swapped := -1, []byte(nil), false, 16, false
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimRight(line, "\r")
		offset, b, words, is := dump.Line(line)
		end := dumpEnd.MatchString(line)
		if squeezed && (is || end) {
			more := repeated(strings.TrimRight(strings.Fields(line)[0], ":"), base, next, last)
			if len(all)+len(more) > maxSqueezed {
				more = nil
			}
			all, next, squeezed = append(all, more...), next+len(more), false
		}
		if end && swapped && strings.TrimSpace(line) == fmt.Sprintf("%07x", next-1) {
			all, next, swapped = all[:len(all)-1], next-1, false // which filled the last word
		}
		if end && ok && !at(line, next) {
			return nil, true, fmt.Errorf("line %d: the dump ends at %s, and %d bytes were read: "+
				"lines are missing, or the bytes are not in hex",
				n+1, strings.TrimSpace(line), next)
		}
		switch {
		case ok && strings.TrimSpace(line) == "*":
			squeezed = true
			continue
		case !is && (ok || strings.TrimSpace(line) == "" || end):
			continue
		case !is:
			if heading(line) {
				continue
			}
			return nil, false, nil
		case offset == 0 || offset < 0:
			next = len(all)
		case !ok:
			return nil, false, nil // a dump begins at its beginning
		case offset != next:
			if !at(line, next) {
				return nil, true, fmt.Errorf("line %d: the dump continues at %d, expected %d: "+
					"lines are missing, or the bytes are not in hex", n+1, offset, next)
			}
		}
		if offset == 0 {
			next = 0
		}
		ok = true
		if words {
			for i := 0; i+1 < len(b); i += 2 {
				b[i], b[i+1] = b[i+1], b[i]
			}
		}
		swapped = words
		if base = 16; !words && len(strings.Fields(line)[0]) == 7 {
			base = 8 // od
		}
		all, last = append(all, b...), b
		next += len(b)
	}
	return all, ok, nil
}

// at reports whether a line begins with an offset: in hex or, as od counts, seven octal digits.
func at(line string, offset int) bool {
	text := strings.Fields(line)[0]
	n, err := strconv.ParseUint(text, 16, 32)
	if err == nil && int(n) == offset {
		return true
	}
	n, err = strconv.ParseUint(text, 8, 32)
	return err == nil && len(text) == 7 && int(n) == offset
}

// repeated returns the repetitions of a line up to an offset, or nil if they do not end there.
func repeated(offset string, base, from int, line []byte) []byte {
	at, err := strconv.ParseUint(offset, base, 32)
	n := int(at) - from
	if err != nil || n <= 0 || n > maxSqueezed || n%len(line) != 0 {
		return nil
	}
	return bytes.Repeat(line, n/len(line))
}

// heading reports whether a line may stand above a dump: it ends with a colon or a length, or is
// one of openssl's or Java's.
func heading(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "]") ||
		strings.HasPrefix(line, "<<<") || strings.HasPrefix(line, ">>>") ||
		strings.HasPrefix(line, "***") || strings.HasPrefix(line, "javax.net.ssl|")
}

// loadDump reads the output of another program. The first value of each kind counts, and the suite
// that was chosen last before the first secret. It reports whether there is a secret among them.
func (v *values) loadDump(name string, data []byte) bool {
	found := map[string]input{}
	var report dump.Report
	take := func(values []dump.Value) {
		for _, x := range values {
			_, given := v.fields[x.Name]
			_, twice := found[x.Name]
			_, master := found["master_secret"]
			_, pre := found["pre_master_secret"]
			if given || twice && (x.Name != "suite" || master || pre) {
				continue
			}
			text := x.Text
			if x.Bytes != nil {
				text = hex.EncodeToString(x.Bytes)
			}
			if text == "" {
				continue
			}
			found[x.Name] = input{text, fmt.Sprintf("%s, line %d, %s", name, x.Line, x.Name)}
		}
	}
	for n, line := range strings.Split(string(data), "\n") {
		values, _ := report.Read(n+1, line)
		take(values)
	}
	take(report.End())
	if _, pre := found["pre_master_secret"]; pre {
		delete(found, "master_secret") // it follows from the other
	}
	_, secret := found["master_secret"]
	if _, pre := found["pre_master_secret"]; !secret && !pre {
		return false
	}
	for field, x := range found {
		v.fields[field] = x
	}
	return true
}

// outOfRecords returns the handshake messages in records of TLS as they were sent, or false if b is
// not whole records.
func outOfRecords(b []byte) (messages []byte, ok bool) {
	for rest := b; len(rest) > 0; {
		const header = 5
		if len(rest) < header || rest[1] != 3 {
			return nil, false
		}
		n := header + int(binary.BigEndian.Uint16(rest[3:]))
		if n > len(rest) {
			return nil, false
		}
		switch iana.ContentType(rest[0]) {
		case iana.RecordHandshake:
			messages = append(messages, rest[header:n]...)
		case iana.RecordChangeCipherSpec:
		default:
			return nil, false
		}
		rest = rest[n:]
	}
	return messages, len(messages) > 0 && bytes.HasPrefix(b, []byte{byte(iana.RecordHandshake)})
}
