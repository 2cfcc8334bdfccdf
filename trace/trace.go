// Package trace defines the events that a handshake emits, the same for client, server and
// observer.
//
// A *Log is passed down to the code where something happens. A nil *Log means that no one is
// listening: its methods inline to a nil test, allocate nothing and copy nothing. An event holds
// copies of the bytes it was given, secrets included. A Secret shows only its length and a
// fingerprint unless the sink that writes it was told to reveal secrets.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	secret.go events.go trace.go log.go   bytes, events, who takes them, and who logs them
//	print.go bounded.go queue.go          printing; sinks that hold what there is room for
//	json.go read.go merge.go              JSON lines, and back; two streams in one order
//	print_events.go                       how types with secrets print
//
// It is part of Vitrine's API.
package trace

import "time"

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

// Name returns the event's name in the stream.
func (e Entry) Name() string { return e.event() }

// A Sink receives events. Put is called in order, with the Log locked.
type Sink interface{ Put(Entry) }

// Memory keeps events for later inspection.
type Memory struct{ Entries []Entry }

// Put appends e.
func (m *Memory) Put(e Entry) { m.Entries = append(m.Entries, e) }
