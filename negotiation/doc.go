// Package negotiation is what two hellos come to: pure functions of messages and of what a program
// allows. Config is what a side may do. Extensions are one table: what a client offers, what a
// server answers, what the answer means, and which messages may carry it. Agree draws the Agreed
// from the hellos, the same for a client, a server and an observer; what a live peer must refuse
// besides is in acceptable.go. A server's choices are in choose.go and choose13.go, and the terms on
// which a session is resumed in terms.go.
//
// Nothing here has a state, waits or does I/O, and nothing holds a secret but pre-shared keys. What
// is slow, such as a session in a store, package handshake finds before it asks.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package negotiation
