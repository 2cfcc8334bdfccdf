package kex

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the answer with fingerprints, whatever the verb.
func (a Answer) Format(f fmt.State, _ rune) { trace.Print(f, a) }

// MarshalText returns what Format prints.
func (a Answer) MarshalText() ([]byte, error) { return trace.Text(a) }

// Format prints the offer with fingerprints, whatever the verb.
func (o *curveOffer) Format(f fmt.State, _ rune) { trace.Print(f, o) }

// MarshalText returns what Format prints.
func (o *curveOffer) MarshalText() ([]byte, error) { return trace.Text(o) }

// Format prints the offer with fingerprints, whatever the verb.
func (o *fieldOffer) Format(f fmt.State, _ rune) { trace.Print(f, o) }

// MarshalText returns what Format prints.
func (o *fieldOffer) MarshalText() ([]byte, error) { return trace.Text(o) }

// Format prints the offer with fingerprints, whatever the verb.
func (o *hybridOffer) Format(f fmt.State, _ rune) { trace.Print(f, o) }

// MarshalText returns what Format prints.
func (o *hybridOffer) MarshalText() ([]byte, error) { return trace.Text(o) }
