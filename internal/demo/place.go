package demo

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

func sealedRecord(entries []trace.Entry, from iana.Side, n int) *trace.Record {
	for _, e := range entries {
		if r, ok := e.Event.(*trace.Record); ok && r.From == from && r.Direction == trace.Sealed {
			if n == 0 {
				return r
			}
			n--
		}
	}
	return nil
}

func dialect(entries []trace.Entry) message.Dialect {
	for _, e := range entries {
		if a, ok := e.Event.(*trace.Agreed); ok {
			return message.Dialect{Version: a.Version, Kex: a.KeyExchange}
		}
	}
	return message.Dialect{Version: iana.TLS12}
}

// place is where a field lies in a record: its first byte, and the one of which a bit is flipped.
type place struct{ first, flipped int }

// finder finds the place of a field in a record.
type finder func(record []byte) (place, error)

// inProtected returns a finder for a part of a protected record. Records of runs with equal options
// have equal shapes.
func inProtected(r *trace.Record, index int, t *Tamper) (finder, error) {
	parts := protectedParts(r)
	if start, _ := nth(r.Plaintext, index); r.ContentType == iana.RecordHandshake &&
		parts["ciphertext"] > 0 && len(r.Tag) > 0 {
		for _, name := range []string{"ciphertext", "data", "verify_data"} {
			if _, has := parts[name]; has {
				parts[name] += start
			}
		}
	}
	field := t.Field
	if field == "" {
		field = "ciphertext"
		if _, encrypted := parts[field]; !encrypted {
			field = "data"
		}
	}
	offset, ok := parts[field]
	if !ok {
		var names []string
		for name := range parts {
			names = append(names, t.name(name))
		}
		slices.Sort(names)
		return nil, &UsageError{t.name(t.Field) + ": that record has no such part", names,
			names[0]}
	}
	return func([]byte) (place, error) { return place{offset, offset}, nil }, nil
}

// protectedParts returns the offset of a byte of each part of a protected record. For an encrypted
// part it is the offset in the ciphertext.
func protectedParts(r *trace.Record) map[string]int {
	// The content type is authenticated but not encrypted.
	parts := map[string]int{"header": 0}
	at := record.HeaderLen
	add := func(name string, n int) {
		if n > 0 {
			parts[name] = at
		}
		at += n
	}
	add("iv", len(r.IV))
	add("nonce", len(r.Explicit))
	if len(r.Ciphertext) > 0 {
		parts["ciphertext"] = at
	}
	add("data", len(r.Plaintext))
	inside := len(r.Ciphertext) - len(r.Plaintext) - len(r.Padding) // the MAC, if it was encrypted
	switch {
	case innerType(r):
		add("type", 1)
		add("padding", inside-1)
		inside = 0
	case inside > 0:
		add("mac", inside)
	}
	add("padding", len(r.Padding))
	add("tag", len(r.Tag))
	if inside <= 0 {
		add("mac", len(r.MAC))
	}
	if r.ContentType == iana.RecordHandshake && len(r.Plaintext) > message.HeaderLen {
		parts["verify_data"] = parts["data"] + message.HeaderLen
	}
	return parts
}

// innerType reports whether the content's type is inside, as in TLS 1.3.
func innerType(r *trace.Record) bool {
	return len(r.Tag) > 0 && len(r.Explicit) == 0 && bytes.Equal(r.AAD, r.Header)
}

// inClear returns a finder for a field of a message, by its name in the annotated message.
func inClear(r *trace.Record, index int, t *Tamper, d message.Dialect) (finder, error) {
	find := func(rec []byte) (place, error) {
		if t.Field == "header" {
			return place{}, nil
		}
		body := rec[record.HeaderLen:]
		if r.ContentType != iana.RecordHandshake {
			return place{record.HeaderLen, record.HeaderLen}, nil
		}
		start, raw := nth(body, index)
		if raw == nil {
			return place{}, fmt.Errorf("demo: no message %d in the record", index)
		}
		p, err := field(d.Annotate(raw), iana.HandshakeType(raw[0]), t)
		start += record.HeaderLen
		return place{start + p.first, start + p.flipped}, err
	}
	_, err := find(append(slices.Clone([]byte(r.Header)), r.Fragment...))
	return find, err
}

// nth returns the message with this index in a record, and its offset.
func nth(body []byte, index int) (start int, raw []byte) {
	for ; start+message.HeaderLen <= len(body); index-- {
		end := min(start+message.Length(body[start:]), len(body))
		if index == 0 {
			return start, body[start:end]
		}
		start = end
	}
	return 0, nil
}

// defaultFields are the fields whose change is most instructive, by message.
var defaultFields = map[iana.HandshakeType]string{
	iana.ClientHello: "random", iana.ServerHello: "random", iana.Certificate: "certificate",
	iana.CertificateStatus: "response",
	iana.ServerKeyExchange: "signature", iana.CertificateRequest: "certificate_type",
	iana.ServerHelloDone:   "msg_type",
	iana.CertificateVerify: "signature",
}

// field returns the place of the first field with the name in t. What is flipped is its last byte.
func field(fields []wire.Field, kind iana.HandshakeType, t *Tamper) (place, error) {
	name := t.Field
	if name == "" {
		name = defaultFields[kind]
	}
	names := []string{t.name("header")}
	last := 0
	for _, f := range fields {
		if f.Name == name && f.Len > 0 {
			return place{f.Offset, f.Offset + f.Len - 1}, nil
		}
		last = max(last, f.Offset+f.Len-1)
		if one := t.name(f.Name); f.Depth > 0 && f.Len > 0 && !slices.Contains(names, one) {
			names = append(names, one)
		}
	}
	if name == "" {
		return place{last, last}, nil
	}
	return place{}, &UsageError{fmt.Sprintf("%s: %v has no such field", t.name(t.Field), kind),
		names, names[len(names)-1]}
}
