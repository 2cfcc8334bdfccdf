package explain

import (
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

// Saved is what is known of a run whose events were saved: what they say of themselves.
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

// Redacted reports whether secrets were left out when events were saved.
func Redacted(entries []trace.Entry) bool {
	return slices.ContainsFunc(entries, func(e trace.Entry) bool {
		d, ok := e.Event.(*trace.Derived)
		return ok && len(d.Output) == 0
	})
}
