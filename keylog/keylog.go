// Package keylog reads and writes the files that TLS programs write when SSLKEYLOGFILE is set: each
// line has a label, an identifier of the connection and a secret of it. See RFC 9850.
//
// Besides the labels of RFC 9850 it has three older ones that still occur: PMS_CLIENT_RANDOM and
// RSA, which NSS wrote and which give a pre_master_secret, and "RSA Session-ID:… Master-Key:…",
// which identifies a session instead of a connection. Lines that other programs or people have
// altered are read too: see forms.go. Anyone with such a file can read the connections in it:
// create it with mode 0600, and never print a Line.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	line.go labels.go                      a line, its label, and how long its values may be
//	keylog.go print.go                     the secrets of many connections
//	forms.go parse.go                      a line as programs and people write it
//	encoding.go wrapped.go                 texts in UTF-16, and lines that were broken
//	reading.go about.go dumped.go lines.go a whole file, and reports and dumps with secrets in them
//	growing.go merge.go                    a file in pieces, and at once
//
// It is part of Vitrine's API.
package keylog

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Log holds the secrets of connections. The zero Log is empty and ready to use. A Log is safe for
// concurrent use only while all goroutines just read.
type Log struct {
	lines []Line
	index map[key]int
	text  int // bytes parsed, bounded by MaxLog

	counts   Counts
	nameless [][]byte
	session  []byte // the last Session-ID of s_client's form, in what is being read
}

type key struct {
	label Label
	id    string
}

// Counts says what was read into a Log.
type Counts struct {
	Lines    int    // that are neither empty nor comments
	Secrets  int    // lines with a secret that can be used
	Zeros    int    // lines with a secret of zeros, which is a placeholder
	Unknown  int    // lines with no label that is known
	First    int    // the number of the first of them, in what was read last
	Encoding string // "UTF-8", "UTF-16" with or without a byte order mark; the last one read
}

// Counts returns what was read so far, which is nothing of a nil Log.
func (l *Log) Counts() Counts {
	if l == nil {
		return Counts{}
	}
	return l.counts
}

// Has reports whether there is a secret for a client_random, or a session ID.
func (l *Log) Has(id []byte) bool {
	labels, _ := l.Labels(id)
	return len(labels) > 0
}

// Labels returns the labels of the secrets for a client_random, or a session ID, sorted, and
// whether there are lines for it whose secret is zeros.
func (l *Log) Labels(id []byte) (labels []Label, placeholders bool) {
	if l == nil || len(id) == 0 {
		return nil, false
	}
	for label := range shapes {
		i, ok := l.index[key{label, string(id)}]
		switch {
		case ok && zeros(l.lines[i].Secret):
			placeholders = true
		case ok:
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels, placeholders
}

// MaxLog bounds the text that a Log accepts, in bytes: about one and a half million connections of
// TLS 1.2.
const MaxLog = 256 << 20

// maxLine bounds a line, in bytes. It leaves room for the longest pre_master_secret and ECHConfig
// that Parse accepts.
const maxLine = 16 << 10

var errLongLine = fmt.Errorf("a line of more than %d bytes", maxLine)

var errTooLong = fmt.Errorf("more than %d MiB of key log", MaxLog>>20)

// zeros reports whether a secret is a placeholder.
func zeros(secret []byte) bool { return len(bytes.Trim(secret, "\x00")) == 0 }

// Add adds a line. It replaces one with the same label and ID, unless its secret is zeros and the
// other's is not. Master secrets without a session ID are all kept: see Nameless.
func (l *Log) Add(line Line) {
	k := key{line.Label, string(line.ID)}
	if line.Label == MasterBySession && len(line.ID) == 0 {
		k.id = string(line.Secret)
	}
	if i, ok := l.index[k]; ok {
		if !zeros(line.Secret) || zeros(l.lines[i].Secret) {
			l.lines[i] = line
		}
		return
	}
	if l.index == nil {
		l.index = map[key]int{}
	}
	l.index[k] = len(l.lines)
	if line.Label == MasterBySession && len(line.ID) == 0 {
		l.nameless = append(l.nameless, line.Secret)
	}
	l.lines = append(l.lines, line)
}

// Nameless returns the master secrets that have no session ID, as versions of OpenSSL write them
// for sessions with tickets. They can only be tried.
func (l *Log) Nameless() [][]byte {
	if l == nil {
		return nil
	}
	return l.nameless
}

// Secret returns a secret, or nil if there is none. id is the client_random, except for
// PreMasterByEncrypted (the first 8 bytes of the encrypted pre_master_secret) and MasterBySession
// (the session ID). In a nil Log there is none, and zeros, which are a placeholder, are none.
func (l *Log) Secret(label Label, id []byte) []byte {
	if l == nil {
		return nil
	}
	i, ok := l.index[key{label, string(id)}]
	if !ok || zeros(l.lines[i].Secret) {
		return nil
	}
	return l.lines[i].Secret
}

// Len returns how many secrets the Log has.
func (l *Log) Len() int { return len(l.lines) }

// All iterates over the lines in the order in which they were added.
func (l *Log) All() iter.Seq[Line] { return slices.Values(l.lines) }

// WriteTo writes the Log as a file of RFC 9850.
func (l *Log) WriteTo(w io.Writer) (int64, error) {
	var text []byte
	for _, line := range l.lines {
		text = line.Append(text)
	}
	n, err := w.Write(text)
	return int64(n), err
}
