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

// judgedByCryptoTLS performs a handshake of the liar with crypto/tls, and returns whether that came
// to its end, and the alert that it sent otherwise.
func (s *staged) judgedByCryptoTLS(config *tls.Config) (done bool, d alert.Description) {
	f := &facing{staged: s}
	conn := tls.Server(f, config)
	if s.liar == iana.Server {
		conn = tls.Client(f, config)
	}
	err := conn.Handshake()
	e := s.engines[s.liar]
	arrive(e, f.toLiar)
	s.act(s.liar, e)
	if got, ok := errors.AsType[*alert.Received](s.errs[s.liar]); ok {
		d = got.Description
	}
	return err == nil, d
}

// bothSpeak are the scenes that crypto/tls can play too, and what it needs to.
func bothSpeak(t testing.TB) (all []scene, configs []*tls.Config) {
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
		all, configs = append(all, c), append(configs, config)
	}
	return all, configs
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
		doubled, inserted := e.how%9 == 2, e.how%9 == 3
		switch {
		case (doubled || inserted && same(m, earlier)) && m.kind == handshake.Kind(iana.Finished):
			return true // it does not read the second before the program reads data
		case inserted && earlier.kind == handshake.ChangeCipherSpec:
			return true // it passes over a protected one, which RFC 8446 §5 forbids
		}
	}
	return false
}

// FuzzStates: of valid handshakes in which one side changes, drops, doubles, swaps or cuts a
// message, in every state and under the right keys, crypto/tls and we accept the same.
func FuzzStates(f *testing.F) {
	all, configs := bothSpeak(f)
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
		ours := newStaged(all[i], liar, edits)
		ours.perform(scene{})
		err := ours.errs[liar.Peer()]
		we := err == nil && ours.engines[liar.Peer()].Machine().Done()
		config := configs[i]
		if liar == iana.Server && config.CurvePreferences != nil { // a share that is not taken
			config = config.Clone()
			config.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
		}
		they, d := newStaged(all[i], liar, edits).judgedByCryptoTLS(config)
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
