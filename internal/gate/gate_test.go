package gate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/gate"
)

func at(addr string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		panic(err)
	}
	return a
}

var inside = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, "inside")
})

// ask sends a request and returns what came back.
func ask(h http.Handler, target, host string, header http.Header) *http.Response {
	r := httptest.NewRequest("GET", target, nil)
	r.Host = host
	if header != nil {
		r.Header = header
	}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey,
		at("192.0.2.7:8444")))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// open uses the token and returns the header with the cookie.
func open(t *testing.T, g *gate.Gate, h http.Handler) http.Header {
	t.Helper()
	u, err := url.Parse(g.URL())
	if err != nil {
		t.Fatal(err)
	}
	res := ask(h, u.RequestURI(), u.Host, nil)
	cookies := res.Cookies()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" ||
		len(cookies) != 1 {
		t.Fatalf("a good token: %d, %v", res.StatusCode, res.Header)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, "token") ||
		strings.Contains(u.RequestURI(), c.Value) || len(c.Value) < 40 {
		t.Errorf("the cookie is %v", c)
	}
	return http.Header{"Cookie": {c.Name + "=" + c.Value}}
}

// with returns a header with another field.
func with(h http.Header, name string, values ...string) http.Header {
	h = h.Clone()
	h[name] = values
	return h
}

func TestOnlyTheUserIsLetIn(t *testing.T) {
	g := gate.New(at("127.0.0.1:8444"))
	h := g.Wrap(inside)
	const ours = "127.0.0.1:8444"
	token, _ := url.Parse(g.URL())
	cookie := open(t, g, h)
	for _, c := range []struct {
		what, target, host string
		header             http.Header
		want               int
	}{
		{"the cookie", "/", ours, cookie, 200},
		{"localhost", "/", "localhost:8444", cookie, 200},
		{"LOCALHOST", "/", "LocalHost:8444", cookie, 200},
		{"IPv6", "/", "[::1]:8444", cookie, 200},
		{"our own page", "/rows", ours, with(cookie, "Origin", "http://"+ours), 200},
		{"typed in", "/", ours, with(cookie, "Sec-Fetch-Site", "none"), 200},
		{"no cookie", "/", ours, http.Header{}, 401},
		{"another cookie", "/", ours, http.Header{"Cookie": {"vitrine-8444=" +
			strings.Repeat("A", 43)}}, 401},
		{"an empty cookie", "/", ours, http.Header{"Cookie": {"vitrine-8444="}}, 401},
		{"the token again", token.RequestURI(), ours, nil, 401},
		{"a wrong token", "/?token=x", ours, nil, 401},
		{"an empty token", "/?token=", ours, nil, 401},
		{"a wrong token beside the cookie", "/?token=x", ours, cookie, 401},
		{"a name that points here", "/", "evil.example:8444", cookie, 403},
		{"another port", "/", "127.0.0.1:80", cookie, 403},
		{"no port", "/", "127.0.0.1", cookie, 403},
		{"no Host", "/", "", cookie, 403},
		{"the address of the interface", "/", "192.0.2.7:8444", cookie, 403},
		{"localhost as a part", "/", "localhost.evil.example:8444", cookie, 403},
		{"another origin", "/", ours, with(cookie, "Origin", "http://evil.example"), 403},
		{"another port's origin", "/", ours, with(cookie, "Origin", "http://127.0.0.1:1"), 403},
		{"another scheme", "/", ours, with(cookie, "Origin", "https://"+ours), 403},
		{"an opaque origin", "/", ours, with(cookie, "Origin", "null"), 403},
		{"two origins", "/", ours, with(cookie, "Origin", "http://"+ours, "http://evil.example"),
			403},
		{"another site", "/", ours, with(cookie, "Sec-Fetch-Site", "cross-site"), 403},
		{"another port of the site", "/", ours, with(cookie, "Sec-Fetch-Site", "same-site"), 403},
	} {
		res := ask(h, c.target, c.host, c.header)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.want || (string(body) == "inside") != (c.want == 200) {
			t.Errorf("%s: %d, %q; expected %d", c.what, res.StatusCode, body, c.want)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", c.what, name, got)
			}
		}
		if !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no policy", c.what)
		}
	}
}

// A server for all addresses answers to the one that a connection came to, and to no name.
func TestAServerForAllAddressesKnowsItsOwn(t *testing.T) {
	g := gate.New(at("0.0.0.0:8444"), "glass.example")
	h := g.Wrap(inside)
	if !strings.HasPrefix(g.URL(), "http://127.0.0.1:8444/?token=") {
		t.Error(g.URL())
	}
	cookie := open(t, g, h)
	for host, want := range map[string]int{"192.0.2.7:8444": 200, "192.0.2.8:8444": 403,
		"glass.example:8444": 200, "evil.example:8444": 403} {
		if res := ask(h, "/", host, cookie); res.StatusCode != want {
			t.Errorf("%s: %d", host, res.StatusCode)
		}
	}
}

// Each token is good once; browsers are let in as long as there are few.
func TestEachTokenIsGoodOnce(t *testing.T) {
	g := gate.New(at("127.0.0.1:8444"))
	var next []string
	g.Used = func(u string) { next = append(next, u) }
	h := g.Wrap(inside)
	seen := map[string]bool{}
	first := http.Header{}
	for i := range 17 {
		if u := g.URL(); seen[u] {
			t.Fatalf("the URL came back: %s", u)
		} else {
			seen[u] = true
		}
		if cookie := open(t, g, h); i == 0 {
			first = cookie
		}
	}
	if len(next) != 17 || next[16] != g.URL() {
		t.Errorf("%d URLs were told", len(next))
	}
	if res := ask(h, "/", "127.0.0.1:8444", first); res.StatusCode != 401 {
		t.Errorf("the first of 17 browsers: %d", res.StatusCode)
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	g := gate.New(at("127.0.0.1:8444"))
	h := g.Wrap(inside)
	cookie := open(t, g, h)
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "CONNECT"} {
		r := httptest.NewRequest(method, "/", nil)
		r.Host, r.Header = "127.0.0.1:8444", cookie
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

// A request that announces a body and never sends it is answered, and its connection ends: else
// anybody could keep all places of the page, with neither cookie nor token.
func TestABodyIsNotWaitedFor(t *testing.T) {
	var h http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	g := gate.New(server.Listener.Addr())
	h = g.Wrap(inside)
	cookie := open(t, g, h)["Cookie"][0]
	for _, method := range []string{"GET", "POST"} {
		for _, body := range []string{"Content-Length: 10\r\n\r\n",
			"Content-Length: 10\r\n\r\nhalf",
			"Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nha"} {
			for _, cookie := range []string{cookie, "vitrine-1=x"} {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s", method,
					server.Listener.Addr(), cookie, body)
				answer, err := io.ReadAll(conn)
				if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() ||
					!strings.HasPrefix(string(answer), "HTTP/1.1 ") {
					t.Fatalf("%s, %q, %q: %.40q, %v", method, body, cookie, answer, err)
				}
				conn.Close()
			}
		}
	}
}

// A link in another page opens ours, too: the cookie is asked for by a page of ours.
func TestATokenMayComeFromAnotherPage(t *testing.T) {
	g := gate.New(at("127.0.0.1:8444"))
	u, _ := url.Parse(g.URL())
	res := ask(g.Wrap(inside), u.RequestURI(), u.Host,
		http.Header{"Sec-Fetch-Site": {"cross-site"}})
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || len(res.Cookies()) != 1 ||
		!strings.Contains(string(body), fmt.Sprintf("url=%s", "/")) {
		t.Errorf("%d, %v, %s", res.StatusCode, res.Header, body)
	}
}
