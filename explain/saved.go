package explain

import (
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

// Saved returns what saved events say about their run.
func Saved(entries []trace.Entry) Run {
	run := Run{Command: "vitrine explain"}
	for _, e := range entries {
		if n, ok := e.Event.(*trace.Notice); ok {
			run.Note = n.Text
			break
		}
	}
	return run
}

const redactedNote = "The secrets are not in these events: where one would be, there is nothing " +
	"to show."

// Redacted reports whether the events were saved without secrets.
func Redacted(entries []trace.Entry) bool {
	return slices.ContainsFunc(entries, func(e trace.Entry) bool {
		switch x := e.Event.(type) {
		case *trace.Derived:
			return len(x.Output) == 0
		case *trace.Given:
			return len(x.Output) == 0
		}
		return false
	})
}
