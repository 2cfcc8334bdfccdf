// Package handshake implements the handshakes of RFC 5246 and RFC 8446 from their figures: each
// figure is a table of lines (figures12.go, figures13.go); one state machine, the spine (spine.go),
// walks it in three roles, the players: client, server and observer.
//
// The spine does what all three share: the order of messages, the transcript, the negotiated
// parameters, the points where secrets are derived and keys change, and the events. The players
// differ in two things only: who composes a message, and where the shared secret comes from.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	transcript.go secrets.go score.go exchange.go          what was sent, and what is known of it
//	line.go pending.go late_context.go machine.go spine.go  the figures' parts, and who walks them
//	install.go early.go effects.go                          what lines change
//	figures12.go figures13.go figures.go                    the figures
//	player.go rawkeys.go compression.go psk12.go           what a client and a server share
//	client.go server.go resume.go                           both, whatever the version
//	early_client.go early_server.go tickets13.go
//	offered13.go client12.go client13.go client_hello.go    the client
//	cookie.go request13.go selected13.go server12.go
//	server13.go server_hello.go                             the server
//	roles.go late.go observer.go late_watch.go quic.go
//	print.go                                                the rest
//
// The cookies of retries are in cookie.go, binders in offered13.go and selected13.go, what keeps
// early data from being replayed in early_server.go, certificates after the handshake in late.go.
//
// It implements RFC 5246 §7.3 and §7.4 with both its figures, sessions by ID and by ticket (RFC
// 5077), the extended master secret (RFC 7627), RFC 7366 §3, RFC 5746 §3, pre-shared keys (RFC
// 4279) and the extensions of package negotiation, with the key exchanges of package suite; and RFC
// 8446 with its Figures 1 to 4, retries, client certificates, also after the handshake, pre-shared
// keys, tickets and early data, over records or in QUIC. An observer also follows SSL 3.0, the
// ClientHello in the form of SSL 2.0, and static and anonymous Diffie-Hellman, none of which a
// client or a server here performs (a server under policy Legacy accepts that ClientHello). A
// server never renegotiates, because renegotiation has led to several attacks.
//
// What Go cannot promise: secrets are cleared where that is easy, but the garbage collector may
// have copied them. What depends on a secret in time is in kex, keys and record, and documented
// there; here verify_data is compared in constant time.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package handshake
