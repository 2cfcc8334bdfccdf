package live

import "github.com/vitrine-tls/vitrine/trace"

// Slow makes a History call wait before it writes a file.
func (h *History) Slow(wait func()) {
	h.store = func(r Row, entries []trace.Entry) (int64, error) {
		wait()
		return h.write(r, entries)
	}
}

// Indexed returns how many lines the index has.
func (h *History) Indexed() int { return h.lines }
