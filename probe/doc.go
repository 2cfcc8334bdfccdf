// Package probe finds out what a TLS server can do, by asking it.
//
// A question is one connection with one ClientHello, and the server's answer in the clear; it can
// also offer what this stack does not implement. Few questions are needed: what a server accepts is
// found by leaving out, one by one, what it chose. Each fact is seen (in a message of the server)
// or inferred (from what it refused); what could not be found out is "not told", and never "no": a
// "no" requires a refusal, and an answer to the same hello without the tested feature.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	text.go offer.go answer.go              a hello, and the answer to it
//	fates.go ask.go                         their connection, and what became of hellos
//	verdict.go speak.go                     what comes within a time; whole handshakes
//	report.go prober.go certificate.go      what is told, and the run that finds it out
//	refusal.go                              whether a lost connection is a refusal
//	suites.go order.go collect.go           suites, groups, signature schemes and their order
//	facts.go sessions.go tolerance.go       questions: extensions, resumption, odd hellos
//	questions.go weaknesses.go              their order, and questions like attacks
//	conditions.go rules.go findings.go      what is wrong with it
//	probe.go                                all of it
//	policy.go changes.go                    reports judged by a policy, and compared
//	sarif.go junit.go testssl.go            reports in other forms
//	sketch.go compare.go                    a few questions, for a client that failed
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package probe
