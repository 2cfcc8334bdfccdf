package html_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/hostile"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

var update = flag.Bool("update", false, "write docs/pages anew")

// example is a page of docs/pages.
type example struct {
	name, flags string
	options     demo.Options
}

// examples are the pages of docs/pages: one for each key exchange.
var examples = []example{
	{"rsa", " --kx rsa",
		demo.Options{Suite: iana.TLS_RSA_WITH_AES_256_CBC_SHA256, Auth: throwaway.RSA}},
	{"dhe", " --kx dhe",
		demo.Options{Suite: iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, Group: iana.FFDHE2048,
			Auth: throwaway.RSA, ExtendedMasterSecret: true}},
	{"ecdhe", " --kx ecdhe",
		demo.Options{Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: iana.X25519,
			Auth: throwaway.RSA, ExtendedMasterSecret: true}},
	{"mtls", " --suite TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 --etm --mtls",
		demo.Options{Suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
			Group: iana.X25519, Auth: throwaway.ECDSA,
			ExtendedMasterSecret: true, EncryptThenMAC: true,
			ClientAuth: demo.RequireClientAuth}},
	{"tls13", " --tls 1.3",
		demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256, Group: iana.X25519,
			Auth: throwaway.ECDSA}},
	{"tls13-hybrid", " --group x25519mlkem768 --mtls --key-update",
		demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
			Group: iana.X25519MLKEM768, Auth: throwaway.ECDSA,
			KeyUpdate: true, ClientAuth: demo.RequireClientAuth}},
	{"tls13-retry", " --tls 1.3 --hrr",
		demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256, Group: iana.Secp256r1,
			Auth: throwaway.ECDSA, Retry: true}},
	{"tls13-resume", " --resume",
		demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256, Group: iana.X25519,
			Auth: throwaway.ECDSA, Resume: true}},
}

func perform(t testing.TB, o demo.Options, flags string) html.Run {
	t.Helper()
	all := performAll(t, o, flags)
	return all[len(all)-1]
}

// performAll returns the runs of a page: with Resume the connection that is resumed, too.
func performAll(t testing.TB, o demo.Options, flags string) (all []html.Run) {
	t.Helper()
	if o.Data == "" {
		o.Data = demo.Request
	}
	if o.Seed == "" {
		o.Seed = "docs"
	}
	out, err := demo.Perform(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []*demo.Outcome{out.First, out} {
		if out != nil {
			out.Run.Flags = flags + " --seed " + o.Seed
			all = append(all, html.Run{Entries: out.Entries, About: out.Run})
		}
	}
	return all
}

func write(t testing.TB, runs ...html.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, html.Options{}, runs...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExamplePagesAreCurrent(t *testing.T) {
	for _, e := range examples {
		page := write(t, performAll(t, e.options, e.flags)...)
		wellFormed(t, e.name, page)
		name := filepath.Join("..", "..", "docs", "pages", e.name+".html")
		if *update {
			if err := os.WriteFile(name, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if page != string(want) {
			t.Errorf("%s is not what this run gives: go test ./render/html -update", name)
		}
		if len(page) > 1<<20 {
			t.Errorf("%s has %d bytes, expected less than a megabyte", name, len(page))
		}
	}
	t.Logf("%d pages", len(examples))
}

func TestWriteIsDeterministic(t *testing.T) {
	for _, e := range examples {
		r := perform(t, e.options, e.flags)
		if write(t, r, r) != write(t, r, perform(t, e.options, e.flags)) {
			t.Errorf("%s: two pages of the same run differ", e.name)
		}
	}
}

// Every suite can be shown on a page without an error in a template.
func TestEverySuiteHasAPage(t *testing.T) {
	n := 0
	for _, s := range testkit.Sample(t, "suites", 12, suite.Certified()) {
		o := demo.Options{Suite: s.ID, Auth: throwaway.RSA, EncryptThenMAC: s.Cipher.CBC()}
		if s.ServerKey() == iana.AuthECDSA {
			o.Auth = throwaway.ECDSA
		}
		switch {
		case s.FiniteField():
			o.Group = iana.FFDHE2048
		case s.EllipticCurve():
			o.Group = iana.X25519
		}
		page := write(t, perform(t, o, ""))
		wellFormed(t, s.String(), page)
		if !strings.Contains(page, s.String()) {
			t.Errorf("%v: the page does not name its suite", s)
		}
		n++
	}
	if n == 0 {
		t.Fatal("no suites")
	}
	t.Logf("%d suites", n)
}

var policyAttr = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)

// The policy allows exactly the script and the style of the page.
func TestPolicyAllowsOnlyOwnScriptAndStyle(t *testing.T) {
	page := write(t, perform(t, examples[0].options, ""))
	m := policyAttr.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("no Content-Security-Policy")
	}
	policy := strings.ReplaceAll(strings.ReplaceAll(m[1], "&#39;", "'"), "&#43;", "+")
	style := between(t, page, "<style>", "</style>")
	script := between(t, page, "<script>", "</script>")
	want := "default-src 'none'; script-src '" + digest(script) + "'; style-src '" + digest(style) +
		"'; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("got  %s\nwant %s", policy, want)
	}
	if strings.Count(page, "<script") != 2 || strings.Count(page, "<style") != 1 ||
		strings.Contains(page, " style=") {
		t.Error("there is a script or a style that the policy does not know")
	}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		t.Fatalf("no %s", from)
	}
	inside, _, ok := strings.Cut(rest, to)
	if !ok {
		t.Fatalf("no %s", to)
	}
	return inside
}

// Text from a peer or a file, such as names, protocols, certificates, data and errors, does not
// become markup, and nothing unprintable is written.
func TestHostileTextIsEscaped(t *testing.T) {
	entries, run, err := hostile.Connection(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	plain := write(t, perform(t, examples[2].options, ""))
	page := write(t, html.Run{Entries: entries, About: run})
	wellFormed(t, "hostile", page)
	for _, tag := range []string{"<script", "</script", "<style", "</style", "<img", "<!--",
		"<iframe", "<object"} {
		if got, want := strings.Count(page, tag), strings.Count(plain, tag); got != want {
			t.Errorf("got %d × %s, a harmless page has %d", got, tag, want)
		}
	}
	for _, on := range regexp.MustCompile(`<[a-z][^<>]*\son[a-z]+\s*=`).FindAllString(page, -1) {
		t.Errorf("an event handler: %.80s", on)
	}
	if !strings.Contains(page, "&lt;/script&gt;") || !strings.Contains(page, `\x1b[31m`) {
		t.Error("the hostile text is not shown at all, so that this test sees nothing")
	}
	for i, r := range page {
		if r == utf8.RuneError || r != '\n' && !unicode.IsPrint(r) && r != '\u00a0' {
			t.Fatalf("an unprintable %U at %d: %.60q", r, i, page[max(0, i-30):])
		}
	}
	var data any
	if err := json.Unmarshal([]byte(between(t, page, `<script type="application/json" id="data">`,
		"</script>")), &data); err != nil {
		t.Error(err)
	}
}

// void are the HTML elements without an end tag. Those of SVG close themselves.
var void = map[string]bool{"meta": true, "link": true, "input": true, "br": true}

var tag = regexp.MustCompile(
	`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s=<>"]+(?:="[^"<>]*")?)*)\s*(/?)>`)
var ids = regexp.MustCompile(`\sid="([^"]*)"`)
var links = regexp.MustCompile(`\shref="#([^"]*)"`)

// wellFormed checks that every element is closed, that no fragment occurs twice, and that every
// link has a target.
// withoutContent returns a page with all elements of a name made empty.
func withoutContent(page, name string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(page, "<"+name)
		begin, end := strings.Index(rest, ">"), strings.Index(rest, "</"+name+">")
		if !ok || begin < 0 || end < begin {
			out.WriteString(page)
			return out.String()
		}
		out.WriteString(before + "<" + name + rest[:begin+1])
		page = rest[end:]
	}
}

func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	body := page
	for _, raw := range []string{"style", "script"} { // whose content is no markup
		body = withoutContent(body, raw)
	}
	var open []string
	rest := body
	for _, m := range tag.FindAllStringSubmatch(body, -1) {
		switch {
		case m[4] == "/" || void[m[2]]:
		case m[1] == "":
			open = append(open, m[2])
		case len(open) == 0 || open[len(open)-1] != m[2]:
			t.Fatalf("%s: </%s> closes %v", name, m[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: never closed: %v", name, open)
	}
	if left := tag.ReplaceAllString(strings.Replace(rest, "<!DOCTYPE html>", "", 1),
		""); strings.ContainsAny(left, "<>") {
		i := strings.IndexAny(left, "<>")
		t.Errorf("%s: stray markup: %.80q", name, left[max(0, i-30):])
	}
	seen := map[string]bool{}
	for _, m := range ids.FindAllStringSubmatch(body, -1) {
		if seen[m[1]] {
			t.Errorf("%s: the fragment %q is there twice", name, m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range links.FindAllStringSubmatch(body, -1) {
		if !seen[m[1]] {
			t.Errorf("%s: a link to %q, which is not there", name, m[1])
		}
	}
}

func TestRunsAreComparedStepByStep(t *testing.T) {
	var runs []html.Run
	for _, e := range examples[:4] {
		runs = append(runs, perform(t, e.options, e.flags))
	}
	page := write(t, runs...)
	wellFormed(t, "comparison", page)
	table := between(t, page, "<tbody>", "</tbody>")
	for _, want := range []struct {
		row  string
		gaps int
	}{
		{"ClientHello", 0}, {"ServerKeyExchange", 1}, {"CertificateRequest", 3},
		{"CertificateVerify", 3}, {"pre_master_secret", 3}, {"key_block", 0},
	} {
		_, row, ok := strings.Cut(table, `<th scope="row">`+want.row+"</th>")
		row, _, _ = strings.Cut(row, "</tr>")
		if got := strings.Count(row, `class="gap"`); !ok || got != want.gaps {
			t.Errorf("%s: got %d gaps, expected %d", want.row, got, want.gaps)
		}
	}
	if strings.Count(table, ">ServerKeyExchange</th>") != 1 {
		t.Error("ServerKeyExchange should have one row, whatever the key exchange")
	}
}

// Events that were saved without secrets give a page without secrets, which says so.
func TestRedactedEventsHaveNoSecrets(t *testing.T) {
	for _, e := range testkit.Sample(t, "pages", 3, examples) {
		r := perform(t, e.options, e.flags)
		var saved bytes.Buffer
		w := trace.NewWriter(&saved)
		var secrets []string
		for _, entry := range r.Entries {
			w.Put(entry)
			// that is in Finished
			if d, ok := entry.Event.(*trace.Derived); ok &&
				!strings.HasSuffix(d.Name, "verify_data") {
				secrets = append(secrets, hex.EncodeToString(d.Output),
					hex.EncodeToString(d.Secret))
			}
		}
		entries, err := trace.Read(&saved)
		if err != nil {
			t.Fatal(err)
		}
		page := write(t, html.Run{Entries: entries, About: explain.Run{Seed: "docs"}})
		wellFormed(t, e.name, page)
		for _, s := range secrets {
			if strings.Contains(page, s) {
				t.Errorf("%s: the page holds a secret that the events did not reveal", e.name)
			}
		}
		if len(secrets) < 8 || strings.Contains(page, "This file holds secrets") ||
			!strings.Contains(page, "No secrets are here") {
			t.Errorf("%s: the page should say that it has no secrets", e.name)
		}
	}
}

// A failed handshake has a page, and so has an empty list of events.
func TestWriteUnfinishedHandshake(t *testing.T) {
	for _, e := range []int{2, 4, 7} {
		r := perform(t, examples[e].options, "")
		var lengths []int
		for n := range len(r.Entries) + 1 {
			lengths = append(lengths, n)
		}
		lengths = testkit.Sample(t, "beginnings", 24, lengths)
		for i, n := range lengths {
			page := write(t, html.Run{Entries: r.Entries[:n], About: explain.Run{}})
			if i%7 == 0 {
				wellFormed(t, "cut", page)
			}
		}
		t.Logf("%s: %d beginnings", examples[e].name, len(lengths))
	}
	if err := html.Write(io.Discard, html.Options{}); err == nil {
		t.Error("a page of no run should be an error")
	}
}

func TestTamperedHandshakeShowsDifferences(t *testing.T) {
	page := write(t,
		perform(t, demo.Options{Suite: iana.TLS_RSA_WITH_AES_256_CBC_SHA256, Auth: throwaway.RSA,
			Tamper: []demo.Tamper{{Line: 1, Field: "random"}}}, ""))
	wellFormed(t, "tampered", page)
	for _, want := range []string{"altered", "different", "ALTERED"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestWriteIsFast(t *testing.T) {
	r := perform(t, examples[3].options, "")
	began := time.Now()
	write(t, r)
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func BenchmarkWrite(b *testing.B) {
	r := perform(b, examples[2].options, "")
	for b.Loop() {
		write(b, r)
	}
}
