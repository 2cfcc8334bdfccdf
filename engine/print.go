package engine

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// Types that contain secrets print fingerprints instead: see trace.Print.

// Format prints the item with the length and a fingerprint of its body, whatever the verb.
func (i Item) Format(f fmt.State, _ rune) { trace.Print(f, i) }

// MarshalText returns what Format prints.
func (i Item) MarshalText() ([]byte, error) { return trace.Text(i) }

// Format prints the state, of buffers the lengths with fingerprints, whatever the verb.
func (i Inbound) Format(f fmt.State, _ rune) { trace.Print(f, i) }

// MarshalText returns what Format prints.
func (i Inbound) MarshalText() ([]byte, error) { return trace.Text(i) }

// Format prints the engine with fingerprints, of buffers the lengths, whatever the verb.
func (e *Engine) Format(f fmt.State, _ rune) { trace.Print(f, e) }

// MarshalText returns what Format prints.
func (e *Engine) MarshalText() ([]byte, error) { return trace.Text(e) }

// Format prints the state, of buffers the lengths, whatever the verb.
func (o Outbound) Format(f fmt.State, _ rune) { trace.Print(f, o) }

// MarshalText returns what Format prints.
func (o Outbound) MarshalText() ([]byte, error) { return trace.Text(o) }

// Format prints the state, of buffers the lengths, whatever the verb.
func (q QUIC) Format(f fmt.State, _ rune) { trace.Print(f, q) }

// MarshalText returns what Format prints.
func (q QUIC) MarshalText() ([]byte, error) { return trace.Text(q) }
