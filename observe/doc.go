// Package observe reads watched connections: from the two streams of bytes and any secret that
// suffices, it derives the same keys and reads the same data as the client and the server.
//
// It needs no timestamps, and the streams may come in any interleaving: a handshake message waits
// until the figure says that it is its sender's turn. Alerts and application data do not wait,
// since the figures do not order them.
//
// It reads SSL 3.0 to TLS 1.3 with every suite that package suite has a row for, also those that
// are only read; resumption (RFC 5246 §7.3, RFC 5077), renegotiation (RFC 5246 §7.4.1.1),
// compression (RFC 3749), and in TLS 1.3 what a key log has secrets for, or all of it with what the
// key schedule begins with. Content is passed on only after its record was authenticated, and a
// secret is tried on a record before it is used, unless the capture has no such record. Where
// bytes are missing, it continues as soon as it can, and reports how many are missing. It does not
// read DTLS or SSL 2.0, except for the ClientHello in SSL 2.0's form.
//
// An observer sends no answer, so nothing here is constant in time.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	reason.go report.go inflate.go                  what is reported
//	lane.go cut.go                                  the bytes of a direction, and its records
//	candidate.go sessions.go connection.go          secrets to try; one watched connection
//	protocol.go source.go schedule.go               what depends on the version; the sources
//	secret.go bridge.go leap.go early.go            which secret opens; where keys change
//	find.go copies.go                               where bytes are missing
//	batch.go open.go ending.go why.go               opening records; the end, and the report
//	run.go bounds.go observe.go                     the loop; its bounds; feeding bytes
//	protocol12.go protocol13.go                     the steps of the two protocols
//	sniff.go stream.go stream_report.go             a TCP connection that may contain TLS
//	watch.go jobs.go finish.go inside.go work.go    all connections of a capture, on all cores
//	print.go                                        printing
//
// It is part of Vitrine's API.
package observe
