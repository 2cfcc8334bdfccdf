package keylog

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// Read reads a key log. If lines cannot be read, the error names the first one and says how many
// there were, and the Log has all others. See RFC 9850 §2.
func Read(r io.Reader) (*Log, error) {
	l := new(Log)
	return l, l.Merge(r)
}

// Merge reads another key log into l, with the same errors as Read. Of several secrets with the
// same label and ID the last one stays, as in Wireshark, unless it is zeros. The text may be UTF-8
// or UTF-16, with or without a byte order mark, as PowerShell writes it. Besides what Parse reads
// it may be wrapped, in a hex dump, or what a program reports: javax.net.debug of Java up to 8,
// openssl s_client -trace, GnuTLS, and Wireshark's debug file.
func (l *Log) Merge(r io.Reader) error {
	var split lineSplitter
	in := bufio.NewReader(r)
	l.counts.First, l.session = 0, nil
	if other := otherFile(in); other != "" {
		l.counts.Encoding = "no text"
		return fmt.Errorf("keylog: this is %s", other)
	}
	r, l.counts.Encoding = decoded(in)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 2*maxLine)
	lines.Split(split.next)
	reading := reading{log: l}
	for lines.Scan() {
		reading.n++
		if split.tooLong {
			reading.fail(reading.n, fmt.Errorf("a line of more than %d bytes", maxLine))
			continue
		}
		reading.line(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("keylog: line %d: %w", reading.n+1, err)
	}
	return reading.end()
}

// A lineSplitter splits lines for a Scanner whose buffer is bounded. A line of more than maxLine
// bytes becomes an empty one, with tooLong set, and does not affect those after it.
type lineSplitter struct{ inside, tooLong bool }

func (s *lineSplitter) next(data []byte, atEOF bool) (int, []byte, error) {
	n, line, err := splitLines(data, atEOF)
	if n == 0 && len(data) > maxLine+1 {
		s.inside = true
		// The last byte stays: it may be the CR of a CR LF, or the last of the file.
		return len(data) - 1, nil, nil
	}
	if s.tooLong = n > 0 && (s.inside || len(line) > maxLine); s.tooLong {
		s.inside, line = false, line[:0]
	}
	return n, line, err
}

// splitLines is a bufio.SplitFunc for lines that end in CR, LF or both. See RFC 9850 §2.
func splitLines(data []byte, atEOF bool) (int, []byte, error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && atEOF && len(data) > 0:
		return len(data), data, nil
	case i < 0:
		return 0, nil, nil
	case data[i] == '\r' && i+1 == len(data) && !atEOF:
		return 0, nil, nil // a line feed may follow
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	}
	return i + 1, data[:i], nil
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
