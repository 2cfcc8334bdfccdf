package record

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the keys with fingerprints, whatever the verb.
func (k Keys) Format(f fmt.State, _ rune) { trace.Print(f, k) }

// MarshalText returns what Format prints.
func (k Keys) MarshalText() ([]byte, error) { return trace.Text(k) }

// Format prints the protection without its keys, whatever the verb.
func (a *aead) Format(f fmt.State, _ rune) { trace.Print(f, a) }

// MarshalText returns what Format prints.
func (a *aead) MarshalText() ([]byte, error) { return trace.Text(a) }

// Format prints the protection without its keys, whatever the verb.
func (a *aead13) Format(f fmt.State, _ rune) { trace.Print(f, a) }

// MarshalText returns what Format prints.
func (a *aead13) MarshalText() ([]byte, error) { return trace.Text(a) }

// Format prints the protection without its keys, whatever the verb.
func (c *cbc) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c *cbc) MarshalText() ([]byte, error) { return trace.Text(c) }

// Format prints the protection without its keys, whatever the verb.
func (n *null) Format(f fmt.State, _ rune) { trace.Print(f, n) }

// MarshalText returns what Format prints.
func (n *null) MarshalText() ([]byte, error) { return trace.Text(n) }

// Format prints the protection without its keys, whatever the verb.
func (o *old) Format(f fmt.State, _ rune) { trace.Print(f, o) }

// MarshalText returns what Format prints.
func (o *old) MarshalText() ([]byte, error) { return trace.Text(o) }

// Format prints the direction without its keys, whatever the verb.
func (h Half) Format(f fmt.State, _ rune) { trace.Print(f, h) }

// MarshalText returns what Format prints.
func (h Half) MarshalText() ([]byte, error) { return trace.Text(h) }
