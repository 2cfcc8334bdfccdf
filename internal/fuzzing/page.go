package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// page is docs/fuzzing.md.
func page(all map[string]result) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	var sum, last time.Duration
	var lastName string
	low, found := 0, 0
	for _, t := range targets {
		r := all[t.key()]
		if r.last > 0 { // the minutes of all targets, one after the other
			found, last, lastName = found+1, sum+r.last, t.name
		}
		sum += r.total
		reached := fmt.Sprintf("%.0f %%", r.coverage)
		if r.coverage == 0 {
			reached = "not measured"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", t.pkg, t.name,
			strings.ReplaceAll(t.attacks, "*", `\*`), reached, minutes(r.total), minutes(r.last))
		if r.coverage > 0 && r.coverage < 90 {
			low++
		}
	}
	fmt.Fprintf(&b, "\nAltogether %s of fuzzing, one target after the other. %d of %d targets "+
		"found something new in it;\nthe last of them was %s, at %s of that time.\n", minutes(sum),
		found, len(targets), lastName, minutes(last))
	fmt.Fprintf(&b, "The goal is 90 %% of the statements: %d of %d targets are below it by their "+
		"corpus alone.\n", low, len(targets))
	b.WriteString(tail)
	return b.Bytes()
}

// minutes is a time in minutes and seconds.
func minutes(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

const head = `# Fuzzing

Every parser of what a stranger sends, the record layer and the engine have a fuzz target. The
corpora are the seeds in the code (published vectors, captures, valid connections of every kind,
and what becomes of them by one fault: internal/testkit.Spoil) and what lies in testdata/fuzz. CI
runs all of that as tests, and then changes a sample of it for a second with each target: an input
that fails fails the run, which prints it; a process that a busy machine did not let come to an end
is named and fails nothing. "./test.sh fuzz 10m" runs each for ten minutes.

    go run ./internal/fuzzing                       # measures, and writes this page
    go run ./internal/fuzzing -time 10m             # fuzzes before; the time adds up
    go run ./internal/fuzzing -brief 1s             # as CI does; measures and writes nothing
    go run ./internal/fuzzing -keep                 # keeps what was found and reaches more
    go run ./internal/fuzzing -missed -only FuzzX   # prints what the corpus does not reach

Measured is how many statements of the functions that a target attacks its corpus reaches without
fuzzing. These are files of the package, each with the functions that count, or as a whole
(internal/fuzzing/targets.go): what parses, and what it calls, and neither what writes nor what
prints. The last two columns are minutes and seconds: fuzzed altogether, and into that when
something new was last found.

| package | target | attacks | reached | fuzzed | last new |
|---|---|---|---|---|---|
`

const tail = `
## Second opinions

| of | target or test | compared with |
|---|---|---|
| ClientHello | FuzzHello | crypto/tls, which reads the same suites, groups and names |
| states of a handshake | FuzzStates | crypto/tls, which comes to the end of the same handshakes |
| lines that other programs print | FuzzReport | what was printed |
| finite fields | FuzzFiniteField | math/big, share and secret |
| RSA-encrypted secrets | FuzzRSA | math/big, which decides what was sent |
| AEADs of TLS 1.3 | FuzzAEAD | the standard library's, and x/crypto's, both ways |
| chains | FuzzVerify | crypto/x509, where it knows all signatures |
| verdicts about chains that were kept | FuzzVerdicts | verifying anew |
| private keys | FuzzParsePrivateKey | crypto/x509 |
| damaged captures | TestDamagedCapturesAreReadAsByTshark | tshark, as far as it reads them |
| sessions and early data in captures | TestSessionsAndEarlyDataAreReadAsByTshark | tshark |
| captures | TestStreamsMatchTshark, TestEveryCaptureOfTheIndexIsReadAsByTshark | tshark's answers |

FuzzStates has full handshakes of TLS 1.2 and 1.3, with client certificates and a retry, and
resumptions by a ticket of both, also the tickets behind them. The states of handshakes with
session IDs, external keys, raw public keys, early data and in QUIC have no second opinion:
FuzzMachine, FuzzEngine, FuzzScenes and FuzzQUIC compare them with the transcript that is right;
tshark reads captures of all of these but QUIC, as we do. crypto/tls goes on where we do not in two
cases: in TLS 1.2 it does not read a second Finished in the record of the first, and in TLS 1.3 it
passes over a protected ChangeCipherSpec, which RFC 8446 §5 forbids.

Of damaged captures CI compares 48 connections with tshark; more of them, here 800:

    go test -v -run TestDamagedCapturesAreReadAsByTshark ./observe -damaged 100
`
