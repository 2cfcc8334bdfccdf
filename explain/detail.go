package explain

import (
	"crypto"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Level is how deep a story goes. Levels are added up: the steps are always told.
type Level uint8

// The levels.
const (
	Steps Level = 0
	Bytes Level = 1 << (iota - 1) // every byte of every line, named
	Inner                         // how each value is computed, inside the PRF, and by other tools
)

// Detail is what lies below a story.
type Detail struct {
	Level Level
	rungs []Rung
	kex   message.Dialect
	steps map[string]*Working
}

// Working is how the values of a step come about.
type Working struct {
	Chains   []Chain
	Commands []Command
}

// Chain is a call of the PRF taken apart.
type Chain struct {
	trace.Derived
	Expansions []keys.Expansion
}

// Dump is a run of bytes with their names: the leaves of Fields tile it.
type Dump struct {
	Title  string
	Bytes  []byte
	Fields []wire.Field
}

// Dig finds what lies below the story of the same entries.
func Dig(entries []trace.Entry, level Level) *Detail {
	d := &Detail{Level: level, rungs: Rungs(entries), steps: map[string]*Working{},
		kex: message.Dialect{Version: iana.TLS12}}
	var notebook Notebook
	for _, e := range entries {
		if a, ok := e.Event.(*trace.Agreed); ok {
			d.kex = message.Dialect{Version: a.Version, Kex: a.KeyExchange}
		}
		commands := notebook.Commands(e)
		place := d.place(e.Event)
		if place == "" {
			continue
		}
		if x, ok := e.Event.(*trace.Derived); ok {
			d.at(place).chain(x)
		}
		d.at(place).add(commands)
	}
	return d
}

func (d *Detail) at(place string) *Working {
	if d.steps[place] == nil {
		d.steps[place] = &Working{}
	}
	return d.steps[place]
}

// Of is how the values of a step come about, or nil.
func (d *Detail) Of(s Step) *Working {
	if s.Line != nil {
		return d.steps[numbered(s.Line.Number)]
	}
	base, _, _ := strings.Cut(s.Key, "/")
	return d.steps[base]
}

func numbered(line int) string { return fmt.Sprint("line ", line) }

// place is the step that shows the value of an event: its key, or its line; empty if none does.
func (d *Detail) place(e trace.Event) string {
	switch e := e.(type) {
	case *trace.Ephemeral:
		return d.exchange(e.From)
	case *trace.SharedSecret:
		return d.exchange(iana.Client)
	case *trace.Derived:
		switch e.Name {
		case "client_verify_data":
			return d.says(iana.Client, iana.Finished)
		case "server_verify_data":
			return d.says(iana.Server, iana.Finished)
		}
		return e.Name
	case *trace.KeysInstalled:
		return "key_block"
	case *trace.Signed:
		return d.signs(e.From)
	case *trace.Verified:
		if e.What == "signature" {
			return d.signs(e.From)
		}
	case *trace.Record:
		for _, r := range d.rungs {
			if r.Record == e && r.Message == nil {
				return numbered(r.Number)
			}
		}
	}
	return ""
}

func (d *Detail) exchange(from iana.Side) string {
	if from == iana.Client {
		return d.says(from, iana.ClientKeyExchange)
	}
	return d.says(from, iana.ServerKeyExchange)
}

func (d *Detail) signs(from iana.Side) string {
	if from == iana.Client {
		return d.says(from, iana.CertificateVerify)
	}
	return d.says(from, iana.ServerKeyExchange)
}

func (d *Detail) says(from iana.Side, t iana.HandshakeType) string {
	for _, r := range d.rungs {
		if r.From == from && r.Message != nil && r.Message.Type == t {
			return numbered(r.Number)
		}
	}
	return ""
}

// add adds the commands that are not there yet: both sides compute the same.
func (w *Working) add(list []Command) {
next:
	for _, c := range list {
		for _, old := range w.Commands {
			if old.Text == c.Text {
				continue next
			}
		}
		w.Commands = append(w.Commands, c)
	}
}

// prfHashes are the hashes of PRFs by the names that events have for them.
var prfHashes = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384,
	"MD5+SHA-1": crypto.MD5SHA1}

func (w *Working) chain(x *trace.Derived) {
	hash, known := prfHashes[x.Hash]
	if len(w.Chains) > 0 || !known || len(x.Output) == 0 || len(x.Output) > 1<<10 {
		return
	}
	prf := keys.PRF{Hash: hash}
	w.Chains = append(w.Chains, Chain{*x, prf.Chain(x.Secret, x.Label, x.Seed, len(x.Output))})
}

// Dumps are the bytes of a line: of a message, and of its record if that is more than a header
// around it.
func (d *Detail) Dumps(line int) (dumps []Dump) {
	if line < 1 || line > len(d.rungs) {
		return nil
	}
	r := d.rungs[line-1]
	if r.Message != nil {
		dumps = append(dumps,
			Dump{"handshake message", r.Message.Raw, d.kex.Annotate(r.Message.Raw)})
	}
	if r.Record != nil && (r.Protected || r.Message == nil) {
		dumps = append(dumps, recordDump(r.Record))
	}
	return dumps
}

// recordDump names the bytes of a record as they are on the wire.
func recordDump(r *trace.Record) Dump {
	all := append(append([]byte(nil), r.Header...), r.Fragment...)
	t := tiling{end: len(all), fields: []wire.Field{{Name: "record", Len: len(all)}}}
	if len(r.Header) == record.HeaderLen {
		t.add("type", fmt.Sprintf("%v (%d)", r.ContentType, uint8(r.ContentType)), 1)
		t.add("version", iana.Version(uint16(r.Header[1])<<8|uint16(r.Header[2])).String(), 2)
		t.add("length", fmt.Sprint(len(r.Fragment)), 2)
	} else {
		t.add("header", "", len(r.Header))
	}
	protected := len(r.Ciphertext)+len(r.MAC)+len(r.Tag) > 0
	if !protected {
		t.add("fragment", "", len(r.Fragment))
		return Dump{"record", all, t.fields}
	}
	t.add("IV", "in the clear", len(r.IV))
	t.add("explicit_nonce", "in the clear", len(r.Explicit))
	if len(r.Ciphertext) > 0 {
		t.add("ciphertext", "", len(r.Ciphertext))
	} else {
		t.add("content", "not encrypted", len(r.Fragment)-len(r.MAC))
	}
	t.add("tag", "", len(r.Tag))
	t.add("MAC", "", len(all)-t.at) // where it is not part of the ciphertext
	return Dump{"record " + fmt.Sprint(r.SeqNum) + " under these keys", all, t.fields}
}

// tiling lays fields side by side, up to the end.
type tiling struct {
	at, end int
	fields  []wire.Field
}

// add adds a field of n bytes, or of what is left: the parts of a record that comes from a file may
// not fit.
func (t *tiling) add(name, value string, n int) {
	if n = min(n, t.end-t.at); n > 0 {
		t.fields = append(t.fields,
			wire.Field{Name: name, Value: value, Offset: t.at, Len: n, Depth: 1, Leaf: true})
		t.at += n
	}
}
