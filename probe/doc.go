// Package probe finds out what a TLS server can do, by asking it.
//
// A question is one connection with one ClientHello, and what the server answers in the clear; the
// question offers also what this stack refuses to speak. A plan asks few of them: what a server
// accepts is found by leaving out, one by one, what it chose. Each fact is seen (in a message of
// the server) or inferred (from what it refused); what could not be found out is "not told", and
// never "no": a "no" needs a refusal beside an answer to the same hello without the tested thing.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package probe
