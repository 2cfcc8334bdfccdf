package handshake

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the secrets with fingerprints, whatever the verb.
func (i Input) Format(f fmt.State, _ rune) { trace.Print(f, i) }

// MarshalText returns what Format prints.
func (i Input) MarshalText() ([]byte, error) { return trace.Text(i) }

// Format prints the secrets with fingerprints, whatever the verb.
func (t TrafficSecrets) Format(f fmt.State, _ rune) { trace.Print(f, t) }

// MarshalText returns what Format prints.
func (t TrafficSecrets) MarshalText() ([]byte, error) { return trace.Text(t) }

// Format prints the state of the handshake with fingerprints, whatever the verb.
func (m Machine) Format(f fmt.State, _ rune) { trace.Print(f, m) }

// MarshalText returns what Format prints.
func (m Machine) MarshalText() ([]byte, error) { return trace.Text(m) }

// Format prints the Score with fingerprints of secrets, whatever the verb.
func (s Score) Format(f fmt.State, _ rune) { trace.Print(f, s) }

// MarshalText returns what Format prints.
func (s Score) MarshalText() ([]byte, error) { return trace.Text(s) }

// Format prints the answer with fingerprints of its messages, which are sent encrypted, whatever
// the verb.
func (a LateAnswer) Format(f fmt.State, _ rune) { trace.Print(f, a) }

// MarshalText returns what Format prints.
func (a LateAnswer) MarshalText() ([]byte, error) { return trace.Text(a) }
