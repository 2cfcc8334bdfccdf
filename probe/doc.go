// Package probe finds out what a TLS server can do, by asking it.
//
// A question is one connection with one ClientHello, and the server's answer in the clear; it can
// also offer what this stack does not implement. Few questions are needed: what a server accepts is
// found by leaving out, one by one, what it chose. Each fact is seen (in a message of the server)
// or inferred (from what it refused); what could not be found out is "not told", and never "no": a
// "no" requires a refusal, and an answer to the same hello without the tested feature.
//
// The files:
//
//	probe.go suites.go order.go facts.go      the order of the questions, and the questions
//	sessions.go tolerance.go weaknesses.go    more of them: resumption, odd hellos, attacks
//	offer.go ask.go answer.go speak.go        a hello, a connection, an answer; whole handshakes
//	report.go certificate.go                  what is told
//	findings.go rules.go policy.go            what is wrong with it
//	changes.go sarif.go junit.go testssl.go   reports compared, and in other forms
//	sketch.go compare.go verdict.go           a few questions, for a client that failed; waiting
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package probe
