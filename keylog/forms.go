package keylog

import (
	"bytes"
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// This file reads lines that are not quite as RFC 9850 §2 writes them: with a log's words before
// them, in quotes, as programs report a session, or as people copy them.

// find returns the label of a line and its values, or "" if no field is a known label.
func (l *Log) find(fields [][]byte) (Label, [][]byte) {
	if i := slices.IndexFunc(fields, remark); i >= 0 {
		fields = fields[:i]
	}
	for i, field := range fields {
		rest := fields[i+1:]
		// A log may put its own words before it, even without a space.
		field = bytes.TrimRight(field, `:="',`)
		field = field[bytes.LastIndexAny(field, ":]|>\"'={(")+1:]
		label := Label(field)
		if label == PreMasterByEncrypted && len(rest) == 2 {
			id, ok1 := bytes.CutPrefix(rest[0], []byte("Session-ID:"))
			secret, ok2 := bytes.CutPrefix(rest[1], []byte("Master-Key:"))
			if ok1 && ok2 {
				return MasterBySession, [][]byte{id, secret}
			}
		}
		if _, known := shapes[label]; !known && len(rest) == 2 {
			label = Label(bytes.ToUpper(field))
		}
		if _, known := shapes[label]; known && (i == 0 || len(rest) == 2) {
			return label, valuesOf(rest)
		}
	}
	return l.client(fields)
}

// remark reports whether a field begins a remark behind the values.
func remark(field []byte) bool {
	return bytes.HasPrefix(field, []byte("#")) || bytes.HasPrefix(field, []byte("//"))
}

// valuesOf returns values without the quotes and brackets around them.
func valuesOf(fields [][]byte) (values [][]byte) {
	const around = `"'<>()[]{},;`
	for _, f := range fields {
		f = bytes.TrimLeft(f, around)
		if end := bytes.IndexAny(f, around); end >= 0 {
			f = f[:end]
		}
		values = append(values, f)
	}
	return values
}

// client reads a line of s_client's report of a session.
func (l *Log) client(fields [][]byte) (Label, [][]byte) {
	if len(fields) == 0 {
		return "", nil
	}
	switch name := string(fields[0]); {
	case name == "Session-ID:":
		l.session = nil
		if len(fields) == 2 {
			l.session = bytes.Clone(fields[1])
		}
	case name == "Master-Key:" && len(fields) == 2:
		id := l.session
		if l.session = nil; l.knows(id, fields[1]) {
			id = nil
		}
		return MasterBySession, [][]byte{id, fields[1]}
	}
	return "", nil
}

// knows reports whether l has another secret of a session than a report says, in hex. The report
// does not replace it.
func (l *Log) knows(session, secret []byte) bool {
	id, err1 := unhex(session)
	reported, err2 := unhex(secret)
	known := l.Secret(MasterBySession, id)
	return err1 == nil && err2 == nil && known != nil &&
		subtle.ConstantTimeCompare(known, reported) == 0
}

func unhex(text []byte) ([]byte, error) {
	if len(text) > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		text = text[2:]
	}
	if len(text) > 2 && text[2] == ':' {
		text = bytes.ReplaceAll(text, []byte(":"), nil)
	}
	out := make([]byte, hex.DecodedLen(len(text)))
	_, err := hex.Decode(out, text)
	return out, err
}
