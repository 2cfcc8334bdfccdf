package html

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// construction is the way in which a record was protected. It is inferred from the parts that the
// event has.
type construction uint8

const (
	clear construction = iota
	authenticated
	macThenEncrypt
	encryptThenMAC
	explicitNonce
	implicitNonce
	innerType // TLS 1.3
)

func constructionOf(r *trace.Record) construction {
	switch {
	// the nonce is a secret; before TLS 1.3 the AAD has a sequence number
	case len(r.Nonce)+len(r.Tag) > 0 && len(r.AAD) == record.HeaderLen:
		return innerType
	case len(r.Explicit) > 0:
		return explicitNonce
	case len(r.Nonce) > 0, len(r.Tag) > 0:
		return implicitNonce
	case len(r.IV) > 0 && len(r.IV)+len(r.Ciphertext)+len(r.MAC) == len(r.Fragment):
		return encryptThenMAC
	case len(r.IV) > 0:
		return macThenEncrypt
	case len(r.MAC) > 0:
		return authenticated
	}
	return clear
}

// takeApart returns the record of a line, or both records if the line stands for two.
func (r *run) takeApart(p *step) []*taken {
	if p.rung.Record == nil {
		return nil
	}
	list := []*taken{r.take(p.rung, p.rung.Record, p.rung.Opened)}
	if p.rung.BothWays {
		for _, e := range r.entries {
			rec, ok := e.Event.(*trace.Record)
			if ok && rec.From == p.rung.From.Peer() && rec.ContentType == iana.RecordAlert &&
				rec.Direction == trace.Sealed {
				list = append(list, r.take(p.rung, rec, nil))
			}
		}
	}
	return list
}

// take returns a record of a line, taken apart.
func (r *run) take(line *explain.Rung, sent, received *trace.Record) *taken {
	c := constructionOf(sent)
	d := dissection{sent: sent, received: received, construction: c, side: sent.From.String(),
		key: line.Keys[sent.From]}
	if d.key == "" {
		d.key = "a key of the " + d.side
	}
	d.header(r.Version)
	switch {
	// a handshake's content is the message above
	case c == clear && sent.ContentType != iana.RecordHandshake:
		d.add("content", "plain", "as it is: nothing protects it", true,
			func(x *trace.Record) []byte { return x.Fragment })
	case c == authenticated:
		d.add("content", "plain", "not encrypted", true,
			func(x *trace.Record) []byte { return x.Ciphertext })
		d.proof()
	case c != clear:
		d.cipher()
		d.proof()
	}
	t := &taken{Protected: c != clear, Readable: c == authenticated, SeqNum: sent.SeqNum,
		Bytes: len(sent.Header) + len(sent.Fragment), Parts: d.parts}
	t.Mark = r.marks[sent]
	if t.Mark == "" && received != nil {
		t.Mark = r.marks[received]
	}
	t.Shared = r.shared(line, sent)
	t.Title = fmt.Sprintf("The record: %s, from the %v", sent.ContentType, sent.From)
	if c != clear {
		t.How, t.Order, t.Layers = how[c].name, how[c].order, layers(c, sent)
	}
	if c != clear && sent.ContentType == iana.RecordApplicationData {
		t.Text = explain.Escape(string(sent.Plaintext))
	}
	return t
}

// shared says which messages begin in a record, if they are several.
func (r *run) shared(line *explain.Rung, sent *trace.Record) string {
	if line.Message == nil || line.Record != sent {
		return ""
	}
	var of []string
	for _, s := range r.Steps {
		if s.rung != nil && s.rung.Message != nil && s.rung.Record == sent {
			of = append(of, fmt.Sprintf("%d %s", s.Line.Number, s.Line.Name))
		}
	}
	if len(of) < 2 {
		return ""
	}
	return fmt.Sprintf("%d messages begin in this one record: %s.", len(of), strings.Join(of, ", "))
}

// dissection collects the parts of one record.
type dissection struct {
	construction
	sent, received *trace.Record
	side           string
	key            string // which one encrypts it
	parts          []part
}

// add appends a part, if the record has it.
func (d *dissection) add(name, kind, note string, wire bool, get func(*trace.Record) []byte) {
	p := explain.Pair{Client: get(d.sent)}
	if d.received != nil {
		p.Server = get(d.received)
	}
	if d.sent.From == iana.Server {
		p.Client, p.Server = p.Server, p.Client
	}
	if v := newValue("", p, wire); v.Bytes > 0 {
		d.parts = append(d.parts, part{name, note, kind, v, wire})
	}
}

// header appends the three fields of the header.
func (d *dissection) header(v iana.Version) {
	kind, version, length := explain.HeaderNotes(v, d.sent)
	for _, f := range []struct {
		name, note string
		from, to   int
	}{{"type", kind, 0, 1}, {"version", version, 1, 3}, {"length", length, 3, 5}} {
		d.add("header: "+f.name, "len", f.note, true, func(x *trace.Record) []byte {
			if len(x.Header) != record.HeaderLen {
				return nil
			}
			return x.Header[f.from:f.to]
		})
	}
}

// guards appends what is authenticated: the bytes before the content, their parts and what each
// stops, and the content.
func (d *dissection) guards(what string) {
	d.add(what, "len", explain.GuardNote(d.sent), true,
		func(x *trace.Record) []byte { return x.AAD })
	for _, g := range explain.Guards(d.sent) {
		d.parts = append(d.parts, part{what + ": " + g.Name, g.Stops, "len",
			newValue("", explain.Pair{Client: g.Bytes}, true), true})
	}
	rest := what + ": content"
	if what == "AAD" {
		rest = "covered besides the AAD"
	}
	d.parts = append(d.parts, part{rest, macInput(d.construction), "plain", value{}, true})
}

// cipher appends the parts that belong to encryption.
func (d *dissection) cipher() {
	d.add("IV", "nonce", "random, and another for each record", true,
		func(x *trace.Record) []byte { return x.IV })
	implicit := "nonce"
	if d.construction == explicitNonce { // of which the rest is on the wire
		implicit = "implicit nonce"
	}
	d.add(implicit, d.side+"_write_IV", nonceNote(d.construction, d.side), false,
		func(x *trace.Record) []byte {
			return x.Nonce[:max(0, len(x.Nonce)-len(x.Explicit))]
		})
	d.add("explicit nonce", "nonce", explicitNote(d.sent), true,
		func(x *trace.Record) []byte { return x.Explicit })
	if d.construction >= explicitNonce {
		d.guards("AAD")
	}
	d.add("ciphertext", d.side+"_write_key", "under "+d.key, true,
		func(x *trace.Record) []byte { return x.Ciphertext })
	d.add("plaintext", "plain", saysInside(d.sent), false,
		func(x *trace.Record) []byte { return x.Plaintext })
	if d.construction == innerType {
		d.add("type", "code", fmt.Sprintf("%v: what it really is", d.sent.ContentType), false,
			func(x *trace.Record) []byte { return []byte{byte(x.ContentType)} })
		d.add("padding", "len", "zeros, which hide how long the content is", false, innerPadding)
	}
}

// innerPadding returns the zeros behind the type of a record of TLS 1.3, if its content is known.
// See RFC 8446 §5.4.
func innerPadding(r *trace.Record) []byte {
	if len(r.Plaintext) == 0 {
		return nil
	}
	return make([]byte, max(0, len(r.Ciphertext)-len(r.Plaintext)-1))
}

// proof appends the parts that belong to authentication.
func (d *dissection) proof() {
	if d.construction < explicitNonce {
		d.guards("MAC input")
	}
	d.add("MAC", d.side+"_write_MAC_key", "under "+d.side+"_write_MAC_key",
		d.construction != macThenEncrypt, func(x *trace.Record) []byte { return x.MAC })
	d.add("padding", "len", paddingNote(d.sent.Padding), false,
		func(x *trace.Record) []byte { return x.Padding })
	d.add("tag", d.side+"_write_key", "covers AAD and ciphertext, under the same key", true,
		func(x *trace.Record) []byte { return x.Tag })
}

// how describes the order of operations of each construction.
var how = map[construction]struct {
	name  string
	order []string
}{
	authenticated: {"authenticated only",
		[]string{"MAC: HMAC over sequence number, header and content",
			"send content and MAC, readable by everybody"}},
	macThenEncrypt: {"MAC-then-encrypt",
		[]string{"MAC: HMAC over sequence number, header and content",
			"pad content and MAC to whole blocks", "encrypt content, MAC and padding"}},
	encryptThenMAC: {"encrypt-then-MAC",
		[]string{"pad the content to whole blocks", "encrypt content and padding",
			"MAC: HMAC over sequence number, header, IV and ciphertext"}},
	explicitNonce: {"AEAD, explicit nonce",
		[]string{"nonce: 4 bytes from the key_block, 8 that the record shows",
			"encrypt and authenticate in one step, AAD included"}},
	implicitNonce: {"AEAD, implicit nonce",
		[]string{"nonce: 12 bytes from the key_block XOR the sequence number",
			"encrypt and authenticate in one step, AAD included"}},
	innerType: {"AEAD, as in TLS 1.3",
		[]string{"content, then its true type, then zeros if its length is to be hidden",
			"nonce: the 12 bytes of the iv XOR the sequence number",
			"encrypt and authenticate in one step, the header included"}},
}

func nonceNote(c construction, side string) string {
	switch c {
	case explicitNonce:
		return side + "_write_IV: the nonce is these bytes, and then the explicit nonce"
	case innerType:
		return "the " + side +
			"'s iv XOR the sequence number, which is never sent: a record that is repeated, left " +
			"out or in another place does not open"
	}
	return side + "_write_IV XOR the sequence number"
}

// explicitNote says what a sender chose for the part of the nonce that is sent. See RFC 5288 §3.
func explicitNote(r *trace.Record) string {
	if len(r.Explicit) == 8 && binary.BigEndian.Uint64(r.Explicit) == r.SeqNum {
		return "the sequence number, so that it never repeats"
	}
	return "chosen by the sender, who must never repeat it under one key"
}

// saysInside says what a plaintext means: of an alert, its two bytes.
func saysInside(r *trace.Record) string {
	if p := r.Plaintext; r.ContentType == iana.RecordAlert && len(p) == 2 {
		return fmt.Sprintf("%02x %v, %02x %v", p[0], alert.Level(p[0]), p[1],
			alert.Description(p[1]))
	}
	return "what was to be said"
}

func macInput(c construction) string {
	const stops = ": stops anybody without the key from changing a bit of it unnoticed"
	switch {
	case c == encryptThenMAC:
		return "then IV and ciphertext" + stops + ", before anything is decrypted"
	case c >= explicitNonce:
		return "the ciphertext" + stops
	}
	return "then the content" + stops
}

func paddingNote(p trace.Hex) string {
	if len(p) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, each of which says %d: the last is padding_length, which counts "+
		"those before it, and not itself", explain.Count(len(p), "byte"), p[0])
}

// least is the smallest width of a box in the last layer.
const least = 74

// layers returns the layers of a record, from the content to what is sent.
func layers(c construction, r *trace.Record) []layer {
	n := func(b []byte) int { return len(b) }
	side := r.From.String()
	content := box{Name: "content", Kind: "plain", Len: n(r.Plaintext)}
	header := box{Name: "header", Kind: "len", Len: n(r.Header)}
	iv := box{Name: "IV", Kind: "nonce", Len: n(r.IV)}
	mac := box{Name: "MAC", Kind: side + "_write_MAC_key", Len: n(r.MAC)}
	padding := box{Name: "padding", Kind: "len", Len: n(r.Padding)}
	cipher := box{Name: "ciphertext", Kind: side + "_write_key", Len: n(r.Ciphertext)}
	explicit := box{Name: "nonce", Kind: "nonce", Len: n(r.Explicit)}
	tag := box{Name: "tag", Kind: side + "_write_key", Len: n(r.Tag)}
	var rows []layer
	switch c {
	case authenticated:
		rows = []layer{{Name: "on the wire", Sent: true, Boxes: []box{header, content, mac}}}
	case macThenEncrypt:
		rows = []layer{{Name: "1 authenticate", Boxes: []box{content, mac}},
			{Name: "2 pad", Boxes: []box{content, mac, padding}},
			{Name: "3 encrypt: on the wire", Sent: true, Boxes: []box{header, iv, cipher}}}
	case encryptThenMAC:
		rows = []layer{{Name: "1 pad", Boxes: []box{content, padding}},
			{Name: "2 encrypt", Sent: true, Boxes: []box{iv, cipher}},
			{Name: "3 authenticate: on the wire", Sent: true,
				Boxes: []box{header, iv, cipher, mac}}}
	case explicitNonce:
		rows = []layer{{Name: "before", Boxes: []box{content}},
			{Name: "on the wire", Sent: true, Boxes: []box{header, explicit, cipher, tag}}}
	case innerType:
		if content.Len == 0 {
			content = box{Name: "content and padding", Kind: "plain",
				Len: max(0, n(r.Ciphertext)-1)}
		}
		rows = []layer{{Name: "before", Boxes: []box{content,
			{Name: "type", Kind: "code", Len: 1},
			{Name: "padding", Kind: "len", Len: n(innerPadding(r))}}},
			{Name: "on the wire", Sent: true, Boxes: []box{header, cipher, tag}}}
	default:
		rows = []layer{{Name: "before", Boxes: []box{content}},
			{Name: "on the wire", Sent: true, Boxes: []box{header, cipher, tag}}}
	}
	place(rows)
	return rows
}

// place sets the widths of the boxes. A name has the same width and place in each row, so that what
// a part becomes is below it.
func place(rows []layer) {
	last := rows[len(rows)-1].Boxes
	total := 0
	for _, b := range last {
		total += b.Len
	}
	if total == 0 {
		return
	}
	width := func(n int) int { return least + n*(1000-least*len(last))/total }
	inside, start := 0, 0 // of the ciphertext
	x := 0
	for i := range last {
		last[i].X, last[i].Width = x, width(last[i].Len)
		if last[i].Name == "ciphertext" || last[i].Name == "content" {
			start, inside = x, last[i].Width
		}
		x += last[i].Width
	}
	for _, r := range rows[:len(rows)-1] {
		spread(r.Boxes, rows, start, inside)
	}
	for _, r := range rows {
		for i := range r.Boxes {
			b := &r.Boxes[i]
			b.Middle, b.Small = b.X+b.Width/2, b.Width < 60
		}
	}
}

// spread places the boxes of an inner row above the ciphertext that they become.
func spread(boxes []box, rows []layer, start, inside int) {
	whole := 0 // what is encrypted, of the row where it is complete
	for _, r := range rows[:len(rows)-1] {
		n := 0
		for _, b := range r.Boxes {
			if b.Name != "IV" {
				n += b.Len
			}
		}
		whole = max(whole, n)
	}
	x := start
	for i := range boxes {
		b := &boxes[i]
		if b.Name == "IV" {
			for _, out := range rows[len(rows)-1].Boxes {
				if out.Name == "IV" {
					b.X, b.Width = out.X, out.Width
				}
			}
			continue
		}
		b.X, b.Width = x, b.Len*inside/max(whole, 1)
		x += b.Width
	}
}
