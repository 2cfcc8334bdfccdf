// Package conformance tests the protocol as a peer sees it: bad clients and servers, resumption,
// renegotiation, records, and a man in the middle. Most tests play the other side by hand, with
// package script.
package conformance
