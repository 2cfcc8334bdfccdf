package main

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// sampled introduces figures of perf's.
const sampled = "By `perf record -e cpu-clock`, at a load of 20, "

// because says what stands between a row and its goal. What the processor does meanwhile is
// measured, and comes before it.
func (r row) because() string {
	cbc := r.Suite == iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
	switch {
	case r.What == full && r.Key == rsa:
		return "The private operation of RSA 2048 is most of it, and crypto/rsa's on both sides."
	case r.What == full && r.Group == hybrid, r.What == byPSK && r.Group == hybrid:
		return "ML-KEM is crypto/mlkem's on both sides: the difference to the row with X25519 " +
			"alone. Both clients make one key of X25519 for their two shares."
	case r.What == full:
		return "Signatures, verifying them, and the key exchange are the standard library's on " +
			"both sides. The instructions are no more than crypto/tls's: what is saved in memory " +
			"is spent on layouts and tables, and cachegrind counts SHA-256 without the " +
			"instructions that this processor has for it. " + sampled + "of a handshake of " +
			"TLS 1.3 with Ed25519 the stack's own code and its HMACs take 139 of 1,091 µs beside " +
			"73 of 1,023, and the runtime 148 beside 157."
	case r.What == byPSK && r.Version == tls13:
		return "X25519 is most of it: four multiplications, of which those for the public keys " +
			"take no table, and crypto/ecdh's on both sides. Of the rest, the stack's own code " +
			"takes more instructions than crypto/tls's, as in the row with a ticket."
	case r.What == byPSK || r.What == byID:
		return "The system calls are the same, one for one. There are no public keys, so that " +
			"what runs once for each message shows: by ticket, callgrind counts 84,000 " +
			"instructions of our packages at both ends beside crypto/tls's 28,000, and of the " +
			"rest of the standard library, without cryptography and the runtime, 14,000 beside " +
			"30,000; memory takes 51,000 for 191 objects beside 83,000 for 319. A quarter of " +
			"ours is the layouts of messages (package wire), a third choices and conditions from " +
			"tables: the price of a protocol that is data. All its instructions hide that behind " +
			"SHA-256, for which valgrind's processor has none of its own: half of what is " +
			"counted, and a tenth of the time here. Each also takes longer than crypto/tls's, " +
			"since there is more code: a handshake runs through 433 functions of ours where " +
			"crypto/tls has 152, and for a cache of 32 KiB callgrind (--cache-sim=yes) counts " +
			"9,500 misses of instructions beside 7,300. By `perf record -e cpu-clock`, at a load " +
			"of 13, our packages take 44 of 169 µs, crypto/tls 19 of 169, and the runtime 45 " +
			"beside 57."
	case r.What == bulk && cbc:
		return "Each record is opened in the same time whatever its padding (RFC 5246 §6.2.3.2), " +
			"and AES-CBC of the standard library encrypts one block at a time."
	case r.What == bulk && r.Size < 16<<10, r.What == echo:
		return "The cipher and the system calls, one for each write, are the same in both stacks."
	case r.What == bulk, r.What == copied:
		return "The cipher and the system calls, one for each write, are the same in both " +
			"stacks. What is left is copying: into what Read is given and, in TLS 1.3, of the " +
			"content in front of its type."
	case r.What == http2:
		return "The system calls are the same. HTTP/2 is golang.org/x/net's, and with crypto/tls " +
			"net/http's own copy of it."
	case r.What == http1:
		return "The system calls and nine tenths of the rest, which are net/http's, are the " +
			"same: the two connections take 7,700 of 124,000 instructions, crypto/tls's 4,100 " +
			"of 119,000. net/http tells which connection was used, for Response.TLS, only to a " +
			"trace, which is a context and a copy of each request."
	case r.What == opened:
		return "It is the server's half of a full handshake. What the open connections add is " +
			"the collector's walk through what they hold: see the next row."
	case r.What == held:
		return "Nothing was received on these connections, so that crypto/tls has no buffers yet " +
			"(see the idle ones for those that were used). Of Vitrine's end 2.1 KB are the " +
			"stack, 6.3 KB live objects and 2 KB what is free between them. 1.5 KB of the " +
			"objects are the two ciphers, 0.8 KB net's and the runtime's own; 0.5 KB are the " +
			"configuration that tickets, new keys and requests for certificates follow, 3.5 KB " +
			"the state of both halves, the connection and what ConnectionState tells."
	}
	return ""
}

// profile says what Vitrine's time goes to, and how much of crypto/tls's time is left for what a
// stack does itself.
func (r result) profile() string {
	mine, theirs := r.shares[0], r.shares[1]
	if mine == (shares{}) {
		return ""
	}
	text := fmt.Sprintf("%v. ", mine)
	if theirs == (shares{}) {
		return text
	}
	text += fmt.Sprintf("Of crypto/tls's time %.0f %% are the same cryptography and system calls",
		100*theirs.fixed())
	if theirs.fixed() > r.goal {
		return text + ": a stack that did nothing else would miss the goal. "
	}
	return text + fmt.Sprintf(", which leaves %.0f %% of it for everything else. ",
		100*(r.goal-theirs.fixed()))
}

// behind returns a list of the rows whose goals are not met, and why.
func behind(results []result) string {
	var b strings.Builder
	for _, r := range results {
		if r.met() {
			continue
		}
		fmt.Fprintf(&b, "- **%s: %s** (%.2f, goal %.2f): ", r.section, r.name, r.worst(), r.goal)
		b.WriteString(r.profile())
		fmt.Fprintf(&b, "%s\n", r.because())
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n### What stands in the way\n\nOf the rows that miss their goal: what the processor " +
		"time goes to, by profiles of 1.5 seconds, and why.\n\n" + b.String()
}
