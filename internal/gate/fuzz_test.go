package gate_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/gate"
)

// FuzzGate: whatever stands in a request, nobody gets in who has neither the cookie nor the token,
// and nobody by another name of the host or from another page.
func FuzzGate(f *testing.F) {
	const host = "127.0.0.1:8444"
	for _, target := range []string{"/", "/?token=TOKEN", "/events?since=0", "/?token=", "//", "*",
		"/?token=TOKEN&token=x", "/%zz", "http://evil.test/?token=TOKEN"} {
		for _, header := range []string{"", "Cookie: vitrine-8444=COOKIE", "Cookie: COOKIE",
			"Origin: http://127.0.0.1:8444\r\nCookie: vitrine-8444=COOKIE",
			"Origin: http://evil.test\r\nCookie: vitrine-8444=COOKIE",
			"Sec-Fetch-Site: cross-site\r\nCookie: vitrine-8444=x; vitrine-8444=COOKIE"} {
			f.Add("GET", target, host, header)
			f.Add("POST", target, "localhost:8444", header)
			f.Add("GET", target, "evil.test", header)
		}
	}
	f.Fuzz(func(t *testing.T, method, target, host, header string) {
		g := gate.New(at("127.0.0.1:8444"))
		inside := false
		h := g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside = true }))
		u, err := url.Parse(g.URL())
		if err != nil {
			t.Fatal(err)
		}
		first := ask(h, u.RequestURI(), u.Host, nil)
		cookie := first.Cookies()[0].Value
		if u, err = url.Parse(g.URL()); err != nil {
			t.Fatal(err)
		}
		fill := strings.NewReplacer("TOKEN", u.Query().Get("token"), "COOKIE", cookie)
		text := method + " " + fill.Replace(target) + " HTTP/1.1\r\nHost: " + host + "\r\n" +
			fill.Replace(header) + "\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch name, _, _ := strings.Cut(strings.ToLower(r.Host), ":"); {
		case !inside:
		case !strings.Contains(text, cookie):
			t.Errorf("inside without the cookie: %q", text)
		case name != "127.0.0.1" && name != "localhost" && name != "[":
			t.Errorf("inside by the name %q: %q", r.Host, text)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			t.Errorf("inside by %s: %q", r.Method, text)
		case len(r.Header.Values("Origin")) > 0 &&
			!strings.EqualFold(r.Header.Get("Origin"), "http://"+r.Host):
			t.Errorf("inside from another page: %q", text)
		}
		if w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("a page without the headers that protect it: %q", text)
		}
	})
}
