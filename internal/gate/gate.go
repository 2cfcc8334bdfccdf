// Package gate lets one user, and nobody else, at the pages that a program shows on its own
// machine.
//
// Whoever opens them proves it with a token that stands in the URL which the program prints: it is
// good once, and the browser gets a cookie for it that no script can read and no other site can
// make it send. Other pages in the same browser, and names that somebody else's DNS points at this
// machine, are kept away by the headers Host, Origin and Sec-Fetch-Site. Nothing is cached, framed
// or read by others.
package gate

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxSessions is how many browsers may be let in at a time. The first to come is the first to go.
const maxSessions = 16

// Gate stands before a handler.
type Gate struct {
	// Used, if set, is called when a token was used, with the URL of the next one.
	Used func(url string)

	base    string // "http://127.0.0.1:8444"
	port    string
	hosts   []string // that Host may name, with the port
	literal bool     // Host may also be the address that a connection came to
	cookie  string

	mu       sync.Mutex
	token    string
	sessions []string
}

// New returns a Gate for a server that listens at addr. names are hosts by which it is reached,
// besides its address and localhost.
func New(addr net.Addr, names ...string) *Gate {
	host, port, _ := net.SplitHostPort(addr.String())
	g := &Gate{port: port, cookie: "vitrine-" + port, token: random()}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.IsUnspecified():
		g.literal = true
		host = "127.0.0.1"
		fallthrough
	case err == nil && ip.IsLoopback():
		names = append(names, "localhost", "127.0.0.1", "::1")
	}
	g.base = "http://" + net.JoinHostPort(host, port)
	for _, name := range append(names, host) {
		g.hosts = append(g.hosts, strings.ToLower(net.JoinHostPort(name, port)))
		if port == "80" {
			g.hosts = append(g.hosts, strings.ToLower(name))
		}
	}
	return g
}

// random returns 256 random bits in a form for URLs and cookies.
func random() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// URL returns the address to open, with a token that is good once.
func (g *Gate) URL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.base + "/?token=" + g.token
}

// Protect sets the headers by which a browser keeps an answer to itself: it is not cached, and
// other pages can neither frame nor read it. policy is its Content-Security-Policy, apart from who
// may frame it.
func Protect(h http.Header, policy string) {
	for name, value := range map[string]string{
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      policy + "; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	} {
		h.Set(name, value)
	}
}

// Unread leaves the body of r unread: net/http would read the rest of it after the answer, however
// slowly it comes.
func Unread(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		http.NewResponseController(w).SetReadDeadline(time.Now())
	}
}

// Wrap returns a handler that passes on to next what comes from the user.
func (g *Gate) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Protect(w.Header(), "default-src 'none'")
		Unread(w, r)
		switch {
		case !g.knowsHost(r) || !g.knowsOrigin(r):
			http.Error(w, "This is the page of somebody else: it answers to its own address only.",
				http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "There is nothing to change here.", http.StatusMethodNotAllowed)
		case r.URL.Query().Has("token"):
			g.letIn(w, r)
		case !g.knows(r):
			http.Error(w, "Open the address that the program has printed: it has a token, "+
				"which is good once.", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// knowsHost reports whether a request names a host that is ours: another name may be one that an
// attacker lets point at us.
func (g *Gate) knowsHost(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if slices.Contains(g.hosts, host) {
		return true
	}
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return g.literal && ok && host == addr.String()
}

// knowsOrigin reports whether a request comes from one of our pages, or from no page. A token in a
// link may come from anywhere.
func (g *Gate) knowsOrigin(r *http.Request) bool {
	if origins := r.Header.Values("Origin"); len(origins) > 0 &&
		(len(origins) > 1 || !strings.EqualFold(origins[0], "http://"+r.Host)) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return r.URL.Query().Has("token")
}

// letIn gives a browser its cookie, for a token.
func (g *Gate) letIn(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	good := subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("token")), []byte(g.token)) == 1
	session := random()
	if good {
		g.token = random()
		if g.sessions = append(g.sessions, session); len(g.sessions) > maxSessions {
			g.sessions = g.sessions[1:]
		}
	}
	g.mu.Unlock()
	if !good {
		http.Error(w, "This token is not good, or was used before: the program has printed a "+
			"new one.", http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: session, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode})
	if g.Used != nil {
		g.Used(g.URL())
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		// after a redirect the browser would hold the cookie back: another site has begun this
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><meta http-equiv="refresh" content="0;url=/">`+
			`<p><a href="/">Go on</a></p>`)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// knows reports whether a request has the cookie of a browser that was let in.
func (g *Gate) knows(r *http.Request) bool {
	known := 0
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range r.CookiesNamed(g.cookie) {
		for _, s := range g.sessions {
			known |= subtle.ConstantTimeCompare([]byte(c.Value), []byte(s))
		}
	}
	return known == 1
}
