// Package negotiation computes what two hellos negotiate: pure functions of messages and of a
// Config, which says what one side may do. Extensions are one table: what a client offers, what a
// server answers, what the answer means, and which messages may carry it. Agree returns the
// parameters that the hellos negotiate, the same for a client, a server and an observer; what a
// client must reject besides is in acceptable.go. A server's choices are in choose.go and
// choose13.go, and the terms on which a session is resumed in terms.go.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	resumption.go agreed.go psk.go digest.go config.go       what a side may do, and what was agreed
//	grease.go psk13.go choice.go print.go                    what a hello is made of, and a choice
//	extension.go read.go agree.go                            a row of the table, read and applied
//	quic.go extensions13.go extensions12.go certtypes.go     the functions in the rows
//	choose.go terms.go extensions.go choose13.go shares13.go  the table, and a server's choices
//	acceptable.go                                            what a live peer must reject
//
// Nothing here waits, does I/O or has a state, except for what is kept (Kept). The only secrets
// that anything is computed from are pre-shared keys: nothing is signed or decrypted with the keys
// of a Config's credentials. Package handshake performs slow operations, such as finding a session
// in a store, before it calls this package.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package negotiation
