package observe

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// This file finds TLS inside of TLS, as a proxy that is reached over TLS carries it.

const (
	// maxSought is the number of bytes of a connection's data in which a ClientHello is searched
	// for.
	maxSought = 64 << 10
	// maxInside bounds how deeply connections can be nested.
	maxInside = 4
)

// decrypted receives a connection's data. A record of data that begins as a ClientHello does is
// one.
func (x *Watched) decrypted(from iana.Side, plain []byte) {
	if !x.Inside && x.sought < maxSought {
		x.sought += len(plain)
		if begins(plain) {
			x.Inside = true
			if x.watch.Inner && x.depth < maxInside {
				x.enter()
			}
		}
	}
	if x.inner != nil {
		x.inner.guard(func() { x.inner.Stream.Bytes(from, plain) })
	}
	if x.watch.Data != nil {
		x.watch.Data(x, from, plain)
	}
}

// enter begins the inner connection.
func (x *Watched) enter() {
	in := &Watched{Number: x.Number, Client: x.Client, Server: x.Server, Carrier: x.Carrier,
		Names: x.Names, Start: x.Start, Outer: x, watch: x.watch, depth: x.depth + 1}
	if x.Stream.Flipped {
		in.Client, in.Server = in.Server, in.Client
		in.Names[0], in.Names[1] = in.Names[1], in.Names[0]
	}
	in.Stream.New = in.connection
	x.inner = in
	if x.watch.Open != nil {
		x.watch.Open(in)
	}
}

// connection returns a Connection when TLS begins.
func (x *Watched) connection() *Connection {
	w := x.watch
	var sink trace.Sink
	if w.Sink != nil {
		sink = w.Sink(x)
	}
	c := New(w.Source, sink)
	c.Repeats = x.Outer == nil
	c.Sessions, c.Late, c.Name = &w.sessions, w.Late, x.Label()
	c.Data = x.decrypted
	return c
}

// begins reports whether a record's content begins as a ClientHello does.
func begins(plain []byte) bool {
	if len(plain) < headLen || plain[0] != byte(iana.RecordHandshake) {
		return false
	}
	at, ok := opening(plain, iana.ClientHello)
	return ok && at == 0
}
