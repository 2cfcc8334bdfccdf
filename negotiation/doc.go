// Package negotiation computes what two hellos negotiate: pure functions of messages and of a
// Config, which is what a side may do. Extensions are one table: what a client offers, what a
// server answers, what the answer means, and which messages may carry it. Agree returns the
// parameters that the hellos negotiate, the same for a client, a server and an observer; what a
// client must reject besides is in acceptable.go. A server's choices are in choose.go and
// choose13.go, and the terms on which a session is resumed in terms.go.
//
// Nothing here has a state, waits or does I/O, and the only secrets are pre-shared keys. Package
// handshake performs slow operations, such as finding a session in a store, before it calls this
// package.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package negotiation
