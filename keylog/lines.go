package keylog

import "bytes"

// A lineSplitter splits a text into lines, of which a bounded part is kept. A line of more than
// maxLine bytes becomes an empty one, with tooLong set, and does not affect those after it.
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
	r.strangers()
	return r.err()
}

// pause reads what is complete, though more lines may follow: a line that could be continued, and a
// master_secret in a dump.
func (r *reading) pause() error {
	if r.wrap.readable(r.log) {
		r.unwrap()
	}
	if name, n := r.report.Under(); name == "master_secret" && n == master[0] {
		r.take(r.report.End())
	}
	if r.report.ClientHellos() == 0 && r.about.random == nil && r.about.pre == nil {
		r.strangers() // no report has begun in which they belong
	}
	return r.err()
}

// strangers are the lines of other files, which belong in a report and nowhere else.
func (r *reading) strangers() {
	for _, x := range r.foreign {
		if !r.reported {
			r.fail(x.n, x.err)
		}
	}
	r.foreign = nil
}
