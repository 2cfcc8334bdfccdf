// Package session keeps the state from which later connections resume: stores of sessions, and the
// keys that tickets are sealed with. See RFC 5246 §7.3, RFC 5077 and RFC 8446 §4.6.1.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	session.go store.go ticket.go   sessions, stores, and the keys of tickets
//	print.go                        printing
//
// It is part of Vitrine's API.
package session
