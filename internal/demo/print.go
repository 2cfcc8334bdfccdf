package demo

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// Format prints the outcome with fingerprints of the secrets in its events, whatever the verb.
func (o Outcome) Format(f fmt.State, _ rune) { trace.Print(f, o) }

// MarshalText returns what Format prints.
func (o Outcome) MarshalText() ([]byte, error) { return trace.Text(o) }
