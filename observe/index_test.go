package observe_test

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// indexed is one case of the captures' index: what tshark made of it.
type indexed struct {
	ID, File     string
	Tags         []string
	Secrets      map[string]string
	Alternatives []map[string]string `json:"alternative_secrets"`
	Expect       string
	Streams      []indexedStream

	dir string
}

type indexedStream struct {
	Stream         int
	Client, Server string
	Suite          string       `json:"cipher_suite"`
	EMS            bool         `json:"extended_master_secret"`
	EtM            bool         `json:"encrypt_then_mac"`
	Resumed        bool         `json:"resumed"`
	Renegotiations int          `json:"renegotiations"`
	Decrypted      bool         `json:"decrypted"`
	Undecryptable  int          `json:"undecryptable_records"`
	ToServer       *indexedFlow `json:"client_to_server"`
	ToClient       *indexedFlow `json:"server_to_client"`
}

type indexedFlow struct {
	Bytes   int64
	Records int
	SHA256  string
}

// index returns the cases of the index of captures.
func index(t testing.TB) []indexed {
	t.Helper()
	dir, cases := testkit.Captures[indexed](t)
	for i := range cases {
		cases[i].dir = dir
	}
	return cases
}

// source makes a source of a case's secrets.
func (c *indexed) source(t testing.TB, secrets map[string]string, embedded []byte) observe.Source {
	var all []observe.Source
	for kind, value := range secrets {
		switch kind {
		case "keylog":
			f, err := os.Open(filepath.Join(c.dir, value))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			log, err := keylog.Read(f)
			if err != nil {
				t.Log(err)
			}
			all = append(all, observe.KeyLog(log))
		case "embedded":
			log, err := keylog.Read(strings.NewReader(string(embedded)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, observe.KeyLog(log))
		case "psk":
			key, err := hex.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, observe.PSK(key))
		case "rsa_key":
			text, err := os.ReadFile(filepath.Join(c.dir, value))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, observe.RSAKey(value, privateKey(t, text)))
		default:
			t.Fatalf("a secret of kind %q", kind)
		}
	}
	return observe.Sources(all...)
}

func privateKey(t testing.TB, text []byte) crypto.Decrypter {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return k
		}
		if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return k.(crypto.Decrypter)
		}
	}
	t.Fatal("no private key")
	return nil
}

// watched is one connection of a capture, and what was read of it.
type watched struct {
	observe.Stream
	about capture.Connection
	plain [2][]byte
}

type handler struct{ *watched }

func (h handler) Bytes(from iana.Side, _ time.Time, b []byte) { h.watched.Bytes(from, b) }

// watch reads a capture with a source of secrets.
func watch(t testing.TB, file string,
	source func(embedded []byte) observe.Source) map[int]*watched {
	var embedded []byte // may follow the packets that they open
	packets(t, file, func(b []byte) { embedded = append(embedded, b...) }, func(capture.Packet) {})
	from, sessions, all := source(embedded), &observe.Sessions{}, map[int]*watched{}
	a := &capture.Assembler{New: func(about *capture.Connection) capture.Handler {
		w := &watched{about: *about}
		w.Facts = &about.Facts // complete when the stream ends
		w.New = func() *observe.Connection {
			c := observe.New(from, nil)
			c.Sessions, c.Name = sessions, fmt.Sprintf("stream %d", about.Stream)
			c.Data = func(from iana.Side, b []byte) { w.plain[from] = append(w.plain[from], b...) }
			return c
		}
		all[about.Stream] = w
		return handler{w}
	}}
	packets(t, file, nil, func(p capture.Packet) { a.Add(p) })
	a.Close()
	return all
}

// packets passes the packets of a capture to add and, unless secrets is nil, the content of its
// Decryption Secrets Blocks to that.
func packets(t testing.TB, file string, secrets func([]byte), add func(capture.Packet)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := capture.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	if secrets != nil {
		in.Secrets = func(_ capture.SecretsType, b []byte) { secrets(b) }
	}
	for {
		p, err := in.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		add(p)
	}
}

// eachStream puts the streams of a capture together.
func eachStream(t testing.TB, file string, handler func(*capture.Connection) capture.Handler) {
	a := &capture.Assembler{New: handler}
	packets(t, file, nil, func(p capture.Packet) { a.Add(p) })
	a.Close()
}

// national reports whether a suite has a cipher that is deliberately not implemented.
func national(suite string) bool {
	return slices.ContainsFunc([]string{"CAMELLIA", "SEED", "IDEA", "ARIA", "EXPORT"},
		func(s string) bool { return strings.Contains(suite, s) })
}

func TestEveryCaptureOfTheIndexIsReadAsByTshark(t *testing.T) {
	cases, streams, refused := 0, 0, 0
	for _, c := range index(t) {
		if slices.Contains(c.Tags, "draft") {
			continue
		}
		cases++
		for i, secrets := range append([]map[string]string{c.Secrets}, c.Alternatives...) {
			t.Run(fmt.Sprintf("%s/%d", c.ID, i), func(t *testing.T) {
				all := watch(t, filepath.Join(c.dir, c.File),
					func(embedded []byte) observe.Source { return c.source(t, secrets, embedded) })
				for _, want := range c.Streams {
					w := all[want.Stream]
					if w == nil {
						t.Errorf("stream %d is not there", want.Stream)
						continue
					}
					r := w.Report()
					if got := r.Suite.String(); got != want.Suite {
						t.Errorf("stream %d: suite %s, expected %s: %+v", want.Stream, got,
							want.Suite, r.Reason)
					}
					if c.Expect == "parse-only" || want.ToServer == nil {
						continue
					}
					if national(want.Suite) {
						refused++
						if r.Reason == nil || r.Reason.Code != observe.UnsupportedSuite ||
							w.plain[0] != nil || w.plain[1] != nil {
							t.Errorf("stream %d: %s: %+v, expected %s", want.Stream, want.Suite,
								r.Reason, observe.UnsupportedSuite)
						}
						continue
					}
					streams++
					for side, flow := range []*indexedFlow{want.ToServer, want.ToClient} {
						sum := fmt.Sprintf("%x", sha256.Sum256(w.plain[side]))
						if sum != flow.SHA256 || r.Flows[side].Bytes != flow.Bytes {
							t.Errorf("stream %d, %v: %d bytes, expected %d; %v; %+v", want.Stream,
								iana.Side(side), len(w.plain[side]), flow.Bytes, r.Reason, r)
						}
						if r.Flows[side].Records != flow.Records {
							t.Errorf("stream %d, %v: %d records, expected %d", want.Stream,
								iana.Side(side), r.Flows[side].Records, flow.Records)
						}
					}
					if n := r.Flows[0].Refused + r.Flows[1].Refused; n != want.Undecryptable {
						t.Errorf("stream %d: %d records do not authenticate, expected %d",
							want.Stream, n, want.Undecryptable)
					}
					if got, want := fmt.Sprint(r.ExtendedMasterSecret, r.EncryptThenMAC, r.Resumed,
						r.Renegotiations), fmt.Sprint(want.EMS, want.EtM, want.Resumed,
						want.Renegotiations); got != want {
						t.Errorf("extended_master_secret, encrypt_then_mac, resumed, "+
							"renegotiations: %s, expected %s", got, want)
					}
					if want.Decrypted &&
						(!r.Decrypted || r.Reason != nil) != (want.Undecryptable > 0) {
						t.Errorf("stream %d: decrypted %v, reason %v", want.Stream, r.Decrypted,
							r.Reason)
					}
					if len(r.Unverified) > 0 {
						t.Errorf("stream %d: not verified: %v", want.Stream, r.Unverified)
					}
				}
			})
		}
	}
	t.Logf("%d cases, %d streams read, %d refused for their suite", cases, streams, refused)
}
