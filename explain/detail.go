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

// Level is a set of details to show besides the steps.
type Level uint8

// The levels.
const (
	Steps Level = 0
	Bytes Level = 1 << (iota - 1) // every byte of every line, named
	Inner                         // how each value is computed, inside the PRF, and by other tools
)

// Detail holds the details of a story's steps.
type Detail struct {
	Level Level
	rungs []Rung
	sides [2]message.Dialect // by sender
	steps map[string]*Working
}

// Working says how the values of a step are computed.
type Working struct {
	Chains   []Chain
	Commands []Command
}

// Chain is a call of the PRF with its intermediate values.
type Chain struct {
	trace.Derived
	Expansions []keys.Expansion
}

// Dump is a run of bytes and the fields that they consist of.
type Dump struct {
	Title  string
	Bytes  []byte
	Fields []wire.Field
	Notes  []string // a sentence for each field, or empty: see FieldNotes
}

// Dig returns the details of the story of the same entries.
func Dig(entries []trace.Entry, level Level) *Detail {
	d := &Detail{Level: level, rungs: Rungs(entries), steps: map[string]*Working{},
		sides: [2]message.Dialect{{Version: iana.TLS12}, {Version: iana.TLS12}}}
	var notebook Notebook
	for _, e := range entries {
		if a, ok := e.Event.(*trace.Agreed); ok {
			for side := range d.sides {
				d.sides[side] = DialectOf(*a, iana.Side(side))
			}
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

// Of returns how the values of a step are computed, or nil.
func (d *Detail) Of(s Step) *Working {
	if s.Line != nil {
		return d.steps[numbered(s.Line.Number)]
	}
	base, _, _ := strings.Cut(s.Key, "/")
	return d.steps[base]
}

func numbered(line int) string { return fmt.Sprint("line ", line) }

// place returns the key or the line of the step that shows the value of an event, or "" if none
// does.
func (d *Detail) place(e trace.Event) string {
	switch e := e.(type) {
	case *trace.Ephemeral:
		return d.exchange(e.From)
	case *trace.SharedSecret:
		return d.exchange(iana.Client)
	case *trace.Derived:
		switch e.Name {
		case "client_verify_data":
			return d.line(iana.Client, iana.Finished)
		case "server_verify_data":
			return d.line(iana.Server, iana.Finished)
		}
		return e.Name
	case *trace.KeysInstalled:
		return "key_block"
	case *trace.Signed:
		return d.signature(e.From)
	case *trace.Verified:
		if e.What == "signature" {
			return d.signature(e.From)
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
		return d.line(from, iana.ClientKeyExchange)
	}
	return d.line(from, iana.ServerKeyExchange)
}

func (d *Detail) signature(from iana.Side) string {
	if from == iana.Client {
		return d.line(from, iana.CertificateVerify)
	}
	return d.line(from, iana.ServerKeyExchange)
}

func (d *Detail) line(from iana.Side, t iana.HandshakeType) string {
	for _, r := range d.rungs {
		if r.From == from && r.Message != nil && r.Message.Type == t {
			return numbered(r.Number)
		}
	}
	return ""
}

// add appends commands, except those that are there already: both sides compute the same values.
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

// prfHashes are the hashes of the PRF by their names in the events.
var prfHashes = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384,
	"MD5+SHA-1": crypto.MD5SHA1}

func (w *Working) chain(x *trace.Derived) {
	hash, known := prfHashes[x.Hash]
	if x.Function != "PRF" { // TLS 1.3 has HMAC and HKDF
		return
	}
	if len(w.Chains) > 0 || !known || len(x.Output) == 0 || len(x.Output) > 1<<10 {
		return
	}
	prf := keys.PRF{Hash: hash}
	w.Chains = append(w.Chains, Chain{*x, prf.Chain(x.Secret, x.Label, x.Seed, len(x.Output))})
}

// Dumps returns the bytes of a line: the message, and its record if that is protected or holds no
// message. Of several messages in one record the first has the record.
func (d *Detail) Dumps(line int) (dumps []Dump) {
	if line < 1 || line > len(d.rungs) {
		return nil
	}
	r := d.rungs[line-1]
	if r.Message != nil {
		raw, dialect := r.Message.Raw, d.sides[r.Message.From]
		fields := dialect.Annotate(raw)
		dumps = append(dumps, Dump{"handshake message", raw, fields,
			FieldNotes(dialect.Version, raw, fields)})
	}
	if r.Record != nil && (r.Protected && r.Place.Message == 0 || r.Message == nil) {
		dump := recordDump(r.Record)
		for _, f := range dump.Fields {
			note := recordNotes[f.Name]
			switch {
			case f.Name == "version":
				note = recordVersionNote(d.sides[r.Record.From].Version, r.Record)
			case f.Name == "ciphertext" && len(r.Record.Tag) > 0:
				note = "The content under the sender's write key: as long as the content itself."
			}
			dump.Notes = append(dump.Notes, note)
		}
		dumps = append(dumps, dump)
	}
	return dumps
}

// recordNotes are the sentences about the fields of a record.
var recordNotes = map[string]string{
	"type": "What is inside: it is read before anything is decrypted. In TLS 1.3 it is always " +
		"application_data, and the real type is under encryption.",
	"length": "How many bytes follow. It is in the clear, so that the receiver knows where the " +
		"next record begins; and so whoever listens sees the lengths.",
	"header":   "What comes before the fragment, in a form of before TLS 1.0.",
	"fragment": "The content itself: nothing protects it yet.",
	"IV": "Random, new for each record: the same text never gives the same ciphertext. It need " +
		"not be secret, only not to be guessed beforehand.",
	"explicit_nonce": "The sender's part of the nonce: it must never come twice under a key, and " +
		"need not be secret.",
	"ciphertext": "The content under the sender's write key, in CBC with its MAC and padding.",
	"content":    "The content as it is: this suite encrypts nothing.",
	"tag": "Proves that header, number and content are the sender's: without the key nobody can " +
		"make it, and one changed bit makes it wrong.",
	"MAC": "Proves that number, header and content are the sender's. The number is not sent: " +
		"both sides count, so a record that is repeated, dropped or moved has a wrong MAC.",
}

// recordVersionNote says why a record names the version that it does.
func recordVersionNote(v iana.Version, r *trace.Record) string {
	if len(r.Header) < 3 {
		return ""
	}
	said := iana.Version(uint16(r.Header[1])<<8 | uint16(r.Header[2]))
	p := protocolOf(v)
	if said != v && p.oldRecord != "" {
		return p.oldRecord
	}
	says := strings.TrimPrefix(p.recordVersion(said), said.String()+": ")
	return strings.ToUpper(says[:1]) + says[1:] + "."
}

// recordDump returns the bytes of a record as they were sent.
func recordDump(r *trace.Record) Dump {
	all := append(append([]byte(nil), r.Header...), r.Fragment...)
	t := tiling{end: len(all), fields: []wire.Field{{Name: "record", Len: len(all)}}}
	if len(r.Header) == record.HeaderLen {
		t.add("type", fmt.Sprintf("%v (%d)", outerType(r), uint8(outerType(r))), 1)
		t.add("version", iana.Version(uint16(r.Header[1])<<8|uint16(r.Header[2])).String(), 2)
		t.add("length", fmt.Sprint(len(r.Fragment)), 2)
	} else {
		t.add("header", "", len(r.Header))
	}
	protected := len(r.Ciphertext)+len(r.MAC)+len(r.Tag) > 0
	if !protected {
		t.add("fragment", "", len(r.Fragment))
		return Dump{Title: "record", Bytes: all, Fields: t.fields}
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
	return Dump{Title: "record " + fmt.Sprint(r.SeqNum) + " under these keys", Bytes: all,
		Fields: t.fields}
}

// tiling makes fields that cover a run of bytes without gaps, up to end.
type tiling struct {
	at, end int
	fields  []wire.Field
}

// add appends a field of n bytes, or of the bytes that are left: the parts of a record from a file
// may not fit.
func (t *tiling) add(name, value string, n int) {
	if n = min(n, t.end-t.at); n > 0 {
		t.fields = append(t.fields,
			wire.Field{Name: name, Value: value, Offset: t.at, Len: n, Depth: 1, Leaf: true})
		t.at += n
	}
}
