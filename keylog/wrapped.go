package keylog

import (
	"bytes"
	"strings"
)

// wrapped is a line that was broken into several, as mail programs and terminals do.
type wrapped struct {
	label  Label
	line   []byte // the first of them
	n      int    // its number
	values []byte // what follows the label, without the spaces
	parts  int    // how many lines
}

// around are the characters around the parts of a wrapped line: marks of a quotation, of a line
// that continues, and of strings in programs.
const around = " \t\r\\>|=+\"'`"

// begins reports whether fields are the beginning of a line, and remembers it.
func (w *wrapped) begins(fields [][]byte) bool {
	if last := len(fields) - 1; len(bytes.Trim(fields[last], around)) == 0 {
		fields = fields[:last]
	}
	for i, field := range fields {
		label := Label(bytes.TrimRight(field, `:="',`))
		label = label[bytes.LastIndexAny([]byte(label), ":]|>\"'={(")+1:]
		marks := len(bytes.Trim(bytes.Join(fields[:i], nil), around)) == 0
		if _, known := shapes[label]; !known || label == PreMasterByEncrypted && !marks {
			continue // RSA is a word of many reports
		}
		first := bytes.Trim(bytes.Join(fields[i+1:], nil), around)
		*w = wrapped{label: label, values: first, parts: 1}
		_, id, secret := w.cut()
		values := len(fields) - i - 1
		if values <= 2 && hexOnly(w.plain()) && len(secret) < 2*shapes[label].secret[1] &&
			(values < 2 || len(fields[i+1]) >= len(id)) {
			return true
		}
		*w = wrapped{}
		return false
	}
	return false
}

// continues reports whether a line is the next part, and appends it.
func (w *wrapped) continues(line []byte) bool {
	part := bytes.ReplaceAll(bytes.Trim(line, around), []byte(" "), nil)
	if w.label == PreMasterByEncrypted {
		part = bytes.ReplaceAll(part, []byte("\t"), nil)
	}
	was := w.values
	w.values = append(w.values[:len(w.values):len(w.values)], part...)
	_, _, secret := w.cut()
	if len(part) == 0 || !hexOnly(w.plain()) || len(w.values) > maxLine ||
		len(secret) > 2*shapes[w.label].secret[1] {
		w.values = was
		return false
	}
	w.parts++
	return true
}

// plain returns the values without the names that one label has between them.
func (w *wrapped) plain() []byte {
	if w.label != PreMasterByEncrypted {
		return w.values
	}
	b := bytes.TrimPrefix(w.values, []byte("Session-ID:"))
	if i := bytes.IndexByte(b, 'M'); i >= 0 {
		const name = "Master-Key:"
		if rest := b[i:]; len(rest) < len(name) && strings.HasPrefix(name, string(rest)) {
			return b[:i]
		}
	}
	return bytes.Replace(b, []byte("Master-Key:"), nil, 1)
}

// cut returns the label and the values of the line as far as it is there.
func (w *wrapped) cut() (label Label, id, secret []byte) {
	if rest, ok := bytes.CutPrefix(w.values, []byte("Session-ID:")); ok &&
		w.label == PreMasterByEncrypted {
		id, secret, _ = bytes.Cut(rest, []byte("Master-Key:"))
		return MasterBySession, id, secret
	}
	n := min(2*shapes[w.label].id[0], len(w.values))
	return w.label, w.values[:n], w.values[n:]
}

// unwrap reads a line, wrapped or not, when no more of it follows. If its parts are no line
// together, it reads the first alone.
func (r *reading) unwrap() {
	w := r.wrap
	if r.wrap = (wrapped{}); w.label == "" {
		return
	}
	label, id, secret := w.cut()
	values := [][]byte{id, secret}
	first, alone := r.log.find(bytes.Fields(w.line))
	if w.parts == 1 || !whole(label, values) && whole(first, alone) {
		label, values = first, alone
		r.log.counts.Lines += w.parts - 1
		r.log.counts.Unknown += w.parts - 1
	} else {
		r.log.counts.Lines += w.parts - 1
	}
	r.parse(w.n, w.line, label, values)
}

// whole reports whether the values of a line may be all there.
func whole(label Label, values [][]byte) bool {
	if label == "" || len(values) != 2 {
		return false
	}
	switch n := secretDigits(values); shapes[label].secret {
	case master:
		return n == 2*master[0]
	case digest:
		return n == 64 || n == 96 || n == 128 // SHA-256, SHA-384, SHA-512
	default:
		return n%2 == 0
	}
}

// longest reports whether values are whole, and can have no continuation.
func longest(label Label, values [][]byte) bool {
	return whole(label, values) && secretDigits(values) >= 2*min(shapes[label].secret[1], master[0])
}

// secretDigits returns how many digits a secret has.
func secretDigits(values [][]byte) int {
	secret := values[1]
	if len(secret) > 1 && (secret[1] == 'x' || secret[1] == 'X') {
		secret = secret[2:]
	}
	return len(bytes.TrimRight(secret, around))
}

// hexOnly reports whether b has hex digits only.
func hexOnly(b []byte) bool { return len(bytes.Trim(b, "0123456789abcdefABCDEF")) == 0 }
