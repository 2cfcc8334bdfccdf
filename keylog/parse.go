package keylog

import (
	"bytes"
	"errors"
	"fmt"
)

// Parse reads one line, without its end. Comments, empty lines and unknown labels are ignored, as
// RFC 9850 §2 asks. What a program's log puts before a label is skipped, and so are quotes, 0x
// before a value, colons between its bytes and a remark behind it; the lines Session-ID and
// Master-Key of OpenSSL's s_client are read as well. An error says what is wrong with a line of a
// known label, or what a line of another kind is, and quotes only the label.
func (l *Log) Parse(line []byte) error {
	fields := bytes.Fields(line)
	if len(fields) == 0 || fields[0][0] == '#' {
		return nil
	}
	l.counts.Lines++
	label, values := l.find(fields)
	return l.parse(line, label, values)
}

// parse reads a line in which find found a label and values.
func (l *Log) parse(line []byte, label Label, values [][]byte) error {
	want, known := shapes[label]
	switch {
	case !known, bytes.HasPrefix(line, []byte("-----")): // or PEM
		l.counts.Unknown++
		return foreign(line)
	case len(values) != 2:
		return fmt.Errorf("%s with %d values, expected 2", label, len(values))
	}
	id, err1 := unhex(values[0])
	secret, err2 := unhex(values[1])
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%s: expected two values in hex", label)
	}
	nameless := label == MasterBySession && len(id) == 0
	if !want.id.has(len(id)) && !nameless || !want.secret.has(len(secret)) {
		return fmt.Errorf("%s: values of %d and %d bytes, expected %v and %v", label, len(id),
			len(secret), want.id, want.secret)
	}
	if l.text += len(line); l.text > MaxLog {
		return errTooLong
	}
	if zeros(secret) {
		l.counts.Zeros++
	} else {
		l.counts.Secrets++
	}
	l.Add(Line{label, id, secret})
	return nil
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
