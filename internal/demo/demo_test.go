package demo_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// optionsOf returns the options for a suite of any version.
func optionsOf(id iana.CipherSuite) demo.Options {
	if suite.ByID13(id) == nil {
		return options(suite.ByID(id))
	}
	o := options13()
	o.Suite = id
	return o
}

// options13 returns the options of a run with TLS 1.3.
func options13() demo.Options {
	return demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
		Group: iana.X25519, Auth: throwaway.ECDSA, Data: demo.Request, Seed: "test"}
}

// options returns the options for a suite, with all features that it can have.
func options(s *suite.Suite) demo.Options {
	o := demo.Options{Suite: s.ID, Auth: throwaway.RSA, Data: demo.Request, Seed: "test"}
	if s.ServerKey() == iana.AuthECDSA {
		o.Auth = throwaway.ECDSA
	}
	switch {
	case s.FiniteField():
		o.Group = iana.FFDHE2048
	case s.EllipticCurve():
		o.Group = iana.X25519
	}
	return o
}

func perform(t *testing.T, o demo.Options) (*demo.Outcome, *explain.Story) {
	t.Helper()
	out, err := demo.Perform(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out, explain.Tell(out.Entries, out.Run)
}

func screen(t *testing.T, s *explain.Story, style term.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := term.Write(&b, s, style); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// With every suite, both sides compute the same values, and the screen has at most 100 columns, in
// ASCII if the style says so.
func TestEverySuiteFitsTheScreen(t *testing.T) {
	n := 0
	for _, s := range suite.Certified() {
		for _, more := range []func(*demo.Options){
			func(*demo.Options) {},
			func(o *demo.Options) {
				o.ExtendedMasterSecret, o.ClientAuth = true, demo.RequireClientAuth
			},
			func(o *demo.Options) {
				o.EncryptThenMAC, o.ClientAuth = s.Cipher.CBC(), demo.RequestClientAuth
			},
		} {
			o := options(s)
			more(&o)
			out, story := perform(t, o)
			if out.ClientError != nil || out.ServerError != nil || !story.Result.Complete {
				t.Fatalf("%v: %v, %v, complete: %t", s, out.ClientError, out.ServerError,
					story.Result.Complete)
			}
			if len(story.Chapters) != 6 {
				t.Errorf("%v: %d chapters, expected 6", s, len(story.Chapters))
			}
			checkScreen(t, fmt.Sprint(s), screen(t, story, term.Style{Unicode: true}),
				utf8.RuneSelf<<16)
			checkScreen(t, fmt.Sprint(s), screen(t, story, term.Style{}), utf8.RuneSelf)
			n++
		}
	}
	t.Logf("%d handshakes shown", n)
}

func checkScreen(t *testing.T, name, text string, limit rune) {
	t.Helper()
	for i, line := range strings.Split(text, "\n") {
		if utf8.RuneCountInString(line) > 100 {
			t.Errorf("%s, line %d has more than 100 columns: %s", name, i+1, line)
		}
		if strings.HasSuffix(line, " ") {
			t.Errorf("%s, line %d ends in spaces: %q", name, i+1, line)
		}
		for _, r := range line {
			if r < ' ' || r >= limit {
				t.Errorf("%s, line %d has %U", name, i+1, r)
			}
		}
	}
}

// A run is a handshake with the options for its suite, changed.
type run struct {
	name   string
	suite  iana.CipherSuite
	change func(*demo.Options)
}

// options returns what the run is made with.
func (r run) options() demo.Options {
	o := optionsOf(r.suite)
	if r.change != nil {
		r.change(&o)
	}
	return o
}

// cases are the runs of the golden screens.
var cases = []run{
	{"rsa", iana.TLS_RSA_WITH_AES_256_CBC_SHA256, nil},
	{"rsa-mtls", iana.TLS_RSA_WITH_AES_128_CBC_SHA,
		func(o *demo.Options) { o.ClientAuth = demo.RequireClientAuth }},
	{"dhe", iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
		func(o *demo.Options) { o.ExtendedMasterSecret = true }},
	{"ecdhe", iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		func(o *demo.Options) { o.ExtendedMasterSecret = true }},
	{"ecdhe-mtls", iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, func(o *demo.Options) {
		o.ExtendedMasterSecret, o.ClientAuth, o.Group = true, demo.RequireClientAuth, iana.Secp256r1
	}},
	{"ecdhe-request", iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8,
		func(o *demo.Options) { o.ClientAuth, o.Auth = demo.RequestClientAuth, throwaway.Ed25519 }},
	{"etm", iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
		func(o *demo.Options) { o.EncryptThenMAC, o.ExtendedMasterSecret = true, true }},
	{"chacha", iana.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		func(o *demo.Options) { o.Data = "short" }},
	{"null", iana.TLS_RSA_WITH_NULL_SHA256,
		func(o *demo.Options) { o.Data = "\x1b[31mred\x1b[0m <b> | `x` \u202e\n" }},
	{"tamper-1", iana.TLS_RSA_WITH_AES_256_CBC_SHA256,
		func(o *demo.Options) { o.Tamper = []demo.Tamper{{Line: 1}} }},
	{"tamper-10-mac", iana.TLS_RSA_WITH_AES_256_CBC_SHA256,
		func(o *demo.Options) { o.Tamper = []demo.Tamper{{Line: 10, Field: "mac"}} }},
	{"tls13", iana.TLS_AES_128_GCM_SHA256, nil},
	{"tls13-hybrid", iana.TLS_AES_128_GCM_SHA256, func(o *demo.Options) {
		o.Group, o.ClientAuth = iana.X25519MLKEM768, demo.RequestClientAuth
	}},
	{"tls13-retry", iana.TLS_AES_128_GCM_SHA256, func(o *demo.Options) {
		o.Retry, o.ClientAuth, o.Auth = true, demo.RequireClientAuth, throwaway.RSA
	}},
	{"tls13-resume", iana.TLS_AES_128_GCM_SHA256,
		func(o *demo.Options) { o.Resume, o.Group = true, iana.Secp256r1 }},
	{"tls13-early", iana.TLS_AES_128_GCM_SHA256,
		func(o *demo.Options) { o.Resume, o.EarlyData = true, true }},
	{"tls13-update", iana.TLS_AES_128_GCM_SHA256,
		func(o *demo.Options) { o.KeyUpdate, o.Group = true, iana.FFDHE2048 }},
	{"tls13-late", iana.TLS_CHACHA20_POLY1305_SHA256, func(o *demo.Options) { o.LateAuth = true }},
	{"tls13-tamper-1", iana.TLS_AES_128_GCM_SHA256,
		func(o *demo.Options) { o.Tamper = []demo.Tamper{{Line: 1}} }},
	{"tls13-tamper-6", iana.TLS_AES_128_GCM_SHA256,
		func(o *demo.Options) { o.Tamper = []demo.Tamper{{Line: 6}} }},
}

// chaptersOf returns how many chapters the story of a run has.
func chaptersOf(o demo.Options) int {
	if o.Version == iana.TLS13 {
		return 7
	}
	return 6
}

func TestSeededScreens(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := c.options()
			_, story := perform(t, o)
			got := screen(t, story, term.Style{Unicode: true})
			golden(t, c.name+".txt", got)
			checkScreen(t, c.name, got, utf8.RuneSelf<<16)
		})
	}
}

// No line is wider than the terminal, from 60 columns on, and no hex is lost on a narrow one.
func TestScreensFitTheTerminal(t *testing.T) {
	for _, c := range cases {
		o := c.options()
		_, story := perform(t, o)
		widest := hexOf(screen(t, story, term.Style{Unicode: true}))
		for _, columns := range []int{60, 72, 80, 90, 100, 200} {
			text := screen(t, story, term.Style{Unicode: true, Columns: columns})
			for i, line := range strings.Split(text, "\n") {
				if n := utf8.RuneCountInString(line); n > min(columns, 100) {
					t.Errorf("%s, %d columns: line %d has %d: %s", c.name, columns, i+1, n, line)
				}
			}
			if got := hexOf(text); got != widest {
				t.Errorf("%s, %d columns: other hex than in 100 columns", c.name, columns)
			}
		}
	}
}

// hexOf returns the values of a screen, in whichever way they are broken into lines.
func hexOf(text string) string {
	return strings.Join(regexp.MustCompile(`\b(?:[0-9a-f]{2}){4,}\b`).FindAllString(text, -1), "")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s has changed (-update writes it anew):\n%s", path, d)
	}
}

func TestSeedDeterminesEveryEvent(t *testing.T) {
	n := 0
	for _, c := range cases {
		o := c.options()
		var runs [2]string
		for i := range runs {
			out, _ := perform(t, o)
			runs[i] = lines(out.Entries)
		}
		if d := cmp.Diff(runs[0], runs[1]); d != "" {
			t.Errorf("%s: the second run differs:\n%s", c.name, d)
		}
		o.Seed = "another"
		if out, _ := perform(t, o); lines(out.Entries) == runs[0] {
			t.Errorf("%s: another seed gives the same run", c.name)
		}
		n++
	}
	t.Logf("%d runs repeated", n)
}

func TestRunsWithoutSeedDiffer(t *testing.T) {
	o := options(suite.ByID(iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256))
	o.Seed = ""
	a, _ := perform(t, o)
	b, story := perform(t, o)
	if lines(a.Entries) == lines(b.Entries) {
		t.Error("two runs without a seed are the same")
	}
	if !story.Result.Complete {
		t.Error("incomplete")
	}
}

func lines(entries []trace.Entry) string {
	var b strings.Builder
	w := trace.NewWriter(&b, trace.Reveal())
	for _, e := range entries {
		w.Put(e)
	}
	return b.String()
}

// Events that are written and read back tell the same story.
func TestSavedEventsTellTheSameStory(t *testing.T) {
	for _, c := range cases {
		o := c.options()
		out, story := perform(t, o)
		read, err := trace.Read(strings.NewReader(lines(out.Entries)))
		if err != nil {
			t.Fatal(err)
		}
		again := explain.Tell(read, out.Run)
		if d := cmp.Diff(screen(t, story, term.Style{}), screen(t, again, term.Style{})); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

// Redacted events tell a story without secrets.
func TestRedactedEventsTellStoryWithoutSecrets(t *testing.T) {
	o := options(suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA256))
	out, _ := perform(t, o)
	var b strings.Builder
	w := trace.NewWriter(&b)
	secrets := 0
	for _, e := range out.Entries {
		w.Put(e)
		if k, ok := e.Event.(*trace.KeysInstalled); ok {
			secrets++
			defer func() {
				if strings.Contains(b.String(), hex.EncodeToString(k.Key)) {
					t.Error("a key is in the redacted stream")
				}
			}()
		}
	}
	read, err := trace.Read(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	story := explain.Tell(read, out.Run)
	if len(story.Chapters) != 6 || secrets != 4 {
		t.Errorf("%d chapters, %d key changes", len(story.Chapters), secrets)
	}
	checkScreen(t, "redacted", screen(t, story, term.Style{}), utf8.RuneSelf)
}
