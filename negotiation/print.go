package negotiation

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the key with fingerprints, whatever the verb.
func (p PSK) Format(f fmt.State, _ rune) { trace.Print(f, p) }

// MarshalText returns what Format prints.
func (p PSK) MarshalText() ([]byte, error) { return trace.Text(p) }

// Format prints the Config with fingerprints, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c Config) MarshalText() ([]byte, error) { return trace.Text(c) }

// Format prints the parameters with fingerprints of the keys of cookies, whatever the verb.
func (p Parameters) Format(f fmt.State, _ rune) { trace.Print(f, p) }

// MarshalText returns what Format prints.
func (p Parameters) MarshalText() ([]byte, error) { return trace.Text(p) }

// Format prints the key with fingerprints, whatever the verb.
func (k Key13) Format(f fmt.State, _ rune) { trace.Print(f, k) }

// MarshalText returns what Format prints.
func (k Key13) MarshalText() ([]byte, error) { return trace.Text(k) }
