// Package recompute computes the values of a TLS 1.2 connection a second time, from its events, and
// reports where the events are wrong.
//
// It checks the stack without using it: it reads the JSON lines as plain JSON, parses the raw
// messages itself, and leaves all cryptography to the openssl command, except for two operations
// that the command does not have: exponentiation in a finite field (math/big) and GHASH (ghash.go).
// A test checks that it imports nothing but the standard library.
//
// It starts from the private keys (ephemeral keys, or the throw-away RSA key), the raw messages and
// the record fragments, and ends with the plaintext. On the way it recomputes the
// pre_master_secret, the master_secret with and without RFC 7627, the key_block and its parts, the
// session hash, verify_data, every record with its MAC or tag, and both signatures. Everything else
// in the events must be equal to what it computed.
//
// Left out: certificate chains, which the tests of pki check, and resumption, since the
// master_secret of a resumed session is in another stream.
package recompute

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Tally counts the values that were equal, by kind.
type Tally map[string]int

// An event is a line of JSON.
type event map[string]any

func (e event) text(name string) string {
	s, _ := e[name].(string)
	return s
}

// bytes returns a field in hex, or nil if it is not hex, which is not equal to any value.
func (e event) bytes(name string) []byte {
	b, err := hex.DecodeString(e.text(name))
	if err != nil {
		return nil
	}
	return b
}

// Check recomputes the connection in the events of r, once from the client's events and once from
// the server's. It must be a complete connection, with data and close_notify in both directions.
// The error lists all values that differ, and those that are missing.
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
