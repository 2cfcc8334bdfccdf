package trace

import (
	"fmt"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the event with fingerprints, whatever the verb.
func (e Ephemeral) Format(f fmt.State, _ rune) { Print(f, e) }

// MarshalText returns what Format prints.
func (e Ephemeral) MarshalText() ([]byte, error) { return Text(e) }

// Format prints the event with fingerprints, whatever the verb.
func (t ThrowawayKey) Format(f fmt.State, _ rune) { Print(f, t) }

// MarshalText returns what Format prints.
func (t ThrowawayKey) MarshalText() ([]byte, error) { return Text(t) }

// Format prints the event with fingerprints, whatever the verb.
func (s SharedSecret) Format(f fmt.State, _ rune) { Print(f, s) }

// MarshalText returns what Format prints.
func (s SharedSecret) MarshalText() ([]byte, error) { return Text(s) }

// Format prints the event with fingerprints, whatever the verb.
func (d Derived) Format(f fmt.State, _ rune) { Print(f, d) }

// MarshalText returns what Format prints.
func (d Derived) MarshalText() ([]byte, error) { return Text(d) }

// Format prints the event with fingerprints, whatever the verb.
func (g Given) Format(f fmt.State, _ rune) { Print(f, g) }

// MarshalText returns what Format prints.
func (g Given) MarshalText() ([]byte, error) { return Text(g) }

// Format prints the event with fingerprints, whatever the verb.
func (k KeysInstalled) Format(f fmt.State, _ rune) { Print(f, k) }

// MarshalText returns what Format prints.
func (k KeysInstalled) MarshalText() ([]byte, error) { return Text(k) }

// Format prints the event with fingerprints, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) { Print(f, r) }

// MarshalText returns what Format prints.
func (r Record) MarshalText() ([]byte, error) { return Text(r) }

// Format prints the parts with fingerprints, whatever the verb.
func (a Anatomy) Format(f fmt.State, _ rune) { Print(f, a) }

// MarshalText returns what Format prints.
func (a Anatomy) MarshalText() ([]byte, error) { return Text(a) }

// Format prints the event with fingerprints, whatever the verb.
func (u Unknown) Format(f fmt.State, _ rune) { Print(f, u) }

// MarshalText returns what Format prints.
func (u Unknown) MarshalText() ([]byte, error) { return Text(u) }

// Format prints the field with fingerprints, whatever the verb.
func (x Field) Format(f fmt.State, _ rune) { Print(f, x) }

// MarshalText returns what Format prints.
func (f Field) MarshalText() ([]byte, error) { return Text(f) }

// Format prints how many events the Writer wrote, whatever the verb.
func (w *Writer) Format(f fmt.State, _ rune) { Print(f, w.written()) }

// MarshalText returns what Format prints.
func (w *Writer) MarshalText() ([]byte, error) { return Text(w.written()) }

func (w *Writer) written() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("trace.Writer after %d events", w.seq)
}

// Format prints whose events the Log takes, whatever the verb.
func (l *Log) Format(f fmt.State, _ rune) { Print(f, l.described()) }

// MarshalText returns what Format prints.
func (l *Log) MarshalText() ([]byte, error) { return Text(l.described()) }

func (l *Log) described() string {
	if l == nil {
		return "no trace.Log"
	}
	return fmt.Sprintf("trace.Log of the %s", l.role)
}
