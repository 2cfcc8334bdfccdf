// Package recompute computes a TLS 1.2 connection a second time, from its events alone, and says
// where they are wrong.
//
// It is the check that the glass does not lie. It shares nothing with the stack: it reads the JSON
// lines as plain JSON, parses the raw messages by itself, and leaves all cryptography to the
// openssl command, but for two things that the command cannot do: a finite-field exponentiation
// (math/big) and GHASH (ghash.go). A test holds it to the standard library.
//
// It begins with the private keys (ephemeral, or the throw-away RSA key), the raw messages and the
// record fragments, and ends with the plaintext: pre_master_secret, master_secret with and without
// RFC 7627, key_block and its split, session hash, verify_data, every record with MAC or tag, both
// signatures. Everything else in the events is a claim that must come out equal. It leaves out
// certificate chains (pki's tests have those) and resumption, whose master_secret comes from
// another stream.
package recompute

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Tally counts the values that came out equal, by kind.
type Tally map[string]int

// An event is one line, as JSON has it.
type event map[string]any

func (e event) text(name string) string {
	s, _ := e[name].(string)
	return s
}

// bytes is a field of hex. What is no hex is nil, and so unequal to anything.
func (e event) bytes(name string) []byte {
	b, err := hex.DecodeString(e.text(name))
	if err != nil {
		return nil
	}
	return b
}

// Check recomputes the connection that r tells, once from the client's view and once from the
// server's: a whole one, with data and close_notify both ways. The error lists all that came out
// otherwise, or what was missing.
func Check(o *OpenSSL, r io.Reader) (Tally, error) {
	events, err := read(r)
	if err != nil {
		return nil, err
	}
	tally := Tally{}
	keys := map[string][]byte{}
	for _, e := range events {
		if e.text("event") == "throwaway_key" {
			keys[e.text("from")] = e.bytes("private")
		}
	}
	var wrong []error
	for _, role := range []string{"client", "server"} {
		v := newView(o, role, tally)
		v.rsaKey = keys["server"]
		for _, e := range events {
			if e.text("role") == role {
				v.take(e)
			}
		}
		v.finish()
		for _, err := range v.wrong {
			wrong = append(wrong, fmt.Errorf("the %s's view: %w", role, err))
		}
	}
	return tally, errors.Join(wrong...)
}

func read(r io.Reader) (events []event, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(events)+1, err)
		}
		events = append(events, e)
	}
	return events, lines.Err()
}
