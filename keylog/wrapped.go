package keylog

import (
	"bytes"
	"encoding/hex"
	"slices"
)

// wrapped is a line that was broken into several, as mail programs and terminals do. Every
// character is looked at once, and no more are kept than the longest values of the label have: the
// lines may be anybody's.
type wrapped struct {
	label      Label
	line       []byte // the first of them
	n          int    // its number
	id, secret []byte // hex digits
	name       string // what is missing of a name between the values
	second     bool   // the secret has begun
	parts      int    // how many lines

	margin int  // the characters before the first line
	width  int  // of the first line
	full   bool // the last line is as wide as the first
	open   bool // the last line ends in a mark that it continues
	marked bool // all lines before the last are marked so, or the next one is indented
}

// around are the characters around the parts of a wrapped line: marks of a quotation, of a line
// that continues, and of strings in programs.
const around = " \t\r\\>|=+\"'`"

// continued are the marks at the end of a line that continues.
const continued = `\=+`

// begins reports whether fields are those of the beginning of a line, and remembers it. At most two
// values follow its label.
func (w *wrapped) begins(line []byte, fields [][]byte) bool {
	marks := slices.IndexFunc(fields, func(f []byte) bool { return len(bytes.Trim(f, around)) > 0 })
	if last := len(fields) - 1; last >= 0 && len(bytes.Trim(fields[last], around)) == 0 {
		fields = fields[:last]
	}
	for i := max(0, len(fields)-3); i < len(fields); i++ {
		label := Label(bytes.TrimRight(fields[i], `:="',`))
		label = label[bytes.LastIndexAny([]byte(label), ":]|>\"'={(")+1:]
		if _, known := shapes[label]; !known || label == PreMasterByEncrypted && i > marks {
			continue // RSA is a word of many reports
		}
		*w = wrapped{label: label, parts: 1, marked: true}
		values := fields[i+1:]
		ok := w.put(bytes.Trim(bytes.Join(values, nil), around))
		if ok && len(w.secret) < 2*shapes[w.label].secret[1] &&
			(len(values) < 2 || len(values[0]) >= len(w.id)) {
			w.margin, w.width = margin(line), len(bytes.TrimRight(line, " \t\r"))
			w.line, w.full, w.open = bytes.Clone(line), true, opens(line)
			return true
		}
		*w = wrapped{}
		return false
	}
	return false
}

// margin returns how many marks and spaces a line has before its text.
func margin(line []byte) int { return len(line) - len(bytes.TrimLeft(line, around)) }

// opens reports whether a line ends in a mark that it continues.
func opens(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r")
	return len(line) > 0 && bytes.IndexByte([]byte(continued), line[len(line)-1]) >= 0
}

// put appends the characters of values and of the names between them. It reports false if one does
// not belong there or is too many.
func (w *wrapped) put(part []byte) bool {
	shape := shapes[w.label]
	for _, c := range part {
		switch {
		case w.name != "":
			if w.name[0] != c {
				return false
			}
			w.name = w.name[1:]
		case w.label == PreMasterByEncrypted && c == 'S' && len(w.id) == 0:
			w.label, w.name = MasterBySession, "ession-ID:"
			shape = shapes[w.label]
		case w.label == MasterBySession && c == 'M' && !w.second:
			w.second, w.name = true, "aster-Key:"
		case !hexDigit(c):
			return false
		case !w.second && len(w.id) < 2*shape.id[1]:
			w.id = append(w.id, c)
		case w.label == MasterBySession && !w.second || len(w.secret) == 2*shape.secret[1]:
			return false
		default:
			w.second = true
			w.secret = append(w.secret, c)
		}
	}
	return true
}

// continues reports whether a line is the next part, and appends it. Nothing continues a line whose
// secret is complete, unless the lines have a mark of it: they end in one, the next is indented, or
// they are all as wide as the first of several.
func (w *wrapped) continues(line []byte) bool {
	part := bytes.ReplaceAll(bytes.Trim(line, around), []byte(" "), nil)
	if w.label == PreMasterByEncrypted || w.label == MasterBySession {
		part = bytes.ReplaceAll(part, []byte("\t"), nil)
	}
	width := len(bytes.TrimRight(line, " \t\r"))
	mark := w.open || margin(line) > w.margin
	even := w.parts > 1 && w.full && width <= w.width
	if len(part) == 0 || !mark && !even && complete(w.label, w.secret) {
		return false
	}
	next := *w
	if !next.put(part) {
		return false
	}
	next.parts++
	next.full, next.open, next.marked = width == w.width, opens(line), w.marked && mark
	*w = next
	return true
}

// readable reports whether there is a line that may be complete.
func (w *wrapped) readable(l *Log) bool {
	return w.label != "" && (complete(w.label, w.secret) ||
		w.parts == 1 && whole(l.find(bytes.Fields(w.line))))
}

// whole reports whether the values of a line may be all there.
func whole(label Label, values [][]byte) bool {
	if label == "" || len(values) != 2 {
		return false
	}
	secret := digits(values)
	if shape := shapes[label].secret; shape == master || shape == digest {
		return complete(label, secret)
	}
	return len(secret)%2 == 0
}

// complete reports whether a secret has as many hex digits as the label's secrets have: those of
// SHA-256, SHA-384 and SHA-512, a master_secret, the pre_master_secret of RSA, a group or a
// pre-shared key (RFC 4279 §2), the shared secret of a KEM, or an ECHConfig (RFC 9849 §4).
func complete(label Label, secret []byte) bool {
	n := len(secret) / 2
	switch {
	case len(secret)%2 != 0:
		return false
	case shapes[label].secret == master || label == PreMasterByEncrypted:
		return n == master[0]
	case label == ECHConfig:
		return n >= 4 && n == 4+uint16At(secret, 2)
	case label == PreMasterByRandom:
		return slices.Contains(preMasters, n) || preShared(secret)
	}
	return n == 32 || n == 48 || n == 64
}

// preMasters are the lengths of what an exchange of keys gives, in bytes.
var preMasters = []int{32, 48, 56, 64, 66, 128, 192, 256, 384, 512, 768, 1024}

// preShared reports whether a pre_master_secret is two vectors with their lengths, which those with
// a pre-shared key are. See RFC 4279 §2.
func preShared(secret []byte) bool {
	n := len(secret) / 2
	if n < 4 {
		return false
	}
	other := uint16At(secret, 0)
	return n >= 4+other && n == 4+other+uint16At(secret, 2+other)
}

// uint16At returns the number in the two bytes at an offset, of hex digits.
func uint16At(text []byte, offset int) int {
	var b [2]byte
	hex.Decode(b[:], text[2*offset:2*offset+4])
	return int(b[0])<<8 | int(b[1])
}

// longest reports whether values are whole, and can have no continuation.
func longest(label Label, values [][]byte) bool {
	switch shapes[label].secret {
	case master, digest:
		return whole(label, values) && len(digits(values)) >= 2*master[0]
	}
	return false
}

// digits returns the digits of a secret.
func digits(values [][]byte) []byte {
	secret := values[1]
	if len(secret) > 1 && (secret[1] == 'x' || secret[1] == 'X') {
		secret = secret[2:]
	}
	return bytes.TrimRight(secret, around)
}

// hexDigit reports whether c is a hex digit.
func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
