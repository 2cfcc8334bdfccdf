package throwaway

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the authority with fingerprints, whatever the verb.
func (c CA) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c CA) MarshalText() ([]byte, error) { return trace.Text(c) }
