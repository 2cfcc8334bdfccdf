package session

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

// Types that contain secrets print fingerprints instead: see trace.Print.

// Format prints the key with fingerprints, whatever the verb.
func (t TicketKey) Format(f fmt.State, _ rune) { trace.Print(f, t) }

// MarshalText returns what Format prints.
func (t TicketKey) MarshalText() ([]byte, error) { return trace.Text(t) }

// Format prints the keys with fingerprints, whatever the verb.
func (r *RotatingKeys) Format(f fmt.State, _ rune) { trace.Print(f, r.printable()) }

// MarshalText returns what Format prints.
func (r *RotatingKeys) MarshalText() ([]byte, error) { return trace.Text(r.printable()) }

// printable returns a copy of the current keys.
func (r *RotatingKeys) printable() []datedKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.keys)
}

// Format prints the session with fingerprints, whatever the verb.
func (s Session) Format(f fmt.State, _ rune) { trace.Print(f, s) }

// MarshalText returns what Format prints.
func (s Session) MarshalText() ([]byte, error) { return trace.Text(s) }
