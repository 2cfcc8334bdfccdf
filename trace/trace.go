// Package trace is the glass: the events that a handshake leaves behind, the same for client,
// server and observer.
//
// A *Log is handed down to the places where something happens. A nil *Log means that nobody looks:
// its methods inline to a nil test, allocate nothing and copy nothing. An event holds copies of the
// bytes it was given, secrets included; a Secret shows only its length and a fingerprint unless the
// sink that writes it was told to reveal.
package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// Role says whose view an event is.
type Role string

// The three players.
const (
	Client   Role = "client"
	Server   Role = "server"
	Observer Role = "observer"
)

// An Entry is one event with what all events have.
type Entry struct {
	Seq  int       // counts from 1 in each stream
	Role Role      // whose view
	Time time.Time // zero where time is not told
	Ref  string    // "RFC 5246 §7.4.1.2", or empty
	Event
}

// A Sink takes events. Put is called under the Log's lock, in order.
type Sink interface{ Put(Entry) }

// Memory keeps events for a program that looks at them afterwards.
type Memory struct{ Entries []Entry }

// Put appends e.
func (m *Memory) Put(e Entry) { m.Entries = append(m.Entries, e) }

// Log is where one player's events go. The nil Log takes nothing.
type Log struct {
	role Role
	now  func() time.Time

	mu   sync.Mutex
	seq  int
	sink Sink
}

// New makes a Log of role that writes to sink. now may be nil: then events carry no time.
func New(role Role, sink Sink, now func() time.Time) *Log {
	return &Log{role: role, sink: sink, now: now}
}

// On tells whether anybody looks. It is for work that only an event needs, such as taking a record
// apart.
func (l *Log) On() bool { return l != nil }

func (l *Log) put(ref string, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	entry := Entry{Seq: l.seq, Role: l.role, Ref: ref, Event: e}
	if l.now != nil {
		entry.Time = l.now()
	}
	l.sink.Put(entry)
}

// Hex is bytes that anybody on the wire saw. It prints as lower-case hex.
type Hex []byte

func (h Hex) String() string { return hex.EncodeToString(h) }

// MarshalText prints lower-case hex.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Secret is bytes that were never on the wire in the clear: key material, and plaintext. It prints
// as a fingerprint.
type Secret []byte

// String is a length and the first four bytes of the SHA-256: enough to see whether two are equal,
// and no more than a dictionary needs, which is why plaintext shows only its length
// (Record.Plaintext).
func (s Secret) String() string {
	if len(s) == 0 {
		return ""
	}
	sum := sha256.Sum256(s)
	return fmt.Sprintf("%s%d bytes, sha256 %x…", redactedPrefix, len(s), sum[:4])
}

// MarshalText prints the fingerprint. NewWriter with reveal is the way to the bytes.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Format keeps every verb from printing the bytes: %x of a Secret is its fingerprint too. A struct with
// a field of this type needs more: see Print.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// UnmarshalText reads revealed bytes; of a redacted secret nothing comes back.
func (s *Secret) UnmarshalText(b []byte) (err error) {
	if len(b) >= len(redactedPrefix) && string(b[:len(redactedPrefix)]) == redactedPrefix {
		*s = nil
		return nil
	}
	*s, err = hex.DecodeString(string(b))
	return err
}

const redactedPrefix = "redacted: "
