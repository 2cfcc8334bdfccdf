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

// err returns the first error, and how many others there were.
func (r *reading) err() error {
	switch r.bad {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("keylog: line %d: %w", r.first.n, r.first.err)
	}
	return fmt.Errorf("keylog: line %d: %w; %d more lines like it", r.first.n, r.first.err, r.bad-1)
}

// line reads a line.
func (r *reading) line(line []byte) {
	fields := bytes.Fields(line)
	if len(fields) == 0 || fields[0][0] == '#' {
		return
	}
	if r.wrap.label != "" && r.wrap.continues(line) {
		return
	}
	r.unwrap()
	label, values := r.log.find(fields)
	if !whole(label, values) || string(fields[0]) == "Master-Key:" {
		known := r.reports(string(line), fields)
		if !whole(label, values) && (known || r.dumped(string(line))) {
			r.log.counts.Lines++
			return
		}
	} else {
		r.take(r.report.End())
	}
	if !longest(label, values) && r.wrap.begins(line, fields) {
		r.wrap.n = r.n
		return
	}
	r.parse(r.n, line, label, values)
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

// end reads what was complete only with the last line.
func (r *reading) end() error {
	r.unwrap()
	r.take(r.report.End())
	r.hexed.end(r)
	r.about.end(r)
	for _, x := range r.foreign {
		if !r.reported {
			r.fail(x.n, x.err)
		}
	}
	return r.err()
}

// add adds a secret of a report, and counts it unless it is there already. It replaces none: a line
// of a key log has the connection that it is of.
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

// hexed is the text of a key log in a hex dump, from its last line feed.
type hexed struct {
	text []byte
	at   int // bytes before it
}

// dumped reports whether a line is one of a dump, and reads the lines of a key log in it.
func (r *reading) dumped(line string) bool {
	h := &r.hexed
	offset, b, words, ok := dump.Line(line)
	if !ok || offset >= 0 && offset != h.at+len(h.text) && offset != 0 {
		h.end(r)
		return false
	}
	if offset == 0 {
		h.end(r)
	}
	for i := 0; words && i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	h.text = append(h.text, b...)
	for {
		i := bytes.IndexByte(h.text, '\n')
		if i < 0 {
			break
		}
		h.line(r, h.text[:i])
		h.at, h.text = h.at+i+1, h.text[i+1:]
	}
	if len(h.text) > maxLine {
		h.at, h.text = h.at+len(h.text), nil
	}
	return true
}

// end reads the last line of a dump.
func (h *hexed) end(r *reading) {
	h.line(r, h.text)
	*h = hexed{}
}

// line reads a line of a key log in a dump. Bytes of other kinds are ignored.
func (h *hexed) line(r *reading, line []byte) {
	if label, values := r.log.find(bytes.Fields(line)); whole(label, values) {
		r.fail(r.n, r.log.parse(line, label, values))
	}
}
