package keylog

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/dump"
)

// reading is the state of Merge: the number of the line, what is spread over several lines, and the
// first error.
type reading struct {
	log    *Log
	n      int
	wrap   wrapped
	report dump.Report
	about  about
	hexed  hexed

	foreign  []badLine // lines of other files, which a report may have between its secrets
	reported bool      // the text is a report with a secret in it

	first badLine
	bad   int
}

// about is the connection that the report of a program is about. It lasts until the report ends, so
// that no secret is taken for that of another connection.
type about struct {
	random  []byte // client_random
	trace   bool   // random is of openssl -trace, which a session may follow
	session []byte // the session_id of the last hello, in hex
	pre     []byte // a pre_master_secret whose client_random has not come
}

// hexed is the text of a key log in a hex dump, from its last line feed.
type hexed struct {
	text []byte
	at   int // bytes before it
}

// maxForeign bounds how many lines of other files are kept until the end.
const maxForeign = 1 << 10

// badLine is an error with the number of its line.
type badLine struct {
	n   int
	err error
}

// fail notes an error of a line.
func (r *reading) fail(n int, err error) {
	if err == nil {
		return
	}
	if r.bad++; r.bad == 1 || n < r.first.n {
		r.first = badLine{n, err}
	}
}

// err returns the first error since the last call, and how many others there were.
func (r *reading) err() error {
	bad := r.bad
	r.bad = 0
	switch bad {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("keylog: line %d: %w", r.first.n, r.first.err)
	}
	return fmt.Errorf("keylog: line %d: %w; %d more lines like it", r.first.n, r.first.err, bad-1)
}

// parse reads a line that stands for itself.
func (r *reading) parse(n int, line []byte, label Label, values [][]byte) {
	unknown := r.log.counts.Unknown
	r.log.counts.Lines++
	err := r.log.parse(line, label, values)
	if err != nil && label == "" && len(r.foreign) < maxForeign {
		r.foreign = append(r.foreign, badLine{n, err})
	} else {
		r.fail(n, err)
	}
	if r.log.counts.Unknown > unknown && r.log.counts.First == 0 {
		r.log.counts.First = n
	}
}

// add adds a secret of a report, and counts it. One that is there already stays: a line of a key
// log names the connection that it is of.
func (r *reading) add(n int, line Line) {
	l := r.log
	if l.text += len(line.Secret); l.text > MaxLog {
		r.fail(n, errTooLong)
		return
	}
	if r.reported = true; l.Secret(line.Label, line.ID) != nil {
		return
	}
	before := len(l.lines)
	l.Add(line)
	switch {
	case len(l.lines) == before:
	case zeros(line.Secret):
		l.counts.Zeros++
	default:
		l.counts.Secrets++
	}
}

// unwrap reads a line, wrapped or not, when no more of it follows. If the first part is a line by
// itself and all parts together are not, it reads the first alone.
func (r *reading) unwrap() {
	w := r.wrap
	if r.wrap = (wrapped{}); w.label == "" {
		return
	}
	label, values := w.label, [][]byte{w.id, w.secret}
	first, alone := r.log.find(bytes.Fields(w.line))
	together := complete(label, w.secret) || whole(label, values) && w.marked
	r.log.counts.Lines += w.parts - 1
	if w.parts == 1 || !together && whole(first, alone) {
		label, values = first, alone
		r.log.counts.Unknown += w.parts - 1
		if w.parts > 1 && !complete(first, digits(alone)) {
			r.fail(w.n, fmt.Errorf("%s: %d bytes, which is unusual, and the next line is hex: "+
				"if that is the rest of it, join the lines", first, len(digits(alone))/2))
		}
	}
	r.parse(w.n, w.line, label, values)
}
