package vitrine

import "github.com/vitrine-tls/vitrine/trace"

// log returns the Log of a connection that begins its handshake, or nil if nobody wants its events.
// It holds for the whole connection, also if GetConfigForClient returns another Config.
func (c *Config) log(conn *Conn) *trace.Log {
	sink := c.Trace
	if c.TraceFor != nil {
		sink = c.TraceFor(conn.conn)
	}
	if sink == nil {
		return nil
	}
	return trace.New(trace.Role(conn.me.String()), sink, c.Time)
}
