// Package engine connects a byte stream to a handshake, without blocking. It splits what arrives
// into records (RFC 5246 §6.2), opens them, joins handshake messages, and answers post-handshake
// messages.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	outbound.go inbound.go hello2.go items.go  sealed records out; bytes in, and the items in them
//	engine.go engine12.go late.go engine13.go  one end, and its messages after the handshake
//	rules.go seal.go early.go failed.go        what depends on the version; data; why it failed
//	advance.go read.go replies.go drive.go     the handshake, reading after it, and answers
//	first.go quic.go print.go                  before a handshake; for QUIC; printing
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package engine
