package explain_test

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

func TestUnknownNamesHaveNoCommand(t *testing.T) {
	for _, e := range []trace.Event{
		&trace.Derived{Name: "master_secret", Function: "$(evil)", Hash: "SHA-256",
			Label: "master secret", Secret: trace.Secret{1}, Output: trace.Secret{1}},
		&trace.Derived{Name: "master_secret", Function: "PRF", Hash: "$(evil)",
			Label: "master secret", Secret: trace.Secret{1}, Output: trace.Secret{1}},
		&trace.Ephemeral{Group: "$(evil)", Private: trace.Secret{1}, Public: trace.Hex{1},
			Peer: trace.Hex{1}},
		&trace.SharedSecret{Name: "$(evil)", Output: trace.Secret{1}},
		&trace.KeysInstalled{Key: trace.Secret{1}},
		&trace.Record{Protection: "AES_128_GCM", Anatomy: trace.Anatomy{Tag: make(trace.Hex, 16)}},
		&trace.Signed{Scheme: 0xFFFF},
		&trace.Verified{What: "signature", Scheme: 0xFFFF},
	} {
		if c := explain.Commands([]trace.Entry{{Event: e}}); len(c) != 0 {
			t.Errorf("%T: %v", e, c)
		}
	}
}

// Redacted values are not used by commands, not even as empty strings.
func TestRedactedStreamHasOnlyPublicCommands(t *testing.T) {
	var runs [][]trace.Entry
	for _, o := range commandCases() {
		runs = append(runs, eventsOf(t, o))
	}
	for _, c := range cases13 {
		runs = append(runs, c.events(t))
	}
	for i, events := range runs {
		var lines bytes.Buffer
		w := trace.NewWriter(&lines)
		for _, e := range events {
			w.Put(e)
		}
		entries, err := trace.Read(&lines)
		if err != nil {
			t.Fatal(err)
		}
		var notebook explain.Notebook
		for _, e := range entries {
			for _, c := range notebook.Commands(e) {
				if c.Verdict == "" && c.Name != "Transcript-Hash" {
					t.Errorf("run %d: %s of %s: %.100s…", i, c.Name, e.Name(), c.Text)
				}
			}
		}
	}
}
