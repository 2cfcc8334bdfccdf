package explain_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/trace"
)

// Every byte of every line belongs to one field, in handshake messages and in records, and every
// derived value has its chain and a command.
func TestDetailCoversEveryByte(t *testing.T) {
	lines, leaves, chains, commands := 0, 0, 0, 0
	for _, o := range commandCases() {
		entries := eventsOf(t, o)
		d := explain.Dig(entries, explain.Bytes|explain.Inner)
		for _, l := range explain.Ladder(entries) {
			dumps := d.Dumps(l.Number)
			if len(dumps) == 0 {
				t.Errorf("%v: line %d has no bytes", o.Suite, l.Number)
			}
			lines++
			for _, dump := range dumps {
				at := 0
				for _, f := range dump.Fields {
					if f.Leaf {
						if f.Offset != at || f.Name == "unparsed" {
							t.Errorf("%v: line %d, %s: %s begins at %d, expected %d", o.Suite,
								l.Number, dump.Title, f.Name, f.Offset, at)
						}
						at += f.Len
						leaves++
					}
				}
				if at != len(dump.Bytes) {
					t.Errorf("%v: line %d, %s: %d of %d bytes are named", o.Suite, l.Number,
						dump.Title, at, len(dump.Bytes))
				}
			}
		}
		derived := 0
		for _, c := range explain.Tell(entries, explain.Run{}).Chapters {
			for _, s := range c.Steps {
				w := d.Of(s)
				if w == nil {
					continue
				}
				for _, c := range w.Chains {
					var out []byte
					for _, b := range c.Expansions[0].Output {
						out = append(out, b...)
					}
					if len(c.Expansions) != 1 || !bytes.HasPrefix(out, c.Output) {
						t.Errorf("%v: the chain of %s gives another output", o.Suite, c.Name)
					}
					chains++
					derived++
				}
				commands += len(w.Commands)
			}
		}
		if derived != 4 {
			t.Errorf("%v: %d chains, expected 4", o.Suite, derived)
		}
	}
	if commands == 0 {
		t.Error("no step has a command")
	}
	t.Logf("%d lines, %d leaves, %d chains, %d commands", lines, leaves, chains, commands)
}

// secretsOf returns what a redacted stream must not contain: every Secret but verify_data, which
// the Finished message shows and which decrypts nothing, and the plaintext of protected records.
func secretsOf(entries []trace.Entry) [][]byte {
	var list [][]byte
	for _, e := range entries {
		if r, ok := e.Event.(*trace.Record); ok &&
			(r.Protection == "" || r.ContentType == iana.RecordHandshake ||
				bytes.Contains(r.Fragment, r.Plaintext)) {
			continue
		}
		if d, ok := e.Event.(*trace.Derived); ok && strings.HasSuffix(d.Name, "_verify_data") {
			list = append(list, d.Secret)
			continue
		}
		fields := reflect.ValueOf(e.Event).Elem()
		if r, ok := e.Event.(*trace.Record); ok {
			for _, s := range []trace.Secret{r.Plaintext, r.Nonce} {
				if len(s) >= 4 { // an alert's two bytes are found anywhere
					list = append(list, s)
				}
			}
			continue
		}
		for _, f := range fields.Fields() {
			if s, ok := f.Interface().(trace.Secret); ok && len(s) >= 4 {
				list = append(list, s)
			}
		}
	}
	return list
}

func TestRedactedStreamHasNoSecrets(t *testing.T) {
	n := 0
	for _, o := range commandCases() {
		o.Data = "attack at dawn: a plaintext"
		entries := eventsOf(t, o)
		var open, redacted bytes.Buffer
		shown, hidden := trace.NewWriter(&open, trace.Reveal()), trace.NewWriter(&redacted)
		for _, e := range entries {
			shown.Put(e)
			hidden.Put(e)
		}
		for _, s := range secretsOf(entries) {
			n++
			text := []byte(hex.EncodeToString(s))
			if !bytes.Contains(open.Bytes(), text) {
				t.Fatalf("%v: a secret is not in the events that are not redacted", o.Suite)
			}
			if bytes.Contains(redacted.Bytes(), text) {
				t.Errorf("%v: a secret of %d bytes is in the redacted stream", o.Suite, len(s))
			}
		}
		back, err := trace.Read(&redacted)
		if err != nil {
			t.Fatal(err)
		}
		if !explain.Redacted(back) || explain.Redacted(entries) || len(explain.KeyLog(back)) > 0 {
			t.Errorf("%v: Redacted is false for redacted events", o.Suite)
		}
	}
	t.Logf("%d secrets looked for", n)
}

// The key log of the events has one line for the connection, and Wire has all records once.
func TestTheKeyLogHasOneLineAndTheWireAllRecords(t *testing.T) {
	for _, o := range commandCases()[:3] {
		entries := eventsOf(t, o)
		log, err := keylog.Read(bytes.NewReader(explain.KeyLog(entries)))
		if err != nil || log.Len() != 1 {
			t.Fatalf("%v: %d lines, %v", o.Suite, log.Len(), err)
		}
		var want, got int
		for _, e := range entries {
			if r, ok := e.Event.(*trace.Record); ok && r.Direction == trace.Sealed {
				want += len(r.Header) + len(r.Fragment)
			}
		}
		sides := map[iana.Side]bool{}
		var plain, altered []byte
		for _, s := range explain.Wire(entries) {
			got += len(s.Bytes)
			sides[s.From] = true
			plain = append(plain, s.Bytes...)
		}
		if got != want || len(sides) != 2 {
			t.Errorf("%v: %d bytes of %d", o.Suite, got, want)
		}
		for _, s := range explain.Wire(flipped(entries)) {
			altered = append(altered, s.Bytes...)
		}
		differ := 0
		for i := range plain {
			if plain[i] != altered[i] {
				differ++
			}
		}
		if differ != 1 {
			t.Errorf("%v: %d bytes were altered, expected 1", o.Suite, differ)
		}
	}
}

// flipped returns the events with somebody who changed a bit of the server's first record.
func flipped(entries []trace.Entry) (list []trace.Entry) {
	for _, e := range entries {
		list = append(list, e)
		r, ok := e.Event.(*trace.Record)
		if !ok || r.From != iana.Server || r.Number != 1 || r.Direction != trace.Sealed {
			continue
		}
		b := append(bytes.Clone(r.Header), r.Fragment...)
		b[7] ^= 1
		list = append(list, trace.Entry{Role: trace.Between, Event: &trace.Delivery{
			From: iana.Server, Fate: trace.FateChanged, Number: 1, Arrival: 1, Bytes: b}})
	}
	return list
}
