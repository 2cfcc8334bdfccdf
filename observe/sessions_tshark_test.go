package observe_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/session"
)

// A dialogue is a kind of connection that is recorded, once or several times with the same Configs,
// for tshark to read.
type dialogue struct {
	what  string
	times int
	edit  func(t *testing.T, client, server *vitrine.Config)
	early bool
	// refuse is called between the first connection and the others.
	refuse func(server *vitrine.Config)
	// forgets says that the server does not resume either since then.
	forgets bool
}

// dialogues are those of which the captures of the index have few or none.
var dialogues = []dialogue{
	{what: "TLS 1.2, by a ticket", times: 3, edit: resumes(rig.Until12)},
	{what: "TLS 1.2, by a session ID", times: 2, edit: func(t *testing.T, c, s *vitrine.Config) {
		resumes(rig.Until12)(t, c, s)
		s.SessionTicketsDisabled, s.SessionStore = true, session.NewMemory(9)
	}},
	{what: "TLS 1.3, by a ticket", times: 3, edit: resumes(rig.Only13)},
	{what: "TLS 1.3, early data", times: 3, edit: resumes(rig.Only13), early: true},
	{what: "TLS 1.3, early data that is rejected", times: 2, edit: resumes(rig.Only13), early: true,
		refuse: func(s *vitrine.Config) { s.MaxEarlyData = 0 }},
	{what: "TLS 1.3, early data before a retry", times: 2, edit: resumes(rig.Only13), early: true,
		refuse: func(s *vitrine.Config) {
			s.CurvePreferences = []tls.CurveID{tls.CurveP521}
		}},
	{what: "TLS 1.3, early data before a retry with another suite", times: 2,
		edit: func(t *testing.T, c, s *vitrine.Config) {
			resumes(rig.Only13)(t, c, s)
			s.CipherSuites13 = []uint16{uint16(iana.TLS_CHACHA20_POLY1305_SHA256)}
		},
		early: true, refuse: func(s *vitrine.Config) {
			s.CurvePreferences = []tls.CurveID{tls.CurveP521}
			s.CipherSuites13 = []uint16{uint16(iana.TLS_AES_128_GCM_SHA256)}
		}},
	{what: "TLS 1.2, raw public keys", times: 1, edit: rawBoth(rig.Until12)},
	{what: "TLS 1.3, raw public keys", times: 2, edit: rawBoth(rig.Only13)},
	{what: "TLS 1.3, an external key", times: 1, edit: func(_ *testing.T, c, s *vitrine.Config) {
		for _, config := range []*vitrine.Config{c, s} {
			rig.Only13(config)
			config.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
				return &vitrine.PSK{Identity: []byte("me"), Key: bytes.Repeat([]byte{7}, 32)}, nil
			}
		}
	}},
}

// resumes lets both sides resume, with early data where the version has it.
func resumes(version func(*vitrine.Config)) func(*testing.T, *vitrine.Config, *vitrine.Config) {
	return func(_ *testing.T, c, s *vitrine.Config) {
		version(c)
		version(s)
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
		if c.MaxVersion == vitrine.VersionTLS13 {
			s.SessionStore, s.MaxEarlyData = session.NewMemory(9), 1000
		}
	}
}

// rawBoth lets both sides show raw public keys and resume.
func rawBoth(version func(*vitrine.Config)) func(*testing.T, *vitrine.Config, *vitrine.Config) {
	return func(t *testing.T, c, s *vitrine.Config) {
		resumes(version)(t, c, s)
		key := rig.Certificate(t, throwaway.Ed25519).PrivateKey.(crypto.Signer)
		pin, err := vitrine.RawKeyPin(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		for _, config := range []*vitrine.Config{c, s} {
			config.Certificates = []tls.Certificate{vitrine.RawPublicKey(key)}
			config.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
			config.RawKeyPins = [][32]byte{pin}
		}
		s.ClientAuth = tls.RequireAndVerifyClientCert
	}
}

// taped is a connection of which both directions are written to a tape.
type taped struct {
	net.Conn
	me iana.Side
	mu *sync.Mutex
	to *tape
}

func (c taped) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to.Bytes(c.me, time.Time{}, b)
	return c.Conn.Write(b)
}

// serveOnce is a server that reads early data, shakes hands, reads to the end and answers.
func serveOnce(s *vitrine.Conn, answer []byte) error {
	for b := make([]byte, 99); ; {
		if _, err := s.ReadEarly(b); err != nil {
			break // the end, or the handshake's error comes again
		}
	}
	if err := s.Handshake(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	if _, err := s.Write(answer); err != nil {
		return err
	}
	return s.Close()
}

// hold performs the dialogue's connections, and returns their tapes and what each side sent.
func (d *dialogue) hold(t *testing.T, log io.Writer) (tapes []*tape, sent [][2][]byte) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	client, server := rig.ClientConfig(), rig.ServerConfig(t)
	d.edit(t, client, server)
	client.Time, server.Time, client.KeyLogWriter = now, now, log
	for i := range d.times {
		if i == 1 && d.refuse != nil {
			d.refuse(server)
		}
		all, mu := &tape{}, &sync.Mutex{}
		a, b := rig.Wires(t)
		c := vitrine.Client(taped{a, iana.Client, mu, all}, client)
		s := vitrine.Server(taped{b, iana.Server, mu, all}, server)
		said := [2][]byte{[]byte("what the client says in connection "), []byte("an answer")}
		served := make(chan error, 1)
		go func() { served <- serveOnce(s, said[1]) }()
		if d.early && i > 0 {
			for _, part := range []string{"early ", "data"} { // each is a record
				if _, err := c.WriteEarly([]byte(part)); err != nil {
					t.Fatalf("%s: %v", d.what, err)
				}
			}
		}
		if err := c.Handshake(); err != nil && !errors.Is(err, vitrine.ErrEarlyDataRejected) {
			t.Fatalf("%s: %v", d.what, err)
		}
		if _, err := c.Write(said[0]); err != nil {
			t.Fatalf("%s: %v", d.what, err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if err := errors.Join(err, <-served); err != nil || !bytes.Equal(got, said[1]) {
			t.Fatalf("%s: got %q, %v", d.what, got, err)
		}
		state := c.ConnectionState()
		if state.DidResume != (i > 0 && !d.forgets) && d.times > 1 {
			t.Errorf("%s: connection %d is resumed: %v", d.what, i, state.DidResume)
		}
		if accepted := state.EarlyData == vitrine.EarlyDataAccepted; d.early && i > 0 &&
			accepted != (d.refuse == nil) {
			t.Errorf("%s: early data is accepted: %v", d.what, accepted)
		} else if d.early && i > 0 { // which is read, accepted or not
			said[0] = slices.Concat([]byte("early data"), said[0])
		}
		mu.Lock()
		tapes, sent = append(tapes, all), append(sent, said)
		mu.Unlock()
		ahead.Add(int64(time.Minute)) // the server is not new any more
	}
	return tapes, sent
}

// What tshark reads of connections that resume, have early data, show raw public keys or have an
// external key, we read too, and it is what was sent.
func TestSessionsAndEarlyDataAreReadAsByTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed (apt-get install tshark)")
	}
	var file, keys bytes.Buffer
	w := capture.NewWriter(&file, capture.WriterOptions{})
	var all []*damaged
	var sent [][2][]byte
	for _, d := range dialogues {
		tapes, said := d.hold(t, &keys)
		for i, one := range tapes {
			for _, p := range packetsOf(t, one, uint16(10000+len(all))) {
				if err := w.Packet(p); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, &damaged{what: fmt.Sprintf("%s, connection %d", d.what, i)})
			sent = append(sent, said[i])
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	log, err := keylog.Read(bytes.NewReader(keys.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	readOurs(t, &file, all, observe.KeyLog(log))
	readByTshark(t, file.Bytes(), keys.Bytes(), all)
	for i, d := range all {
		for side := range 2 {
			ours, theirs := bytes.Join(d.ours[side], nil), bytes.Join(d.theirs[side], nil)
			want := sent[i][side]
			if !bytes.Equal(theirs, want) {
				t.Errorf("%s, the %v: sent %q, tshark reads %q", d.what, iana.Side(side), want,
					theirs)
			}
			if !bytes.Equal(ours, want) {
				t.Errorf("%s, the %v: sent %q, we read %q", d.what, iana.Side(side), want, ours)
			}
		}
	}
}
