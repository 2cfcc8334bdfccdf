package keylog

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/dump"
)

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
