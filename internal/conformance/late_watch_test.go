package conformance_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// watchLate makes a connection in which a client authenticates twice after the handshake, with new
// keys before each time, and returns what both sides sent and a key log of it.
func watchLate(t *testing.T, edit func(*vitrine.Config)) (tapes [2][]byte, log *keylog.Log) {
	t.Helper()
	a, b := rig.Wires(t)
	ends := [2]*taped{{Conn: a}, {Conn: b}}
	var lines bytes.Buffer
	late := func(c *vitrine.Config) { c.PostHandshakeAuth = true }
	client := rig.ClientConfig(rig.Only13, late, edit, func(c *vitrine.Config) {
		c.Certificates = []tls.Certificate{rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)}
		c.KeyLogWriter = &lines
	})
	server := rig.ServerConfig(t, rig.Only13, late, edit, func(c *vitrine.Config) {
		c.ClientCAs = rig.Authority().Pool()
	})
	c, s := vitrine.Client(ends[0], client), vitrine.Server(ends[1], server)
	if err, other := rig.Shake(c, s); err != nil || other != nil {
		t.Fatal(err, other)
	}
	for range 2 {
		if err := c.KeyUpdate(true); err != nil {
			t.Fatal(err)
		}
		if errs := ask(t, c, s, tls.RequireAndVerifyClientCert); errs != [2]error{} {
			t.Fatal(errs)
		}
	}
	log = &keylog.Log{}
	if err := log.Merge(&lines); err != nil {
		t.Fatal(err)
	}
	for side, end := range ends {
		tapes[side] = bytes.Clone(end.tape.Bytes())
	}
	return tapes, log
}

// An observer reads the messages with which a client shows itself after the handshake, whichever
// direction is ahead, and compares the Finished. See RFC 8446 §4.6.2.
func TestObserverReadsAuthenticationAfterTheHandshake(t *testing.T) {
	for name, edit := range map[string]func(*vitrine.Config){
		"plain": func(*vitrine.Config) {},
		"compressed": func(c *vitrine.Config) {
			c.CertificateCompression = []iana.CertificateCompressionAlgorithm{iana.Zlib}
		},
	} {
		tapes, log := watchLate(t, edit)
		for _, first := range []iana.Side{iana.Client, iana.Server} {
			for _, step := range []int{11, 1 << 16} {
				var seen trace.Memory
				o := observe.New(observe.KeyLog(log), &seen)
				for _, from := range []iana.Side{first, first.Peer()} {
					for b := range slices.Chunk(tapes[from], step) {
						if err := o.Feed(from, b); err != nil {
							t.Fatalf("%s, the %v first: %v", name, first, err)
						}
					}
				}
				o.Close()
				if got := lateEvents(seen.Entries); got != (lateCounts{2, 2, 2, 2, 4}) {
					t.Errorf("%s, the %v first, by %d bytes: got %+v", name, first, step, got)
				}
			}
		}
	}
}

// lateCounts counts the messages that an observer read after the handshake, and all that it
// compared.
type lateCounts struct{ requests, certificates, proofs, finished, verified int }

func lateEvents(entries []trace.Entry) (n lateCounts) {
	done := false
	for _, e := range entries {
		switch x := e.Event.(type) {
		case *trace.Done:
			done = true
		case *trace.Verified:
			if x.What == "finished" {
				n.verified++
			}
		case *trace.Message:
			switch x.Type {
			case iana.CertificateRequest:
				n.requests++
			case iana.Certificate, iana.CompressedCertificate:
				if x.From == iana.Client {
					n.certificates++
				}
			case iana.CertificateVerify:
				if x.From == iana.Client {
					n.proofs++
				}
			case iana.Finished:
				if done {
					n.finished++
				}
			}
		}
	}
	return n
}

// An observer compares the Finished of an answer with the request that it answers and all that is
// in between. What it cannot compare is no error.
func TestObserverComparesFinishedAfterTheHandshake(t *testing.T) {
	tapes, log := watchLate(t, func(*vitrine.Config) {})
	watched := func() (*observe.Connection, [][]byte) {
		var seen trace.Memory
		o := observe.New(observe.KeyLog(log), &seen)
		for side, tape := range tapes {
			if err := o.Feed(iana.Side(side), tape); err != nil {
				t.Fatal(err)
			}
		}
		var messages [][]byte // of the last answer: its request, and what the client says
		for _, e := range seen.Entries {
			m, ok := e.Event.(*trace.Message)
			if ok && m.Type == iana.CertificateRequest {
				messages = nil
			}
			if ok && m.Type != iana.KeyUpdate {
				messages = append(messages, bytes.Clone(m.Raw))
			}
		}
		return o, messages
	}
	for _, c := range []struct {
		what string
		edit func(messages [][]byte) [][]byte
		want string
	}{
		{"as it was", func(m [][]byte) [][]byte { return m }, ""},
		{"another Finished", func(m [][]byte) [][]byte { m[3][9] ^= 1; return m },
			"verify_data does not match"},
		{"another signature", func(m [][]byte) [][]byte { m[2][20] ^= 1; return m },
			"verify_data does not match"},
		{"no signature", func(m [][]byte) [][]byte { return [][]byte{m[0], m[1], m[3]} },
			"verify_data does not match"},
		{"a request that was not heard", func(m [][]byte) [][]byte { return m[1:] }, ""},
		{"an answer to another request", func(m [][]byte) [][]byte { m[1][5] ^= 1; return m }, ""},
		{"a Finished alone", func(m [][]byte) [][]byte { return m[3:] }, ""},
		{"a malformed certificate", func(m [][]byte) [][]byte { m[1] = m[1][:9]; return m }, ""},
	} {
		o, messages := watched()
		if len(messages) != 4 {
			t.Fatalf("%d messages, expected 4", len(messages))
		}
		var err error
		for _, raw := range c.edit(messages) {
			from := iana.Client
			if raw[0] == byte(iana.CertificateRequest) {
				from = iana.Server
			}
			if err = o.Machine().Overhear(from, raw); err != nil {
				break
			}
		}
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") ||
			err != nil && !bytes.Contains([]byte(got), []byte(c.want)) {
			t.Errorf("%s: got %v, expected %q", c.what, err, c.want)
		}
	}
}

// A client's certificate waits for a request only as long as one may come.
func TestObserverReadsOnWithoutTheRequest(t *testing.T) {
	tapes, log := watchLate(t, func(*vitrine.Config) {})
	for what, lose := range map[string]func(o *observe.Connection, rest []byte){
		"the server's bytes are missing": func(o *observe.Connection, rest []byte) {
			o.Gap(iana.Server, int64(len(rest)))
		},
		"the server's bytes never come": func(*observe.Connection, []byte) {},
	} {
		o := observe.New(observe.KeyLog(log), nil)
		var read int
		o.Data = func(from iana.Side, b []byte) {
			if from == iana.Client {
				read += len(b)
			}
		}
		at := firstFlight(tapes[iana.Server])
		o.Feed(iana.Server, tapes[iana.Server][:at])
		if err := o.Feed(iana.Client, tapes[iana.Client]); err != nil {
			t.Fatal(err)
		}
		lose(o, tapes[iana.Server][at:])
		o.Close()
		if read != 2 {
			t.Errorf("%s: %d bytes of the client were read, expected 2", what, read)
		}
	}
}

// firstFlight returns how many bytes of a server's tape are its hello, its ChangeCipherSpec, and
// the first record under each kind of keys.
func firstFlight(tape []byte) (n int) {
	for range 3 {
		n += 5 + int(tape[n+3])<<8 + int(tape[n+4])
	}
	return n
}
