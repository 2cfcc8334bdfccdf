package vitrine

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// What holds a secret prints with fingerprints: see trace.Print.

// Format prints the session with fingerprints, whatever the verb.
func (s SessionState) Format(f fmt.State, _ rune) { trace.Print(f, s) }

// MarshalText returns what Format prints.
func (s SessionState) MarshalText() ([]byte, error) { return trace.Text(s) }

// Format prints the session with fingerprints, whatever the verb.
func (c ClientSessionState) Format(f fmt.State, _ rune) { trace.Print(f, c) }

// MarshalText returns what Format prints.
func (c ClientSessionState) MarshalText() ([]byte, error) { return trace.Text(c) }

// Format prints the Config with fingerprints, whatever the verb: of keys in its Certificates and of
// what its fields hold by value.
func (c *Config) Format(f fmt.State, _ rune) { trace.Print(f, c.printable()) }

// MarshalText returns what Format prints.
func (c *Config) MarshalText() ([]byte, error) { return trace.Text(c.printable()) }

// printable returns a copy of c without the fields that connections may be changing meanwhile.
func (c *Config) printable() *Config {
	if c == nil {
		return nil
	}
	copied := c.Clone()
	copied.TicketKeys = c.TicketKeys
	return copied
}

// Format prints between whom the connection is, whatever the verb.
func (c *Conn) Format(f fmt.State, _ rune) { trace.Print(f, c.described()) }

// MarshalText returns what Format prints.
func (c *Conn) MarshalText() ([]byte, error) { return trace.Text(c.described()) }

func (c *Conn) described() string {
	if c.conn == nil {
		return fmt.Sprintf("vitrine.Conn of a %v", c.me)
	}
	return fmt.Sprintf("vitrine.Conn of a %v: %v to %v", c.me, c.LocalAddr(), c.RemoteAddr())
}

// Format prints which side it is, whatever the verb.
func (q QUICConn) Format(f fmt.State, _ rune) { trace.Print(f, q.described()) }

// MarshalText returns what Format prints.
func (q QUICConn) MarshalText() ([]byte, error) { return trace.Text(q.described()) }

func (q QUICConn) described() string {
	if q.conn == nil {
		return "vitrine.QUICConn"
	}
	return fmt.Sprintf("vitrine.QUICConn of a %v", q.conn.me)
}
