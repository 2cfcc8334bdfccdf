package trace

import (
	"bytes"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Log numbers the events of one role and passes them to a Sink. A nil Log ignores them.
type Log struct {
	role Role
	now  func() time.Time

	mu   sync.Mutex
	seq  int
	sink Sink

	messages [2]uint64 // how many each side has sent
	begins   [2]uint64 // the record in which the next one from this side begins; 0: not told
}

// New returns a Log of role that writes to sink. now may be nil: then events have no time.
func New(role Role, sink Sink, now func() time.Time) *Log {
	return &Log{role: role, sink: sink, now: now}
}

// On reports whether events are wanted. It is for work that only an event needs, such as dissecting
// a record.
func (l *Log) On() bool { return l != nil }

func (l *Log) put(ref string, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	if m, ok := e.(*Message); ok {
		l.messages[m.From]++
		m.Number, m.Record = l.messages[m.From], l.begins[m.From]
	}
	entry := Entry{Seq: l.seq, Role: l.role, Ref: ref, Event: e}
	if l.now != nil {
		entry.Time = l.now()
	}
	l.sink.Put(entry)
}

// Begins says in which record of a side the message begins that is logged next, counted as they
// arrive.
func (l *Log) Begins(from iana.Side, record uint64) {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.begins[from] = record
	}
}

// The methods below emit events. Each copies what it is given, since buffers are reused; Record
// requires copies.

// Message logs a handshake message.
func (l *Log) Message(from iana.Side, t iana.HandshakeType, raw []byte, ref string) {
	if l != nil {
		l.put(ref, &Message{From: from, Type: t, Raw: bytes.Clone(raw)})
	}
}

// Choice logs a choice and its rule.
func (l *Log) Choice(what, offered, chosen, rule, ref string) {
	if l != nil {
		l.put(ref, &Choice{what, offered, chosen, rule})
	}
}

// Agreed logs what was negotiated.
func (l *Log) Agreed(a Agreed, ref string) {
	if l != nil {
		e := a // a copy, so that a is not moved to the heap for a nil Log
		l.put(ref, &e)
	}
}

// Ephemeral logs a private key of this handshake.
func (l *Log) Ephemeral(from iana.Side, group string, private, public, peer []byte, ref string) {
	if l != nil {
		l.put(ref, &Ephemeral{from, group, bytes.Clone(private), bytes.Clone(public),
			bytes.Clone(peer)})
	}
}

// ThrowawayKey logs the private key of a demonstration's certificate.
func (l *Log) ThrowawayKey(from iana.Side, algorithm string, private, public []byte) {
	if l != nil {
		l.put("", &ThrowawayKey{from, algorithm, bytes.Clone(private), bytes.Clone(public)})
	}
}

// SharedSecret logs the result of the key exchange.
func (l *Log) SharedSecret(name string, output []byte, ref string) {
	if l != nil {
		l.put(ref, &SharedSecret{name, bytes.Clone(output)})
	}
}

// Derived logs a call of the PRF, of HKDF-Expand-Label or of HMAC. The seed is public.
func (l *Log) Derived(name, function, hash, label string, secret, seed, output []byte, ref string) {
	if l != nil {
		l.put(ref, &Derived{Name: name, Function: function, Hash: hash, Label: label,
			Secret: bytes.Clone(secret), Seed: bytes.Clone(seed), Output: bytes.Clone(output)})
	}
}

// Extracted logs a call of HKDF-Extract.
func (l *Log) Extracted(name, hash string, salt, ikm, output []byte, ref string) {
	if l != nil {
		l.put(ref, &Derived{Name: name, Function: "HKDF-Extract", Hash: hash,
			Secret: bytes.Clone(ikm), Salt: bytes.Clone(salt), Output: bytes.Clone(output)})
	}
}

// Given logs a secret that was not derived here.
func (l *Log) Given(name string, output []byte, ref string) {
	if l != nil {
		l.put(ref, &Given{name, bytes.Clone(output)})
	}
}

// KeysInstalled logs that a direction's keys change.
func (l *Log) KeysInstalled(from iana.Side, macKey, key, iv []byte, ref string) {
	if l != nil {
		l.put(ref, &KeysInstalled{from, bytes.Clone(macKey), bytes.Clone(key), bytes.Clone(iv)})
	}
}

// Record logs a record. r's slices must already be copies.
func (l *Log) Record(r *Record, ref string) {
	if l != nil {
		l.put(ref, r)
	}
}

// Verified logs a check that succeeded.
func (l *Log) Verified(v Verified, ref string) {
	if l != nil {
		e := v
		e.Signed, e.Signature = bytes.Clone(v.Signed), bytes.Clone(v.Signature)
		l.put(ref, &e)
	}
}

// Signed logs a signature that this role made.
func (l *Log) Signed(s Signed, ref string) {
	if l != nil {
		e := s
		e.Signed, e.Signature = bytes.Clone(s.Signed), bytes.Clone(s.Signature)
		l.put(ref, &e)
	}
}

// Alert logs an alert that no record carries.
func (l *Log) Alert(from iana.Side, level alert.Level, d alert.Description, reason,
	ref string) {
	l.AlertIn(0, from, level, d, reason, ref)
}

// AlertIn logs an alert that the record with this number carries: see Record.Number.
func (l *Log) AlertIn(record uint64, from iana.Side, level alert.Level, d alert.Description,
	reason, ref string) {
	if l != nil {
		l.put(ref, &Alert{from, level, d, reason, record})
	}
}

// Failed logs a check that the peer did not pass. f's slices must already be copies.
func (l *Log) Failed(f Failed, ref string) {
	if l != nil {
		e := f
		l.put(ref, &e)
	}
}

// Delivery logs what somebody in between let through.
func (l *Log) Delivery(d Delivery) {
	if l != nil {
		e := d
		e.Bytes = bytes.Clone(d.Bytes)
		l.put("", &e)
	}
}

// Done logs the end of a handshake.
func (l *Log) Done(figure string, err error) {
	if l != nil {
		d := &Done{OK: err == nil, Figure: figure}
		if err != nil {
			d.Error = err.Error()
		}
		l.put("", d)
	}
}
