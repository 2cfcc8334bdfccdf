package keylog

import (
	"bytes"
	"crypto/subtle"
	"errors"
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

// others are lines of other files and reports, with what to do about them.
var others = []struct{ has, advice string }{
	{"key bytes not available", "javax.net.debug did not get this secret from the module that " +
		"holds it: give the server's RSA key instead"},
	{"resumption psk:", "s_client's Resumption PSK, which is the secret of a ticket: give it as " +
		"a pre-shared key"},
	{"private key-----", "a private key in PEM, not a key log"},
	{"begin certificate-----", "a certificate, which is public and opens nothing"},
}

// foreign returns what a line without a label is, if it is known.
func foreign(line []byte) error {
	lower := bytes.ToLower(line)
	for _, o := range others {
		if bytes.Contains(lower, []byte(o.has)) {
			return errors.New(o.advice)
		}
	}
	if secret, err := unhex(bytes.TrimSpace(line)); err == nil && len(secret) == master[0] {
		return errors.New("48 bytes in hex without a label: this may be a master_secret, " +
			"and not a key log")
	}
	return nil
}
