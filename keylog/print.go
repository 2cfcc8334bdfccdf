package keylog

import (
	"fmt"
	"io"
)

// String names how many secrets there are.
func (l Log) String() string { return fmt.Sprintf("keylog.Log of %d secrets", len(l.lines)) }

// Format prints what String returns, whatever the verb.
func (l Log) Format(f fmt.State, _ rune) { io.WriteString(f, l.String()) }

// MarshalText returns what Format prints.
func (l Log) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
