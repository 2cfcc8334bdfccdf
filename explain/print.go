package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the values with fingerprints, whatever the verb.
func (g Given) Format(f fmt.State, _ rune) { trace.Print(f, g) }

// MarshalText returns what Format prints.
func (g Given) MarshalText() ([]byte, error) { return trace.Text(g) }

// Format prints the value with fingerprints, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { trace.Print(f, v) }

// MarshalText returns what Format prints.
func (v Value) MarshalText() ([]byte, error) { return trace.Text(v) }

// Format prints both values with fingerprints, whatever the verb.
func (p Pair) Format(f fmt.State, _ rune) { trace.Print(f, p) }

// MarshalText returns what Format prints.
func (p Pair) MarshalText() ([]byte, error) { return trace.Text(p) }

// Format prints the bytes with fingerprints, whatever the verb.
func (d Dump) Format(f fmt.State, _ rune) { trace.Print(f, d) }

// MarshalText returns what Format prints.
func (d Dump) MarshalText() ([]byte, error) { return trace.Text(d) }

// Format prints the command with fingerprints, whatever the verb.
func (c Command) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c Command) MarshalText() ([]byte, error) { return trace.Text(c) }

// Format prints the notes with fingerprints, whatever the verb.
func (n Notebook) Format(f fmt.State, _ rune) { trace.Print(f, n) }

// MarshalText returns what Format prints.
func (n Notebook) MarshalText() ([]byte, error) { return trace.Text(n) }

// Format prints the derivation with fingerprints, whatever the verb.
func (d Derivation) Format(f fmt.State, _ rune) { trace.Print(f, d) }

// MarshalText returns what Format prints.
func (d Derivation) MarshalText() ([]byte, error) { return trace.Text(d) }

// Format prints what was sent with fingerprints, whatever the verb.
func (s Sent) Format(f fmt.State, _ rune) { trace.Print(f, s) }

// MarshalText returns what Format prints.
func (s Sent) MarshalText() ([]byte, error) { return trace.Text(s) }

// Format prints the detail with fingerprints, whatever the verb.
func (d Detail) Format(f fmt.State, _ rune) { trace.Print(f, d) }

// MarshalText returns what Format prints.
func (d Detail) MarshalText() ([]byte, error) { return trace.Text(d) }

// Format prints the node with fingerprints, whatever the verb.
func (n Node) Format(f fmt.State, _ rune) { trace.Print(f, n) }

// MarshalText returns what Format prints.
func (n Node) MarshalText() ([]byte, error) { return trace.Text(n) }

// Format prints the schedule with fingerprints, whatever the verb.
func (s Schedule) Format(f fmt.State, _ rune) { trace.Print(f, s) }

// MarshalText returns what Format prints.
func (s Schedule) MarshalText() ([]byte, error) { return trace.Text(s) }

// Format prints the values with fingerprints, whatever the verb.
func (g Given13) Format(f fmt.State, _ rune) { trace.Print(f, g) }

// MarshalText returns what Format prints.
func (g Given13) MarshalText() ([]byte, error) { return trace.Text(g) }

// Format prints the derivation with fingerprints, whatever the verb.
func (d Derivation13) Format(f fmt.State, _ rune) { trace.Print(f, d) }

// MarshalText returns what Format prints.
func (d Derivation13) MarshalText() ([]byte, error) { return trace.Text(d) }

// Format prints the value with fingerprints, whatever the verb.
func (v Value13) Format(f fmt.State, _ rune) { trace.Print(f, v) }

// MarshalText returns what Format prints.
func (v Value13) MarshalText() ([]byte, error) { return trace.Text(v) }

// Format prints the values with fingerprints, whatever the verb.
func (p Part13) Format(f fmt.State, _ rune) { trace.Print(f, p) }

// MarshalText returns what Format prints.
func (p Part13) MarshalText() ([]byte, error) { return trace.Text(p) }
