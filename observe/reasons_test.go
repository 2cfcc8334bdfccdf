package observe_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

const (
	ephemeral = "snet/tls_ECDHE-RSA-AES256-GCM-SHA384"
	transport = "generated/ossl-tls12-rsa-aes128sha-etm" // of the pre_master_secret, by RSA
	modern    = "snet/TLS1_3_TLS_AES_128_GCM_SHA256"
)

// rsaKey is the private key of a case, as a source.
func rsaKey(t *testing.T, id string) observe.Source {
	for _, c := range index(t) {
		if c.ID == id {
			return c.source(t, map[string]string{"rsa_key": c.Secrets["rsa_key"]}, nil)
		}
	}
	t.Fatalf("no case %s", id)
	return nil
}

// replace returns a damage that replaces the first occurrence of a text in each segment.
func replace(old, new string) func(int, []byte) []byte {
	return func(_ int, b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
}

// Each code has a case that leads to it.
func TestEachReasonHasACase(t *testing.T) {
	seen := map[observe.Code][]string{}
	var needs []observe.Need
	for _, c := range []struct {
		code observe.Code
		what string // the sentence has this
		play func() observed
	}{
		{observe.NotTLS, "no TLS", func() observed {
			return play(&tape{{iana.Client, []byte("GET / HTTP/1.1\r\n\r\n")},
				{iana.Server, []byte("HTTP/1.1 204 No Content\r\n\r\n")}}, nil, nil)
		}},
		{observe.HandshakeNotCaptured, "without the ClientHello", func() observed {
			all, source := recorded(t, ephemeral)
			late := (*all)[6:]
			return play(&late, source, nil)
		}},
		{observe.BytesMissing, "its ClientHello among them", func() observed {
			all, source := recorded(t, ephemeral)
			return playEnded(all, source, func(i int, b []byte) []byte {
				if i == 0 {
					return nil
				}
				return b
			}, &capture.Facts{Opened: [2]bool{true, true}, Packets: [2]int{9, 9}})
		}},
		{observe.HandshakeNotCaptured, "not have all of the handshake", func() observed {
			all, source := recorded(t, ephemeral)
			return play(cut(all, 2), source, nil)
		}},
		{observe.HandshakeFailed, "handshake_failure", func() observed {
			all, _ := recorded(t, ephemeral)
			early := append((*all)[:1:1], segment{iana.Server, []byte{21, 3, 3, 0, 2, 2, 40}})
			return play(&early, nil, nil)
		}},
		{observe.HandshakeFailed, "(FIN)", func() observed {
			all, _ := recorded(t, ephemeral)
			hello := (*all)[:1:1]
			return playEnded(&hello, nil, nil, &capture.Facts{First: iana.Server,
				Packets: [2]int{3, 3},
				Endings: [2]capture.Ending{iana.Server: capture.EndedFIN}})
		}},
		{observe.HandshakeFailed, "HTTP", func() observed {
			all, _ := recorded(t, ephemeral)
			clear := append((*all)[:1:1],
				segment{iana.Server, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")})
			return play(&clear, nil, nil)
		}},
		{observe.UnsupportedVersion, "0x7F14", func() observed {
			all, source := recorded(t, modern)
			return play(all, source,
				replace("\x00\x2b\x00\x02\x03\x04", "\x00\x2b\x00\x02\x7f\x14"))
		}},
		{observe.UnsupportedVersion, "0x7F14", func() observed {
			all, source := recorded(t, modern)
			return play(all, source, func(i int, b []byte) []byte {
				if i == 1 {
					b[9], b[10] = 0x7f, 0x14
				}
				return b
			})
		}},
		{observe.UnsupportedVersion, "0x7F1C", func() observed {
			all, source := recorded(t, "generated/ossl-tls13-hrr-p384")
			return play(all, source, func(_ int, b []byte) []byte {
				return bytes.ReplaceAll(b, []byte("\x00\x2b\x00\x02\x03\x04"),
					[]byte("\x00\x2b\x00\x02\x7f\x1c"))
			})
		}},
		{observe.UnsupportedSuite, "CAMELLIA", func() observed {
			all, source := recorded(t, "snet/tls_CAMELLIA256-SHA256")
			return play(all, source, nil)
		}},
		{observe.NoSecret, "no secret", func() observed {
			all, _ := recorded(t, transport)
			return play(all, nil, nil)
		}},
		{observe.NoSecret, "no secret", func() observed {
			all, _ := recorded(t, modern)
			return play(all, observe.KeyLog(new(keylog.Log)), nil)
		}},
		{observe.NoSecret, "none of the secrets given", func() observed {
			all, _ := recorded(t, ephemeral)
			return play(all, observe.Ephemeral(make([]byte, 32)), nil)
		}},
		{observe.NoSecret, "none for this client_random", func() observed {
			all, _ := recorded(t, ephemeral)
			log, err := keylog.Read(strings.NewReader("CLIENT_RANDOM " +
				strings.Repeat("ab", 32) + " " + strings.Repeat("11", 48)))
			if err != nil {
				t.Fatal(err)
			}
			return play(all, observe.KeyLog(log), nil)
		}},
		{observe.NoEarlySecret, "41 bytes", func() observed {
			c := earlyData(t, "testdata/early/accepted.txtar")
			return play(c.tape, observe.KeyLog(only(c.log, trafficLabels[1:]...)), nil)
		}},
		{observe.ForwardSecret, "ECDHE_RSA: the private key of the certificate only signs",
			func() observed {
				all, _ := recorded(t, ephemeral)
				return play(all, rsaKey(t, transport), nil)
			}},
		{observe.ForwardSecret, "only signs", func() observed {
			all, _ := recorded(t, modern)
			return play(all, rsaKey(t, transport), nil)
		}},
		{observe.ForwardSecret, "DHE_PSK", func() observed {
			all, _ := recorded(t, "generated/ossl-tls12-dhe-psk-aes256-ccm")
			return play(all, observe.PSK([]byte("any")), nil)
		}},
		{observe.UnknownResumedSession, "full handshake is not in the capture", func() observed {
			all := &tape{}
			for _, x := range index(t) {
				if x.ID == "generated/ossl-tls12-resume-sessionid-rsa" {
					all = stream(t, x, 1)
				}
			}
			return play(all, rsaKey(t, "generated/ossl-tls12-resume-sessionid-rsa"), nil)
		}},
		{observe.WrongPrivateKey, "another private key", func() observed {
			all, _ := recorded(t, transport)
			return play(all, rsaKey(t, "pcapfs/feature_test"), nil)
		}},
		{observe.WrongSecret, "key log", func() observed {
			all, source := recorded(t, ephemeral)
			whole := play(all, source, nil)
			if !whole.Decrypted {
				t.Fatal(whole.Reason)
			}
			var log keylog.Log
			log.Add(keylog.Line{Label: keylog.ClientRandom, ID: (*all)[0].b[11:43],
				Secret: bytes.Repeat([]byte{1}, 48)})
			return play(all, observe.KeyLog(&log), nil)
		}},
		{observe.WrongSecret, "what the client sends", func() observed {
			all, source := recorded(t, modern)
			return play(all, func(s *handshake.Score) []observe.Candidate {
				found := source(s)
				found[0].Traffic.Application[iana.Client] = make([]byte, 32)
				return found
			}, nil)
		}},
		{observe.WrongSecret, "pre-shared key", func() observed {
			all, _ := recorded(t, "generated/ossl-tls12-psk-aes128-gcm-sha256")
			return play(all, observe.PSK([]byte("another")), nil)
		}},
		{observe.BytesMissing, "bytes", func() observed {
			all, source := recorded(t, ephemeral)
			return play(all, source, func(i int, b []byte) []byte {
				if i == len(*all)-3 {
					return nil
				}
				return b
			})
		}},
		{observe.BytesMissing, "bytes", func() observed {
			all, source := recorded(t, ephemeral)
			return play(all, source, func(i int, b []byte) []byte {
				if i == 0 {
					b = b[:40]
				}
				return b
			})
		}},
		{observe.RecordAuthenticationFailed, "record ", func() observed {
			all, source := recorded(t, "derived/tampered-gcm-tag")
			return play(all, source, nil)
		}},
		{observe.MalformedHandshake, "session_id", func() observed {
			all, source := recorded(t, ephemeral)
			return play(all, source, func(i int, b []byte) []byte {
				if i == 1 {
					b[43] = 255
				}
				return b
			})
		}},
		{observe.TooMuchBuffered, "too many bytes wait", func() observed {
			all, source := recorded(t, ephemeral)
			unaligned := slices.DeleteFunc(slices.Clone(*all),
				func(s segment) bool { return s.from == iana.Client && &s.b[0] != &(*all)[0].b[0] })
			record := append([]byte{23, 3, 3, 0x40, 0}, make([]byte, 1<<14)...)
			for range observe.MaxBuffered/len(record) + 1 {
				unaligned = append(unaligned, segment{iana.Server, record})
			}
			return play(&unaligned, source, nil)
		}},
		{observe.InternalError, "the source is broken", func() observed {
			all, _ := recorded(t, ephemeral)
			w := &observe.Watch{}
			w.Source = func(*handshake.Score) []observe.Candidate { panic("the source is broken") }
			return observed{Report: watchTapes(w, all)[0]}
		}},
	} {
		h := c.play()
		seen[c.code] = append(seen[c.code], "")
		if h.Reason != nil {
			seen[c.code] = append(seen[c.code], h.Reason.Detail)
			needs = append(needs, h.Reason.Needs...)
		}
		if h.Reason == nil || h.Reason.Code != c.code ||
			!strings.Contains(h.Reason.Detail, c.what) || h.Decrypted {
			t.Errorf("got %v, decrypted %v; expected %s with %q", h.Reason, h.Decrypted, c.code,
				c.what)
		}
		partly := []observe.Code{observe.BytesMissing, observe.RecordAuthenticationFailed,
			observe.NoEarlySecret}
		if len(h.plain[0])+len(h.plain[1]) > 0 && !slices.Contains(partly, c.code) {
			t.Errorf("%s: data was given out", c.code)
		}
	}
	for _, n := range observe.Needs() {
		if !slices.Contains(needs, n) {
			t.Errorf("no case needs %s", n)
		}
	}
	for _, code := range observe.Codes() {
		if seen[code] == nil {
			t.Errorf("no case leads to %s", code)
		}
	}
	examplesAreSeen(t, seen)
	t.Logf("%d codes", len(seen))
}

// examplesAreSeen compares the examples of docs/reasons.md with what connections were reported as.
func examplesAreSeen(t *testing.T, seen map[observe.Code][]string) {
	t.Helper()
	examples := regexp.MustCompile("(?s)`([a-z_]+): ([^`]+)`").FindAllStringSubmatch(reasonsText(t),
		-1)
	for _, m := range examples {
		if want := strings.ReplaceAll(m[2], "\n", " "); !slices.Contains(seen[observe.Code(m[1])],
			want) {
			t.Errorf("docs/reasons.md: %s: no case has the example %q; they have %q", m[1], want,
				seen[observe.Code(m[1])])
		}
	}
	if len(examples) < len(observe.Codes()) {
		t.Errorf("docs/reasons.md has %d examples", len(examples))
	}
}

func reasonsText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testkit.Root(), "docs", "reasons.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docs/reasons.md has each code, and no other.
func TestTheReasonsAreDocumented(t *testing.T) {
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^## `([a-z_]+)`$").FindAllStringSubmatch(
		reasonsText(t), -1) {
		documented = append(documented, m[1])
	}
	var codes []string
	for _, c := range observe.Codes() {
		codes = append(codes, string(c))
	}
	if !slices.Equal(documented, codes) {
		t.Errorf("documented are\n%v\nand there are\n%v", documented, codes)
	}
}
