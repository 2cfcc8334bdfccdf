// Package handshake performs the figures of RFC 5246 and RFC 8446: each figure is a table of lines
// (figures12.go, figures13.go), one spine walks it, and three players perform it: client, server and
// observer.
//
// The spine owns what all three share: the order of messages, the transcript, the facts that both
// hellos settle, the points where secrets are derived and keys change, and the events. The players
// differ in two things only: who composes a line, and where the shared secret comes from.
//
// It implements RFC 5246 §7.3 and §7.4 with both its figures, sessions by ID and by ticket (RFC
// 5077), the extended master secret (RFC 7627), RFC 7366 §3, RFC 5746 §3, pre-shared keys (RFC
// 4279) and the extensions of package negotiation, with the key exchanges of package suite; and RFC
// 8446 with its Figures 1 to 4, retries, client certificates, also after the handshake, pre-shared keys,
// tickets and early data, over records or in QUIC. An observer follows more: SSL 3.0 and the SSL 2.0
// hello. Left out: a server that renegotiates, which has caused more attacks than it has served;
// static and anonymous Diffie-Hellman.
//
// What Go cannot promise: secrets are cleared where that is easy, but the garbage collector may
// have copied them. What depends on a secret in time is in kex, keys and record, and said there;
// here verify_data is compared in constant time.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package handshake
