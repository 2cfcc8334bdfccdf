package live

import "github.com/vitrine-tls/vitrine/trace"

// Slow makes a History call wait before it writes a file.
func (h *History) Slow(wait func()) {
	h.store = func(r Row, entries []trace.Entry) (int64, error) {
		wait()
		return h.write(r, entries)
	}
}

// Panics makes a History panic where it would write a file.
func (h *History) Panics(what string) {
	h.store = func(Row, []trace.Entry) (int64, error) { panic(what) }
}

// Indexed returns how many lines the index has.
func (h *History) Indexed() int { return h.lines }
