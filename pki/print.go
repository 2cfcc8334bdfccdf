package pki

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the credential with fingerprints, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c Credential) MarshalText() ([]byte, error) { return trace.Text(c) }

// Format prints the key with fingerprints, whatever the verb.
func (k RawPrivateKey) Format(f fmt.State, _ rune) { trace.Print(f, k) }

// MarshalText returns what Format prints.
func (k RawPrivateKey) MarshalText() ([]byte, error) { return trace.Text(k) }

// Format prints the choice with fingerprints, whatever the verb.
func (c Choice) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c Choice) MarshalText() ([]byte, error) { return trace.Text(c) }
