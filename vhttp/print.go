package vhttp

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// Format prints the Transport's Config with fingerprints, whatever the verb: see trace.Print.
func (t *Transport) Format(f fmt.State, _ rune) { trace.Print(f, t.described()) }

// MarshalText returns what Format prints.
func (t *Transport) MarshalText() ([]byte, error) { return trace.Text(t.described()) }

func (t *Transport) described() string { return fmt.Sprintf("vhttp.Transport with %v", t.config) }
