package explain

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

// Saved returns what saved events say about their run.
func Saved(entries []trace.Entry) Run {
	run := Run{Command: explainCommand}
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

const fingerprintNote = "Secrets are shown as fingerprints: their length, and the beginning of " +
	"their SHA-256."

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

// Reveals reports whether events contain keys or other secrets of key exchange and derivation, and
// whether they contain data that was not sent in the clear.
func Reveals(entries []trace.Entry) (keys, data bool) {
	for _, e := range entries {
		n := 0
		switch e := e.Event.(type) {
		case *trace.Derived:
			n = len(e.Secret) + len(e.Output)
		case *trace.Given:
			n = len(e.Output)
		case *trace.SharedSecret:
			n = len(e.Output)
		case *trace.Ephemeral:
			n = len(e.Private)
		case *trace.KeysInstalled:
			n = len(e.MACKey) + len(e.Key) + len(e.IV)
		case *trace.ThrowawayKey:
			n = len(e.Private)
		case *trace.Record:
			data = data || len(e.Plaintext) > 0 && !bytes.HasPrefix(e.Fragment, e.Plaintext)
		}
		keys = keys || n > 0
	}
	return keys, data
}
