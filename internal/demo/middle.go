package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Tamper says what to alter: a line of the printed ladder, and a field of it.
type Tamper struct {
	Line  int
	Field string // empty: the default field of the message
}

// UsageError reports a Tamper that is none, or does not fit the ladder.
type UsageError struct {
	Problem string
	Choices []string // what there is to choose from
	Example string   // one of them
}

func (e *UsageError) Error() string {
	return e.Problem + "; choose one of " + strings.Join(e.Choices, ", ")
}

// middle is a man in the middle who flips one bit.
type middle struct {
	line   explain.Line
	field  string
	find   func(record []byte) (offset int, err error)
	mu     sync.Mutex
	report explain.Act
	passed []trace.Delivery
}

// newMiddle returns a man in the middle for a line of the ladder. It finds the place of the line in
// the records of reference, a run that nobody altered.
func newMiddle(t *Tamper, reference *Outcome) (*middle, error) {
	ladder := explain.Ladder(reference.Entries)
	if t.Line < 1 || t.Line > len(ladder) {
		return nil, &UsageError{fmt.Sprintf("%d: the ladder of this run has no such line",
			t.Line), []string{fmt.Sprintf("1 to %d", len(ladder))}, fmt.Sprint(len(ladder))}
	}
	m := &middle{line: ladder[t.Line-1], field: t.Field}
	m.report = explain.Act{Line: t.Line, Field: t.Field, How: "nothing: the line never came"}
	sealed := sealedRecord(reference.Entries, m.line.From, m.line.Place.Record)
	if sealed == nil {
		return nil, fmt.Errorf("demo: line %d has no record", t.Line)
	}
	var err error
	if m.line.Protected {
		m.find, err = inProtected(sealed, m.line.Place.Message, t)
	} else {
		m.find, err = inClear(sealed, m.line.Place.Message, t, dialect(reference.Entries))
	}
	return m, err
}

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

// inProtected returns a function that finds a part of a protected record. Records of runs with
// equal options have equal shapes.
func inProtected(r *trace.Record, index int, t *Tamper) (func([]byte) (int, error), error) {
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
			names = append(names, fmt.Sprintf("%d:%s", t.Line, name))
		}
		slices.Sort(names)
		return nil, &UsageError{fmt.Sprintf("%d:%s: that record has no such part", t.Line,
			t.Field), names, names[0]}
	}
	return func([]byte) (int, error) { return offset, nil }, nil
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

// inClear returns a function that finds a field of a message, by its name in the annotated message.
func inClear(r *trace.Record, index int, t *Tamper,
	d message.Dialect) (func([]byte) (int, error), error) {
	find := func(rec []byte) (int, error) {
		if t.Field == "header" {
			return 0, nil
		}
		body := rec[record.HeaderLen:]
		if r.ContentType != iana.RecordHandshake {
			return record.HeaderLen, nil
		}
		start, raw := nth(body, index)
		if raw == nil {
			return 0, fmt.Errorf("demo: no message %d in the record", index)
		}
		f, err := field(d.Annotate(raw), iana.HandshakeType(raw[0]), t)
		return record.HeaderLen + start + f, err
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

// field returns the offset of the last byte of the first field with the name in t.
func field(fields []wire.Field, kind iana.HandshakeType, t *Tamper) (int, error) {
	name := t.Field
	if name == "" {
		name = defaultFields[kind]
	}
	names := []string{fmt.Sprintf("%d:header", t.Line)}
	last := 0
	for _, f := range fields {
		if f.Name == name && f.Len > 0 {
			return f.Offset + f.Len - 1, nil
		}
		last = max(last, f.Offset+f.Len-1)
		if one := fmt.Sprintf("%d:%s", t.Line, f.Name); f.Depth > 0 && f.Len > 0 &&
			!slices.Contains(names, one) {
			names = append(names, one)
		}
	}
	if name == "" {
		return last, nil
	}
	return 0, &UsageError{fmt.Sprintf("%d:%s: %v has no such field", t.Line, t.Field,
		kind), names, names[len(names)-1]}
}

// listen waits for the client in place of the server, and returns its address.
func (m *middle) listen(ctx context.Context, server string) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		defer listener.Close()
		client, err := listener.Accept()
		if err != nil {
			return
		}
		var d net.Dialer
		far, err := d.DialContext(ctx, "tcp", server)
		if err != nil {
			client.Close()
			return
		}
		go m.relay(iana.Client, client, far)
		m.relay(iana.Server, far, client)
	}()
	return listener.Addr().String(), nil
}

// relay forwards the records of one direction, and alters the chosen one.
func (m *middle) relay(from iana.Side, in, out net.Conn) {
	defer closeWrite(out)
	for n := 0; ; n++ {
		rec := make([]byte, record.HeaderLen)
		if _, err := io.ReadFull(in, rec); err != nil {
			return
		}
		rec = append(rec, make([]byte, binary.BigEndian.Uint16(rec[3:]))...)
		if _, err := io.ReadFull(in, rec[record.HeaderLen:]); err != nil {
			return
		}
		d := trace.Delivery{From: from, Fate: trace.FateDelivered, Number: uint64(n + 1),
			Arrival: uint64(n + 1)}
		if from == m.line.From && n == m.line.Place.Record && m.alter(rec) {
			d.Fate, d.Bytes = trace.FateChanged, rec
		}
		m.deliver(d)
		if _, err := out.Write(rec); err != nil {
			return
		}
	}
}

func (m *middle) deliver(d trace.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.passed = append(m.passed, d)
}

// log inserts what passed into the events of both sides, each behind its record.
func (m *middle) log(entries []trace.Entry) []trace.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all trace.Memory
	between := trace.New(trace.Between, &all, nil)
	for _, e := range entries {
		all.Put(e)
		r, ok := e.Event.(*trace.Record)
		if !ok || r.Direction != trace.Sealed {
			continue
		}
		for _, d := range m.passed {
			if d.From == r.From && d.Number == r.Number {
				between.Delivery(d)
				all.Entries[len(all.Entries)-1].Time = e.Time
			}
		}
	}
	for i := range all.Entries {
		all.Entries[i].Seq = i + 1
	}
	return all.Entries
}

// alter flips the lowest bit of one byte, and reports whether it did.
func (m *middle) alter(rec []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.find(rec)
	if err != nil {
		m.report.How = "nothing: " + err.Error()
		return false
	}
	rec[at] ^= 1
	what := m.field
	if what != "" {
		what = " (" + what + ")"
	}
	m.report.How = fmt.Sprintf("somebody in between flipped one bit of byte %d of the record's "+
		"%d%s: %02x became %02x", at, len(rec), what, rec[at]^1, rec[at])
	return true
}

// done returns what was altered.
func (m *middle) done() *explain.Tampered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &explain.Tampered{Acts: []explain.Act{m.report}}
}

func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.CloseWrite()
	}
}
