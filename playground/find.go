package playground

import (
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Place is where a field lies on the wire.
type Place struct {
	Side   iana.Side
	Record int // as an Act counts
	Offset int // in the record, its header included
	Len    int
}

// Field is a part of a record that has a name.
type Field struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Offset int    `json:"offset"` // in the record, its header included
	Len    int    `json:"len"`
	Depth  int    `json:"depth"`
	Leaf   bool   `json:"leaf"`
}

// Fields returns the parts of a record as it was sent: its header and, in the clear, its messages.
func (r *Result) Fields(of *Record) []Field {
	list := []Field{{Name: "record header", Len: record.HeaderLen},
		{Name: "type", Value: of.outer(), Len: 1, Depth: 1, Leaf: true},
		{Name: "version", Offset: 1, Len: 2, Depth: 1, Leaf: true},
		{Name: "length", Offset: 3, Len: 2, Depth: 1, Leaf: true}}
	b := of.Sent
	if len(b) <= record.HeaderLen {
		return list[:min(len(list), len(b))]
	}
	rest := Field{Name: of.TypeName, Offset: record.HeaderLen, Len: len(b) - record.HeaderLen,
		Leaf: true}
	if of.Encrypted || of.Type != iana.RecordHandshake {
		if of.Encrypted {
			rest.Name = "protected " + of.TypeName
		}
		return append(list, rest)
	}
	d := r.dialect(of.Side)
	for at := record.HeaderLen; len(b)-at >= message.HeaderLen; {
		n := min(message.Length(b[at:]), len(b)-at)
		for _, f := range d.Annotate(b[at : at+n]) {
			list = append(list, Field{f.Name, f.Value, at + f.Offset, f.Len, f.Depth, f.Leaf})
		}
		at += n
	}
	return list
}

func (r *Record) outer() string {
	if len(r.Sent) == 0 {
		return ""
	}
	return iana.ContentType(r.Sent[0]).String()
}

func (r *Result) dialect(side iana.Side) message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	for _, e := range r.Entries {
		if a, ok := e.Event.(*trace.Agreed); ok {
			d = explain.DialectOf(*a, side)
		}
	}
	return d
}

// Find returns where the first field with a name lies in the first message of a kind from a side,
// if it was sent in the clear. Of the fields with that name it is the n-th, from 0.
func (r *Result) Find(side iana.Side, message, field string, n int) (p Place, ok bool) {
	for i := range r.Records {
		of := &r.Records[i]
		if of.Side != side || of.Sent == nil || of.Encrypted {
			continue
		}
		inside := false
		for _, f := range r.Fields(of) {
			if f.Depth == 0 {
				inside = f.Name == message
			}
			if inside && f.Name == field {
				if n == 0 {
					return Place{side, of.Number, f.Offset, f.Len}, true
				}
				n--
			}
		}
	}
	return p, false
}

// Carrying returns the first record of a side that carries something with a name, or nil.
func (r *Result) Carrying(side iana.Side, name string) *Record {
	for i := range r.Records {
		for _, c := range r.Records[i].Carries {
			if of := &r.Records[i]; of.Side == side && of.Sent != nil && c.Name == name {
				return of
			}
		}
	}
	return nil
}

// has reports whether something of a side had a fate on the wire.
func (r *Result) has(side iana.Side, t iana.ContentType, fates ...Fate) bool {
	for _, of := range r.Records {
		for _, f := range fates {
			if of.Side == side && of.Fate == f && of.Type == t && of.Arrival > 0 {
				return true
			}
		}
	}
	return false
}
