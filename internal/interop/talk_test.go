package interop_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// Both sides export the same keying material and write the same key log. See RFC 5705 §4, RFC 8446
// §7.5 and RFC 9850 §2.
func TestExportedSecretsAreTheSame(t *testing.T) {
	const label, length = "EXPORTER-vitrine-interop", 48
	keyingMaterial := regexp.MustCompile(`Keying material: ([0-9A-F]+)`)
	for _, c := range []meeting{{suite: ecdheRSA}, {suite: iana.TLS_RSA_WITH_AES_256_GCM_SHA384},
		{suite: cbc}, {suite: anySuite, version: iana.TLS13}} {
		for _, them := range sides {
			t.Run(fmt.Sprint(c.suite, c.version, "/their ", them), func(t *testing.T) {
				t.Parallel()
				theirLog, err := office.File("keys.log", nil)
				if err != nil {
					t.Fatal(err)
				}
				var ourLog bytes.Buffer
				m := meeting{with: interop.OpenSSL, them: them, suite: c.suite, version: c.version,
					us: func(c *vitrine.Config) { c.KeyLogWriter = &ourLog },
					they: func(s *interop.Setup) {
						s.Talkative = true
						s.Options = []string{"-keymatexport", label, "-keymatexportlen",
							fmt.Sprint(length), "-keylogfile", theirLog}
					},
				}
				conn, peer := m.handshake(t)
				ours, err := conn.ExportKeyingMaterial(label, nil, length)
				if err != nil {
					t.Fatal(err)
				}
				peer.CloseWrite() // it ends once it has printed everything
				told, err := io.ReadAll(peer)
				if err != nil {
					t.Fatal(err)
				}
				theirs := keyingMaterial.FindSubmatch(told)
				if theirs == nil ||
					!strings.EqualFold(hex.EncodeToString(ours), string(theirs[1])) {
					t.Errorf("we export %x, they say %s", ours, told)
				}
				written, err := os.ReadFile(theirLog)
				if err != nil {
					t.Fatal(err)
				}
				lines := strings.SplitAfter(strings.TrimSpace(ourLog.String()), "\n")
				if want := map[iana.Version]int{0: 1, iana.TLS13: 5}[c.version]; len(
					lines,
				) != want {
					t.Errorf("our key log has %d lines, expected %d: %s", len(lines), want, &ourLog)
				}
				for _, line := range lines {
					if !bytes.Contains(bytes.ToLower(written), bytes.ToLower([]byte(line))) {
						t.Errorf("our key log has %s, theirs is %s", line, written)
					}
				}
				count(t, m.with.Name)
			})
		}
	}
}

// A staple arrives unchanged, in both directions, and is checked. See RFC 6066 §8 and RFC 8446
// §4.4.2.1.
func TestStaplesArriveFromOtherStacks(t *testing.T) {
	staple, err := office.CA.Staple(identity(t, throwaway.RSA, iana.Server).Leaf)
	if err != nil {
		t.Fatal(err)
	}
	everyPeerAndVersion(t, func(t *testing.T, with *interop.Stack, them iana.Side,
		version iana.Version) {
		file, err := office.File("staple.der", staple)
		if err != nil {
			t.Fatal(err)
		}
		m := meeting{with: with, them: them, version: version}
		if them == iana.Server {
			m.us = func(c *vitrine.Config) { c.StatusRequest = vitrine.Required }
			m.they = func(s *interop.Setup) { s.Staple = file }
			m.want = func(t *testing.T, s *vitrine.ConnectionState) {
				if !bytes.Equal(s.OCSPResponse, staple) {
					t.Errorf("got the staple %x, expected %x", s.OCSPResponse, staple)
				}
			}
			m.run(t)
			return
		}
		got := file + ".got"
		m.us = func(c *vitrine.Config) { c.Certificates[0].OCSPStaple = staple }
		m.they = func(s *interop.Setup) {
			s.Options = []string{"--ocsp", "--save-ocsp", got}
			if with == interop.OpenSSL {
				s.Options = []string{"-status", "-msg", "-msgfile", got}
			}
		}
		m.run(t)
		received, err := os.ReadFile(got)
		if err != nil {
			t.Fatal(err)
		}
		if with == interop.OpenSSL {
			received = unhexdump(received)
		}
		if !bytes.Contains(received, staple) {
			t.Errorf("they received %x, expected the staple %x in it", received, staple)
		}
	})
}

var octet = regexp.MustCompile(`\b[0-9a-f]{2}\b`)

// unhexdump reads the bytes of a hex dump, and some words that look like bytes.
func unhexdump(dump []byte) []byte {
	b, _ := hex.DecodeString(string(bytes.Join(octet.FindAll(dump, -1), nil)))
	return b
}

// Both sides send close_notify, whoever closes first. See RFC 5246 §7.2.1.
func TestTheyCloseFirst(t *testing.T) {
	for _, version := range bothVersions {
		for _, them := range sides {
			t.Run(version.String()+"/their "+them.String(), func(t *testing.T) {
				t.Parallel()
				m := meeting{with: interop.OpenSSL, them: them, version: version, theyFirst: true}
				m.run(t)
			})
		}
	}
}

// A client and a server agree by their defaults, on TLS 1.3 unless we stop at TLS 1.2. A server
// that speaks more then marks its random, which is not an attack on a client that supports at most
// TLS 1.2. See RFC 8446 §4.1.3.
func TestDefaultsMeetDefaults(t *testing.T) {
	everyPeerAndVersion(t, func(t *testing.T, with *interop.Stack, them iana.Side,
		version iana.Version) {
		m := meeting{with: with, them: them, suite: anySuite,
			us: func(c *vitrine.Config) {
				c.CipherSuites, c.MaxVersion = nil, uint16(version)
			},
			they: func(s *interop.Setup) {
				s.Suite, s.Versions = nil, [2]iana.Version{iana.TLS12, iana.TLS13}
			},
			want: func(t *testing.T, s *vitrine.ConnectionState) {
				if got := iana.Version(s.Version); got != version {
					t.Errorf("got %v, expected %v", got, version)
				}
				if len(s.Concerns) > 0 {
					t.Errorf("got concerns about the defaults of both: %q", s.Concerns)
				}
			},
		}
		m.run(t)
	})
}
