package capture

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the state with fingerprints, whatever the verb.
func (c Conversation) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c Conversation) MarshalText() ([]byte, error) { return trace.Text(c) }

// Format prints the state with fingerprints, whatever the verb.
func (r Reader) Format(f fmt.State, _ rune) { trace.Print(f, r) }

// MarshalText returns what Format prints.
func (r Reader) MarshalText() ([]byte, error) { return trace.Text(r) }

// Format prints how many bytes wait to be written, whatever the verb.
func (w *Writer) Format(f fmt.State, _ rune) { trace.Print(f, w.waiting()) }

// MarshalText returns what Format prints.
func (w *Writer) MarshalText() ([]byte, error) { return trace.Text(w.waiting()) }

func (w *Writer) waiting() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("capture.Writer with %d bytes", len(w.buf))
}

// Format prints whose connection it is, whatever the verb.
func (c *TappedConn) Format(f fmt.State, _ rune) { trace.Print(f, c.described()) }

// MarshalText returns what Format prints.
func (c *TappedConn) MarshalText() ([]byte, error) { return trace.Text(c.described()) }

func (c *TappedConn) described() string {
	return fmt.Sprintf("capture.TappedConn of the %v", c.me)
}
