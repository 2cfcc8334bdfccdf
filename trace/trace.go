// Package trace defines the events that a handshake emits, the same for client, server and
// observer.
//
// A *Log is passed down to the code where something happens. A nil *Log means that no one is
// listening: its methods inline to a nil test, allocate nothing and copy nothing. An event holds
// copies of the bytes it was given, secrets included. A Secret shows only its length and a
// fingerprint unless the sink that writes it was told to reveal secrets.
//
// It is part of Vitrine's API.
package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// Role says which player logged an event.
type Role string

// The players.
const (
	Client   Role = "client"
	Server   Role = "server"
	Observer Role = "observer"
	Between  Role = "between" // somebody who changes what passes: see Delivery
)

// An Entry is one event with what all events have in common.
type Entry struct {
	Seq  int       // counts from 1 in each stream
	Role Role      // who logged it
	Time time.Time // zero if the Log has no clock
	Ref  string    // the section, such as "RFC 5246 §7.4.1.2", or empty
	Event
}

// Plays reports whether e was logged by a role. An observer, who sees what both sides see, stands
// in the client's place.
func (e Entry) Plays(role Role) bool {
	return e.Role == role || e.Role == Observer && role == Client
}

// A Sink receives events. Put is called in order, with the Log locked.
type Sink interface{ Put(Entry) }

// Memory keeps events for later inspection.
type Memory struct{ Entries []Entry }

// Put appends e.
func (m *Memory) Put(e Entry) { m.Entries = append(m.Entries, e) }

// Log numbers the events of one role and passes them to a Sink. A nil Log ignores them.
type Log struct {
	role Role
	now  func() time.Time

	mu    sync.Mutex
	seq   int
	sink  Sink
	tls13 bool // was agreed: RFC 8446 defines the alerts

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
	switch e := e.(type) {
	case *Agreed:
		l.tls13 = e.Version == iana.TLS13
	case *Message:
		l.messages[e.From]++
		e.Number, e.Record = l.messages[e.From], l.begins[e.From]
	case *Alert:
		if l.tls13 {
			ref = "RFC 8446 §6"
		}
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

// Hex is public bytes, such as those on the wire. It prints as lower-case hex.
type Hex []byte

func (h Hex) String() string { return hex.EncodeToString(h) }

// MarshalText returns lower-case hex.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Secret is key material or plaintext. It prints as a fingerprint.
type Secret []byte

// String returns the length and the first four bytes of the SHA-256: enough to see whether two
// secrets are equal. A dictionary attack needs no more, which is why plaintext shows only its
// length (Record.Plaintext). An empty Secret is an empty string.
func (s Secret) String() string {
	if len(s) == 0 {
		return ""
	}
	return redactedPrefix + s.Fingerprint()
}

// Fingerprint returns the length and the first four bytes of the SHA-256, as String does, for a
// reader who knows that the secret is not shown.
func (s Secret) Fingerprint() string {
	sum := sha256.Sum256(s)
	return fmt.Sprintf("%d bytes, sha256 %x…", len(s), sum[:4])
}

// MarshalText returns the fingerprint. Only a Writer with Reveal shows the bytes.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Format keeps every verb from printing the bytes: %x of a Secret is its fingerprint too. A struct
// with a field of this type needs more: see Print.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// UnmarshalText reads revealed bytes. A redacted secret becomes nil.
func (s *Secret) UnmarshalText(b []byte) (err error) {
	if len(b) >= len(redactedPrefix) && string(b[:len(redactedPrefix)]) == redactedPrefix {
		*s = nil
		return nil
	}
	*s, err = hex.DecodeString(string(b))
	return err
}

const redactedPrefix = "redacted: "
