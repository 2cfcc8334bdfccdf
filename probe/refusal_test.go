package probe_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// limited serves with crypto/tls behind something that drops hellos of more than most bytes.
func limited(config *tls.Config, most int) func(net.Conn) {
	return func(c net.Conn) {
		raw, err := rig.ReadRecord(c)
		if err == nil && len(raw)-5 <= most {
			tls.Server(&again{c, raw}, config).Handshake()
		}
		c.Close()
	}
}

// again is a connection whose first record is read again.
type again struct {
	net.Conn
	first []byte
}

func (a *again) Read(b []byte) (int, error) {
	if len(a.first) == 0 {
		return a.Conn.Read(b)
	}
	n := copy(b, a.first)
	a.first = a.first[n:]
	return n, nil
}

// What drops long hellos refuses no version, no suite and no group.
func TestALimitOfLengthRefusesNothing(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)}}
	for _, tt := range []struct {
		least, most uint16
		suites      int // more than this
	}{
		{tls.VersionTLS12, tls.VersionTLS13, 0},
		{tls.VersionTLS12, tls.VersionTLS12, 3},
		{tls.VersionTLS13, tls.VersionTLS13, 0},
		{tls.VersionTLS10, tls.VersionTLS13, 0},
	} {
		mine := config.Clone()
		mine.MinVersion, mine.MaxVersion = tt.least, tt.most
		for length := 100; length <= 600; length += 20 {
			t.Run(fmt.Sprintf("%04x-%04x in %d", tt.least, tt.most, length), func(t *testing.T) {
				t.Parallel()
				s := &probe.Server{Name: "a-rather-long-name-of-a-server.vitrine.test",
					Timeout: 5 * time.Second, Dial: listen(t, limited(mine, length))}
				k := s.Sketch(t.Context())
				if k == nil {
					if seen := s.Dropped().Seen; seen == "" || length > 180 {
						t.Errorf("nothing was found: %s", seen)
					}
					return
				}
				for _, v := range k.Versions {
					has := v.Name >= name(tt.least) && v.Name <= name(tt.most) && v.Name[0] == 'T'
					if has && v.Told == probe.No || !has && v.Told == probe.Yes {
						t.Errorf("%s: told %s", v.Name, v.Told)
					}
				}
				if k.AllSuites && len(k.Best.Suites) <= tt.suites || k.PSKAlone || k.Unspoken {
					t.Errorf("said %q", k.Sentences())
				}
			})
		}
	}
}

func name(v uint16) string { return fmt.Sprintf("TLS 1.%d", v-tls.VersionTLS10) }

// A version whose hellos are dropped at lengths at which another is answered is refused.
func TestAVersionIsRefusedByDropping(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)},
		MaxVersion: tls.VersionTLS12}
	serve := func(c net.Conn) {
		mine := config.Clone()
		mine.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if len(h.SupportedVersions) == 0 || h.SupportedVersions[0] != tls.VersionTLS12 {
				c.Close()
			}
			return nil, nil
		}
		tls.Server(c, mine).Handshake()
		io.Copy(io.Discard, c)
		c.Close()
	}
	s := &probe.Server{Name: rig.ServerName, Timeout: 5 * time.Second, Dial: listen(t, serve)}
	k := s.Sketch(t.Context())
	if k == nil || k.Sentences()[0] != "the server speaks only TLS 1.2" {
		t.Errorf("said %v", k)
	}
}

// The whole probe does not call a version refused whose hellos are dropped for their length.
func TestProbeBehindALimitOfLength(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)}}
	var reached bool
	for length := 280; length <= 640; length += 40 {
		s := &probe.Server{Name: "a-rather-long-name-of-a-server.vitrine.test",
			Timeout: 5 * time.Second, Parallel: 4, Dial: listen(t, limited(config, length))}
		r := s.Probe(t.Context(), probe.Trust{Name: s.Name})
		for _, v := range r.Versions {
			if (v.Name == "TLS 1.3" || v.Name == "TLS 1.2") && v.Told == probe.No {
				t.Errorf("limit %d: %s: %s", length, v.Name, v.Detail)
			}
			reached = reached || v.Told == probe.Yes
		}
		for _, id := range []string{"grease", "many_suites", "unknown_version"} {
			if f := r.Fact(id); f.Told == probe.No {
				t.Errorf("limit %d: %s: %s", length, id, f.Detail)
			}
		}
	}
	if !reached {
		t.Error("no version was found at any limit")
	}
}

// What a server sends without end refuses no version, and the probe ends.
func TestEndlessAnswersRefuseNothing(t *testing.T) {
	for name, record := range map[string]string{
		"warnings":       "\x15\x03\x03\x00\x02\x01\x70",
		"user_canceled":  "\x15\x03\x03\x00\x02\x01\x5a",
		"own hellos":     "\x16\x03\x03\x00\x04\x01\x00\x00\x00",
		"requests":       "\x16\x03\x03\x00\x04\x00\x00\x00\x00",
		"empty records":  "\x16\x03\x03\x00\x00",
		"empty alerts":   "\x15\x03\x03\x00\x00",
		"cipher changes": "\x14\x03\x03\x00\x01\x01",
	} {
		many := []byte(strings.Repeat(record, 1000))
		r := ask(t, listen(t, func(c net.Conn) {
			defer c.Close()
			for {
				if _, err := c.Write(many); err != nil {
					return
				}
			}
		}))
		for _, v := range r.Versions {
			if v.Told != probe.NotTold && v.Name != "SSL 2.0" {
				t.Errorf("%s: %s: told %s, %s", name, v.Name, v.Told, v.Detail)
			}
		}
		if r.Problem == "" {
			t.Errorf("%s: no problem is told", name)
		}
	}
}

// A server that refuses all hellos, by an alert that does not tell of a version, may have each of
// them, and nothing is good about it.
func TestARefusalOfAllTellsNoVersion(t *testing.T) {
	for _, tt := range []struct {
		alert byte
		want  probe.Told
	}{{40, probe.NotTold}, {71, probe.NotTold}, {47, probe.NotTold}, {70, probe.No}} {
		r := ask(t, listen(t, func(c net.Conn) {
			rig.ReadRecord(c)
			c.Write([]byte{21, 3, 3, 0, 2, 2, tt.alert})
			c.Close()
		}))
		for _, v := range r.Versions {
			if v.Name[0] == 'T' && v.Told != tt.want {
				t.Errorf("alert %d: %s: told %s, %s", tt.alert, v.Name, v.Told, v.Detail)
			}
		}
		if good := r.Good(); r.Answered() || len(good) > 0 {
			t.Errorf("alert %d: answered, or good: %q", tt.alert, good)
		}
	}
}
