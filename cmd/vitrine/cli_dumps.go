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
)

// This file reads bytes as other programs print them: xxd, hexdump -C, od, javax.net.debug, openssl
// s_client and Wireshark's debug file.

// The lines of dumps. An offset is followed by a colon, by " -" or, if it has seven digits or more,
// by spaces. What stands behind the bytes is a copy as text.
var (
	dumpLine = regexp.MustCompile(`^\s*([0-9a-fA-F]{4,16})(?::| -|(\s))\s*(.*)$`)
	// tshark, Wireshark and certutil: four digits and a gap, and then bytes one by one
	farOffset = regexp.MustCompile(
		`^\s*[0-9a-fA-F]{4,6}(?:\t| {2,})(?:[0-9a-fA-F]{2}\s|[0-9a-fA-F]{2}$)`,
	)
	pipeLine = regexp.MustCompile(`^\s*\|([^|]*)\|`)
	dumpEnd  = regexp.MustCompile(`^\s*[0-9a-fA-F]{7,8}\s*$`)
)

// lineBytes is the most bytes that a line of a dump has.
const lineBytes = 32

// dumpedLine returns the offset, or -1, and the bytes of a line of a dump. words says that they are
// in words of two bytes, as hexdump prints them by default: the lower byte first.
func dumpedLine(line string) (offset int, b []byte, words, ok bool) {
	if m := pipeLine.FindStringSubmatch(line); m != nil {
		b, _ = pairs(m[1])
		return -1, b, false, len(b) > 0
	}
	m := dumpLine.FindStringSubmatch(line)
	if m == nil || m[2] != "" && len(m[1]) < 7 && !farOffset.MatchString(line) {
		return 0, nil, false, false
	}
	at, err := strconv.ParseUint(m[1], 16, 32)
	if err != nil {
		return 0, nil, false, false
	}
	b, groups := pairs(m[3])
	if m[2] != "" && groups == len(m[1]) {
		return 0, nil, false, false // a value in groups of hex: nothing sets an offset apart
	}
	return int(at), b, m[2] != "" && groups == 4 && len(m[1]) == 7, len(b) > 0
}

// pairs reads hex in groups, up to the text behind it: wider spaces or a vertical line. It returns
// how many digits the first group has.
func pairs(text string) (b []byte, group int) {
	text, _, _ = strings.Cut(text, "|")
	for len(b) < lineBytes {
		gap := len(text) - len(strings.TrimLeft(text, " \t-"))
		text = text[gap:]
		n := 0
		for n < len(text) && strings.IndexByte("0123456789abcdefABCDEF", text[n]) >= 0 {
			n++
		}
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

// undump reads a dump. ok is false if text is none. Lines of other kinds, such as headings, are
// skipped; offsets must follow one another.
func undump(text []byte) (all []byte, ok bool, err error) {
	next := -1
	for n, line := range strings.Split(string(text), "\n") {
		offset, b, words, is := dumpedLine(strings.TrimRight(line, "\r"))
		switch {
		case !is && (ok || strings.TrimSpace(line) == "" || dumpEnd.MatchString(line)):
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
			// od counts in octal
			if octal, err := strconv.ParseUint(strings.Fields(line)[0], 8, 32); err != nil ||
				int(octal) != next {
				return nil, true, fmt.Errorf("line %d: the dump continues at %d, expected %d: "+
					"lines are missing", n+1, offset, next)
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
		all = append(all, b...)
		next += len(b)
	}
	return all, ok, nil
}

// heading reports whether a line may stand above a dump: it ends with a colon or a length, or is
// one of openssl's or Java's.
func heading(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "]") ||
		strings.HasPrefix(line, "<<<") || strings.HasPrefix(line, ">>>") ||
		strings.HasPrefix(line, "***") || strings.HasPrefix(line, "javax.net.ssl|")
}

// dumpFields are headings of values in the output of other programs, in lower case and without
// spaces and hyphens.
var dumpFields = map[string]string{
	"clientrandom": "client_random", "clientnonce": "client_random",
	"serverrandom": "server_random", "servernonce": "server_random",
	"premastersecret": "pre_master_secret", "premaster": "pre_master_secret",
	"mastersecret": "master_secret", "masterkey": "master_secret",
	"sslmastersecret": "master_secret", "cipher": "suite", "protocol": "version",
}

var headed = regexp.MustCompile(
	`^\s*(?:\|<\d+>\| INT: )?([A-Za-z][A-Za-z_ -]*?)\s*(?:\[\d+\])?\s*:\s*(.*)$`,
)

// loadDump reads the output of another program: headings that are known, and the value in the same
// line or in the dump under it. The first value of each counts. It reports whether there is any.
func (v *values) loadDump(name string, data []byte) bool {
	found := map[string]input{}
	lines := strings.Split(string(data), "\n")
	for n, line := range lines {
		m := headed.FindStringSubmatch(strings.TrimRight(line, "\r"))
		if m == nil {
			continue
		}
		plain := strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(m[1]))
		field, known := dumpFields[plain]
		value := strings.TrimSpace(m[2])
		if value == "" && known {
			value = hex.EncodeToString(under(lines[n+1:]))
		}
		if _, given := v.fields[field]; !known || given || value == "" || value[0] == '=' {
			continue
		}
		if _, twice := found[field]; twice {
			continue
		}
		found[field] = input{strings.TrimPrefix(value, "TLSv"),
			fmt.Sprintf("%s, line %d, %s", name, n+1, field)}
	}
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

// under returns the bytes of the dump that begins at a line.
func under(lines []string) (all []byte) {
	for _, line := range lines {
		_, b, _, ok := dumpedLine(strings.TrimRight(line, "\r"))
		if !ok {
			break
		}
		all = append(all, b...)
	}
	return all
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
