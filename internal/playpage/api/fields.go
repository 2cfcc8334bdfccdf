package api

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Field is a run of bytes of a record that mean one thing.
type Field struct {
	Offset int    `json:"o"` // from the start of the record
	Len    int    `json:"n"`
	Name   string `json:"name"` // "ClientHello › random"
	Value  string `json:"value,omitempty"`
}

// place is a record of a side, by its number.
type place struct {
	side   iana.Side
	record int
}

// fieldsOf returns the fields of each record of a run, as they were sent.
func fieldsOf(r *playground.Result) [][]Field {
	sealed := map[place]*trace.Record{}
	for _, e := range r.Entries {
		x, ok := e.Event.(*trace.Record)
		if ok && x.Direction == trace.Sealed && e.Role == trace.Role(x.From.String()) {
			sealed[place{x.From, int(x.Number)}] = x
		}
	}
	messages := map[place][]*trace.Message{}
	for _, g := range explain.Rungs(r.Entries) {
		if at := (place{g.From, g.Place.Record + 1}); g.Message != nil {
			messages[at] = append(messages[at], g.Message)
		}
	}
	dialects := dialectsOf(r.Entries)
	all := make([][]Field, len(r.Records))
	for i := range r.Records {
		x := &r.Records[i]
		b := []byte(x.Sent)
		if b == nil {
			b = x.Got
		}
		if len(b) < record.HeaderLen {
			continue
		}
		a := anatomy{all: header(b), end: len(b)}
		at := place{x.Side, x.Number}
		if s := sealed[at]; s != nil && s.Protection != "" {
			a.protected(s, names(x.Carries))
		} else {
			for _, m := range messages[at] {
				a.message(m, dialects[x.Side])
			}
			a.add(names(x.Carries), "", a.end)
		}
		all[i] = a.all
	}
	return all
}

// names lists what a record carries.
func names(list []playground.Carried) string {
	var all []string
	for _, c := range list {
		all = append(all, c.Name)
	}
	if len(all) == 0 {
		return "fragment"
	}
	return strings.Join(all, ", ")
}

// dialectsOf returns how the messages of each side are encoded.
func dialectsOf(entries []trace.Entry) [2]message.Dialect {
	d := [2]message.Dialect{{Version: iana.TLS12}, {Version: iana.TLS12}}
	for _, e := range entries {
		if a, ok := e.Event.(*trace.Agreed); ok {
			for side := range d {
				d[side] = explain.DialectOf(*a, iana.Side(side))
			}
		}
	}
	return d
}

// header returns the fields of a record's header. See RFC 8446 §5.1.
func header(b []byte) []Field {
	t := iana.ContentType(b[0])
	return []Field{
		{0, 1, "record › type", t.String()},
		{1, 2, "record › version", iana.Version(uint16(b[1])<<8 | uint16(b[2])).String()},
		{3, 2, "record › length", fmt.Sprintf("%d bytes", int(b[3])<<8|int(b[4]))},
	}
}

// anatomy collects the fields of one record.
type anatomy struct {
	all []Field
	end int
}

// add appends a field of n bytes, or of those that are left.
func (a *anatomy) add(name, value string, n int) {
	last := a.all[len(a.all)-1]
	at := last.Offset + last.Len
	if n = min(n, a.end-at); n > 0 {
		a.all = append(a.all, Field{at, n, name, value})
	}
}

// message appends the fields of a message in the clear.
func (a *anatomy) message(m *trace.Message, d message.Dialect) {
	last := a.all[len(a.all)-1]
	start := last.Offset + last.Len
	for _, f := range d.Annotate(m.Raw) {
		if f.Leaf && f.Len > 0 && start+f.Offset+f.Len <= a.end {
			a.all = append(a.all, Field{start + f.Offset, f.Len,
				m.Type.String() + " › " + f.Name, f.Value})
		}
	}
}

// protected appends the parts of a protected record. See RFC 5246 §6.2.3, RFC 8446 §5.2.
func (a *anatomy) protected(r *trace.Record, what string) {
	a.add("IV", "in the clear", len(r.IV))
	a.add("explicit nonce", "in the clear", len(r.Explicit))
	if len(r.Ciphertext) > 0 {
		a.add("ciphertext", "of "+what, len(r.Ciphertext))
	} else {
		a.add("content", "not encrypted: "+what, len(r.Fragment)-len(r.MAC))
	}
	a.add("tag", "authenticates the record", len(r.Tag))
	a.add("MAC", "authenticates the record", a.end)
}
