package engine

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// facing is the connection of a crypto/tls that has the liar of a staged connection as its peer.
// Reading from it lets the liar read what was written, and answer: nothing waits, no time passes.
type facing struct {
	net.Conn
	*staged
	toLiar, toVictim []byte
}

func (f *facing) Read(p []byte) (int, error) {
	if len(f.toVictim) == 0 {
		e := f.engines[f.liar]
		arrive(e, f.toLiar)
		f.toLiar = nil
		f.act(f.liar, e)
		f.toVictim = sealed(e)
	}
	n := copy(p, f.toVictim)
	if f.toVictim = f.toVictim[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f *facing) Write(p []byte) (int, error) {
	f.toLiar = append(f.toLiar, p...)
	return len(p), nil
}
func (f *facing) Close() error                     { return nil }
func (f *facing) SetDeadline(time.Time) error      { return nil }
func (f *facing) SetReadDeadline(time.Time) error  { return nil }
func (f *facing) SetWriteDeadline(time.Time) error { return nil }

// meetsCryptoTLS performs a handshake of the liar with crypto/tls.
func (s *staged) meetsCryptoTLS(config *tls.Config) (conn *tls.Conn, err error) {
	f := &facing{staged: s}
	if conn = tls.Server(f, config); s.liar == iana.Server {
		conn = tls.Client(f, config)
	}
	if err = conn.Handshake(); err == nil {
		_, _ = conn.Read([]byte{0}) // what follows, such as tickets
	}
	e := s.engines[s.liar]
	arrive(e, f.toLiar)
	s.act(s.liar, e)
	return conn, err
}

// judgedByCryptoTLS performs a handshake of the liar with crypto/tls, and returns whether that took
// all of it and what follows, and the alert that it sent otherwise.
func (s *staged) judgedByCryptoTLS(config *tls.Config) (done bool, d alert.Description) {
	_, err := s.meetsCryptoTLS(config)
	if got, ok := errors.AsType[*alert.Received](s.errs[s.liar]); ok {
		d = got.Description
	}
	return err == nil && d == alert.CloseNotify, d
}

// A shared scene is one that crypto/tls can play too.
type sharedScene struct {
	scene
	config *tls.Config // what it needs to
	theirs scene       // for a liar that faces crypto/tls: it has that one's session
}

// oneSession is a crypto/tls client's cache that keeps the first session only.
type oneSession struct{ session *tls.ClientSessionState }

func (c *oneSession) Get(string) (*tls.ClientSessionState, bool) {
	return c.session, c.session != nil
}

func (c *oneSession) Put(_ string, s *tls.ClientSessionState) {
	if c.session == nil {
		c.session = s
	}
}

// resumedByBoth are scenes in which a session is resumed: our ends have one of ours and, where they
// face crypto/tls, one that they made with it.
func resumedByBoth(t testing.TB, full *tls.Config) (all []sharedScene) {
	for _, c := range []struct {
		what    string
		base    func(iana.Side) *negotiation.Config
		version uint16
	}{{"TLS 1.2, by a ticket", config, tls.VersionTLS12},
		{"TLS 1.3, by a ticket", config13, tls.VersionTLS13}} {
		make := ticketed(c.base)
		theirs := full.Clone()
		theirs.MinVersion, theirs.MaxVersion = c.version, c.version
		theirs.SetSessionTicketKeys([][32]byte{{1}})
		theirs.ClientSessionCache = &oneSession{}
		var kept *session.Session
		for _, liar := range []iana.Side{iana.Client, iana.Server} {
			first := newStaged(scene{configs: keeping(make, &kept)}, liar, nil)
			if _, err := first.meetsCryptoTLS(theirs); err != nil || kept == nil {
				t.Fatalf("%s, a first handshake of our %v with crypto/tls: %v", c.what, liar, err)
			}
		}
		s := sharedScene{scene{what: c.what, configs: offering(make, firstSession(t, make))},
			theirs, scene{what: c.what, configs: offering(make, kept)}}
		all = append(all, s)
		for _, liar := range []iana.Side{iana.Client, iana.Server} {
			conn, err := newStaged(s.theirs, liar, nil).meetsCryptoTLS(theirs)
			if err != nil || !conn.ConnectionState().DidResume {
				t.Fatalf("%s: crypto/tls does not resume with our %v: %v", c.what, liar, err)
			}
		}
		ours := newStaged(s.scene, iana.Client, nil)
		ours.perform(scene{})
		if m := ours.engines[iana.Server].Machine(); !m.Resumed && !m.ResumedByPSK() {
			t.Fatalf("%s: we do not resume: %v", c.what, ours.errs)
		}
	}
	return all
}

// bothSpeak are the scenes that crypto/tls can play too.
func bothSpeak(t testing.TB) (all []sharedScene) {
	cert, err := authority().Issue(throwaway.Ed25519, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range scenes(t) {
		config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert},
			ServerName: "vitrine.test", RootCAs: authority().Pool(),
			Time: func() time.Time { return throwaway.Epoch }}
		switch c.what {
		case "TLS 1.2, both certified":
			config.ClientAuth = tls.RequireAnyClientCert
			fallthrough
		case "TLS 1.2":
			config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		case "TLS 1.3, both certified":
			config.ClientAuth = tls.RequireAnyClientCert
		case "TLS 1.3":
		case "TLS 1.3, retried":
			config.CurvePreferences = []tls.CurveID{tls.CurveP256}
		default:
			continue
		}
		all = append(all, sharedScene{c, config, c})
	}
	return append(all, resumedByBoth(t, all[0].config)...)
}

// mayDiffer reports whether crypto/tls may come to the end of a handshake in which we do not.
func mayDiffer(ours *staged, err error) bool {
	if alert.Of(err) != alert.UnexpectedMessage {
		return false
	}
	for _, e := range ours.edits {
		if int(e.at) >= len(ours.said) {
			continue
		}
		m, earlier := ours.said[e.at], ours.said[int(e.where)%(int(e.at)+1)]
		doubled, inserted, replaced := e.how%9 == 2, e.how%9 == 3, e.how%9 == 4
		switch {
		case (doubled || inserted && same(m, earlier)) && m.kind == handshake.Kind(iana.Finished) &&
			ours.engines[0].machine.Config().MaxVersion == iana.TLS12:
			return true // it does not read a second one in the same record
		case (inserted || replaced) && earlier.kind == handshake.ChangeCipherSpec:
			return true // it passes over a protected one, which RFC 8446 §5 forbids
		}
	}
	return false
}

// FuzzStates: of valid handshakes in which one side changes, drops, doubles, swaps or cuts a
// message, in every state and under the right keys, crypto/tls and we accept the same.
func FuzzStates(f *testing.F) {
	all := bothSpeak(f)
	keep := testkit.SampleSeeds(4)
	for i := range all {
		for liar := range byte(2) {
			for at := range byte(7) {
				for how := range byte(9) {
					if keep() {
						f.Add(byte(i), liar, at, how, how*31+at*77)
					}
				}
			}
		}
	}
	alike, alerts := 0, 0
	f.Fuzz(func(t *testing.T, which, side, at, how, where byte) {
		i, liar := int(which)%len(all), iana.Side(side%2)
		edits := []edit{{at, how, where}}
		ours := newStaged(all[i].scene, liar, edits)
		ours.perform(scene{})
		err := ours.errs[liar.Peer()]
		we := err == nil && ours.engines[liar.Peer()].Machine().Done()
		config := all[i].config
		if liar == iana.Server && config.CurvePreferences != nil { // a share that is not taken
			config = config.Clone()
			config.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
		}
		they, d := newStaged(all[i].theirs, liar, edits).judgedByCryptoTLS(config)
		if we != they && (we || !mayDiffer(ours, err)) {
			t.Errorf("%s, a lying %v, %+v: we are done: %v (%v), crypto/tls: %v (%v)", all[i].what,
				liar, edits, we, err, they, d)
		}
		if !we && !they {
			alike++
			if d == alert.Of(err) {
				alerts++
			}
		}
	})
	f.Logf("%d are refused by both, %d of them with the same alert", alike, alerts)
}
