// Package conformance tests the protocol as a peer and a program see it: bad clients and servers,
// resumption, renegotiation, records, a man in the middle, identities, early data, and what follows
// the handshake of TLS 1.3. In many tests package script plays the other side.
package conformance
