package playpage

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/vitrine-tls/vitrine/internal/playpage/lessons"
	"github.com/vitrine-tls/vitrine/render/html"
)

// fake returns assets with something else in the place of the WebAssembly.
func fake(t *testing.T, wasm string) *Assets {
	t.Helper()
	var b bytes.Buffer
	w := brotli.NewWriter(&b)
	if _, err := io.WriteString(w, wasm); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &Assets{Brotli: b.Bytes(), Exec: []byte("globalThis.Go = class {};")}
}

// The page's policy allows its own script and style, WebAssembly and its workers, and, as a file,
// no connection. Nothing in the page is from elsewhere.
func TestPolicyAllowsNothingElse(t *testing.T) {
	page, err := File(fake(t, "wasm"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	policy := unescape(between(t, text, `http-equiv="Content-Security-Policy" content="`, `">`))
	want := "default-src 'none'; script-src '" + html.Hash(between(t, text, "\n<script>",
		"</script>")) + "' 'wasm-unsafe-eval'; style-src '" + html.Hash(between(t, text, "<style>",
		"</style>")) + "'; worker-src blob:; connect-src 'none'; base-uri 'none'; " +
		"form-action 'none'"
	if policy != want {
		t.Errorf("the policy is\n%s\nexpected\n%s", policy, want)
	}
	for _, m := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"`).FindAllStringSubmatch(
		text[:strings.Index(text, "<script")], -1) {
		if !strings.HasPrefix(m[1], "#") {
			t.Errorf("the page refers to %s", m[1])
		}
	}
	if strings.Contains(text, " style=") || strings.Contains(text, " onclick=") {
		t.Error("the page has styles or scripts in attributes, which its policy forbids")
	}
}

// unescape undoes what html/template does to text.
func unescape(s string) string {
	return strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&#43;", "+", "&lt;", "<").Replace(s)
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	inside, _, closed := strings.Cut(rest, to)
	if !ok || !closed {
		t.Fatalf("there is no %s", from)
	}
	return inside
}

// Every lesson can be read in the page without a script.
func TestLessonsAreInTheMarkup(t *testing.T) {
	page, err := File(fake(t, "wasm"))
	if err != nil {
		t.Fatal(err)
	}
	plain := unescape(string(page))
	all := lessons.All()
	if len(all) != 12 {
		t.Fatalf("%d lessons", len(all))
	}
	for _, l := range all {
		for _, s := range append([]string{l.Title, l.Question}, append(l.Text, l.Goals...)...) {
			if !strings.Contains(plain, s) {
				t.Errorf("lesson %d: the page lacks %q", l.Number, s)
			}
		}
	}
}

// What text7 makes can be decoded as the page does, ends no element, and comes through a browser's
// parser and whatever copies text as it is.
func TestText7ComesThroughABrowser(t *testing.T) {
	for n := range 300 {
		b := bytes.Repeat([]byte{byte(n), 0xFF, 0, 0x3C, 0x0D, 0x86, 0x1A}, n)[:n]
		text := text7(b)
		other := func(r rune) bool { return r > 127 }
		if bytes.ContainsAny(text, "\x00<\r\n\x1A\x7F") || bytes.ContainsFunc(text, other) {
			t.Fatalf("%d bytes: %q", n, text)
		}
		if most := (n+4)*16/10 + 3; len(text) > most { // each character is escaped
			t.Errorf("%d bytes are %d as text, expected at most %d", n, len(text), most)
		}
		if got := decode7(string(text)); !bytes.Equal(got, b) {
			t.Fatalf("got %x, expected %x", got, b)
		}
	}
}

func decode7(text string) (out []byte) {
	bits, n := 0, 0
	for i := 0; i < len(text); i++ {
		if c := int(text[i]); c == '~' {
			i++
			v := int(text[i]) - '?'
			bits, n = bits<<10|[]int{0, 10, 13, 26, 60, 127, 126}[v>>3]<<3|v&7, n+10
		} else {
			bits, n = bits<<7|c, n+7
		}
		for n >= 8 {
			n -= 8
			out = append(out, byte(bits>>n))
		}
		bits &= 1<<n - 1
	}
	return out[4 : 4+binary.BigEndian.Uint32(out)]
}

func TestFileHoldsTheWebAssembly(t *testing.T) {
	const wasm = "\x00asm and so on"
	page, err := File(fake(t, wasm))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(page, []byte("\xEF\xBB\xBF<!DOCTYPE html>")) {
		t.Errorf("the file begins with %q", page[:20])
	}
	packed := decode7(between(t, string(page), wasmPlace, "</script>"))
	got, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil || string(got) != wasm {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestThePlaygroundIsServedToThisMachineOnly(t *testing.T) {
	const wasm = "\x00asm"
	h, err := NewHandler(fake(t, wasm))
	if err != nil {
		t.Fatal(err)
	}
	get := func(method, path, host string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Host = host
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: the type may be guessed", method, path)
		}
		return w
	}
	for _, host := range []string{"localhost:8480", "127.0.0.1:8480", "[::1]:8480", "localhost"} {
		w := get("GET", "/", host)
		if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" ||
			!strings.Contains(w.Header().Get("Content-Security-Policy"), "connect-src 'self'") {
			t.Errorf("%s: %d, %v", host, w.Code, w.Header())
		}
	}
	brotlied := get("GET", "/playground.wasm", "localhost", "Accept-Encoding", "gzip, br")
	if brotlied.Header().Get("Content-Encoding") != "br" ||
		brotlied.Header().Get("Content-Type") != "application/wasm" {
		t.Errorf("the WebAssembly comes with %v", brotlied.Header())
	}
	for _, accepts := range []string{"", "gzip", "br;q=0", "gzip, br;q=0.0"} {
		if w := get("GET", "/playground.wasm", "localhost", "Accept-Encoding", accepts); w.Body.
			String() != wasm || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q: %v", accepts, w.Header())
		}
	}
	if w := get("GET", "/playground.wasm", "localhost", "If-None-Match",
		brotlied.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("what is known already: %d", w.Code)
	}
	for want, q := range map[int][3]string{
		403: {"GET", "/", "evil.example"}, 405: {"POST", "/", "localhost"},
		404: {"GET", "/../etc/passwd", "localhost"},
	} {
		if w := get(q[0], q[1], q[2]); w.Code != want {
			t.Errorf("%v: got %d, expected %d", q, w.Code, want)
		}
	}
	if w := get("HEAD", "/", "localhost"); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d with %d bytes", w.Code, w.Body.Len())
	}
}
