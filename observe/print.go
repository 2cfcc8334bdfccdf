package observe

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds secrets or plaintext prints a name and what identifies it: see trace.Print.

// Format prints how many sessions are known, whatever the verb.
func (t *Sessions) Format(f fmt.State, _ rune) { trace.Print(f, t.described()) }

// MarshalText returns what Format prints.
func (t *Sessions) MarshalText() ([]byte, error) { return trace.Text(t.described()) }

func (t *Sessions) described() string { return fmt.Sprintf("observe.Sessions: %d", t.count()) }

// Format prints the connection's name, whatever the verb.
func (c Connection) Format(f fmt.State, _ rune) { trace.Print(f, c.described()) }

// MarshalText returns what Format prints.
func (c Connection) MarshalText() ([]byte, error) { return trace.Text(c.described()) }

func (c Connection) described() string { return "observe.Connection " + c.Name }

// Format prints nothing of the bytes, whatever the verb.
func (s Stream) Format(f fmt.State, _ rune) { trace.Print(f, "observe.Stream") }

// MarshalText returns what Format prints.
func (s Stream) MarshalText() ([]byte, error) { return trace.Text("observe.Stream") }

// Format prints nothing of the connections, whatever the verb.
func (w *Watch) Format(f fmt.State, _ rune) { trace.Print(f, "observe.Watch") }

// MarshalText returns what Format prints.
func (w *Watch) MarshalText() ([]byte, error) { return trace.Text("observe.Watch") }

// Format prints which connection it is, whatever the verb.
func (w *Watched) Format(f fmt.State, _ rune) { trace.Print(f, w.described()) }

// MarshalText returns what Format prints.
func (w *Watched) MarshalText() ([]byte, error) { return trace.Text(w.described()) }

func (w *Watched) described() string {
	return fmt.Sprintf("observe.Watched %d: %v to %v", w.Number, w.Client, w.Server)
}
