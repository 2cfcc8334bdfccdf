// Package recompute computes the values of TLS 1.2 and TLS 1.3 connections a second time, from
// their events, and reports where the events are wrong.
//
// It checks the stack without using it: it reads the JSON lines as plain JSON, parses the raw
// messages itself, and leaves all cryptography to the openssl command, except for operations that
// the command does not have: exponentiation in a finite field (math/big), GHASH (ghash.go) and,
// before OpenSSL 3.5, ML-KEM, for which it takes circl's, not the standard library's as the stack
// does. Compressed certificates are expanded by compress/zlib or the commands brotli and zstd. A
// test checks that it imports nothing else.
//
// It starts from the private keys (ephemeral keys, or the throw-away RSA key) and external
// pre-shared keys, the raw messages and the record fragments, and ends with the plaintext. On the
// way it recomputes, in TLS 1.2, the pre_master_secret, the master_secret with and without RFC
// 7627, the key_block and its parts and the session hash; in TLS 1.3 the whole key schedule, with
// binders, exporters, the keys of tickets, the secrets after a KeyUpdate, and what a client proves
// after the handshake; in both, verify_data, every record with its MAC or tag, and all signatures.
// Everything else in the events must be equal to what it computed.
//
// Left out: certificate chains, which the tests of pki check, and resumption in TLS 1.2.
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

// Check recomputes the connections in the events of r, once from the client's events and once from
// the server's. They must be complete, one after the other, with data and close_notify in both
// directions. A connection of TLS 1.3 may resume one before it. The error lists all values that
// differ, and those that are missing.
func Check(o *OpenSSL, r io.Reader) (Tally, error) { return check(o, r, false) }

// CheckUntilWrong is Check that ends with the first event that is wrong, and computes nothing after
// it. Its error names the values of that event alone.
func CheckUntilWrong(o *OpenSSL, r io.Reader) (Tally, error) { return check(o, r, true) }

func check(o *OpenSSL, r io.Reader, untilWrong bool) (Tally, error) {
	events, err := read(r)
	if err != nil {
		return nil, err
	}
	c := checker{o, untilWrong, Tally{}, map[string][]byte{}, map[string][]byte{}}
	roles := map[string][]event{}
	for _, e := range events {
		roles[e.text("role")] = append(roles[e.text("role")], e)
		switch from := e.text("from"); e.text("event") {
		case "throwaway_key":
			c.certified[from] = e.bytes("private")
		case "ephemeral":
			c.ephemeral[fmt.Sprintf("%s %x", from, e.bytes("public"))] = e.bytes("private")
		}
	}
	var wrong []error
	for _, role := range sides {
		tickets := map[string]psk{}
		for _, one := range connections(roles[role]) {
			if untilWrong && len(wrong) > 0 {
				break
			}
			for _, err := range c.check(role, one, tickets) {
				wrong = append(wrong, fmt.Errorf("the %s's view: %w", role, err))
			}
		}
	}
	return c.tally, errors.Join(wrong...)
}

// checker holds what all connections of a stream share.
type checker struct {
	tool       *OpenSSL
	untilWrong bool
	tally      Tally
	certified  map[string][]byte // private keys of certificates, by side
	ephemeral  map[string][]byte // private keys, by sender and public key
}

// check recomputes one connection as one role saw it. It takes keys from tickets, and adds those
// that the connection brings.
func (c checker) check(role string, events []event, tickets map[string]psk) []error {
	v := newView(c.tool, role, c.tally)
	v.untilWrong = c.untilWrong
	if isTLS13(events) {
		v.check13(events, tickets, c.ephemeral)
		return v.wrong
	}
	v.rsaKey = c.certified["server"]
	for _, e := range events {
		if v.take(e); v.ended() {
			return v.wrong
		}
	}
	v.finish()
	return v.wrong
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
