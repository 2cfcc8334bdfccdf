package main

import (
	"bytes"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// What is kept for the pages of visitors, in bytes.
const (
	maxVisit  = 256 << 10 // of one connection
	maxVisits = 32 << 20  // of all connections together
)

// visitor has the events of a connection: those for --glass, and those for the visitor's own page.
type visitor struct {
	glass, page *recorder   // nil if nobody wants them
	proxied     atomic.Bool // a header of a request shows that it came through a proxy
}

// Put passes e on to those who want it.
func (v *visitor) Put(e trace.Entry) {
	for _, r := range []*recorder{v.glass, v.page} {
		if r != nil {
			r.Put(e)
		}
	}
}

// Close forgets the events.
func (v *visitor) Close() error {
	for _, r := range []*recorder{v.glass, v.page} {
		if r != nil {
			r.Close()
		}
	}
	return nil
}

// visitorOf returns the visitor of an accepted connection, or nil if nothing is recorded.
func visitorOf(c net.Conn) *visitor {
	v, _ := front.Kept(c).(*visitor)
	return v
}

// desk answers visitors with the page of their own connection.
type desk struct {
	left     atomic.Int64  // of maxVisits
	busy     chan struct{} // has room for as many pages as are made at a time
	command  string
	listen   string
	showKeys bool
}

func newDesk(command, listen string, showKeys bool) *desk {
	d := &desk{busy: make(chan struct{}, runtime.GOMAXPROCS(0)), command: command,
		listen: listen, showKeys: showKeys}
	d.left.Store(maxVisits)
	return d
}

// recorder returns a recorder for the page of one connection.
func (d *desk) recorder() *recorder { return &recorder{limit: maxVisit, shared: &d.left} }

// ServeHTTP answers who accepts HTML with the page of the connection, and others as front.Hello.
func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := vhttp.Conn(r)
	var v *visitor
	if c != nil {
		v = visitorOf(c.NetConn())
	}
	if v != nil && throughProxy(r.Header) {
		v.proxied.Store(true)
	}
	if v == nil || v.page == nil || !front.Accepts(r, "text/html") ||
		r.Method != http.MethodGet && r.Method != http.MethodHead {
		front.Hello(w, r)
		return
	}
	select {
	case d.busy <- struct{}{}:
		defer func() { <-d.busy }()
	case <-r.Context().Done():
		return
	}
	d.write(w, c, v)
}

// throughProxy reports whether a request says that a proxy passed it on. The connection is then the
// proxy's, which others may share. See RFC 9110 §7.6.3.
func throughProxy(h http.Header) bool {
	for name := range h {
		if name == "Via" || name == "Forwarded" || name == "X-Real-Ip" ||
			strings.HasPrefix(name, "X-Forwarded") {
			return true
		}
	}
	return false
}

func (d *desk) write(w http.ResponseWriter, c *vitrine.Conn, v *visitor) {
	run, lead, err := d.run(c, v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var page bytes.Buffer
	if err := explain.Tellable(run.Entries); err != nil {
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return
	}
	if err := html.Write(&page, html.Options{Lead: lead}, run); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for name, value := range map[string]string{
		"Content-Type":                 "text/html; charset=utf-8",
		"Connection":                   "close",
		"Cache-Control":                "no-store",
		"Vary":                         "Accept",
		"Content-Security-Policy":      html.Policy() + "; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	} {
		w.Header().Set(name, value)
	}
	w.Write(page.Bytes())
}

// run returns what the page of a connection shows, and the sentence above it.
func (d *desk) run(c *vitrine.Conn, v *visitor) (html.Run, string, error) {
	entries := v.page.entries()
	seen := requestsIn(entries)
	run := html.Run{Entries: entries, About: explain.Run{Command: d.command, Server: d.listen,
		Client: c.RemoteAddr().String(), Open: true}, Marks: map[*trace.Record]string{}}
	lead := "This is the connection that brought you this page, as the server saw it until it " +
		"answered."
	cut := v.page.cut()
	switch {
	case cut:
		lead += " It is not all here: what is kept of a connection is bounded."
	case d.showKeys && v.proxied.Load():
		lead += " Its keys stay hidden, because the request came through a proxy, whose " +
			"connection others may share."
	case !d.showKeys:
		lead += " Keys are shown as fingerprints; vitrine serve --show-keys shows them."
	}
	if !d.showKeys || v.proxied.Load() {
		hidden, err := redacted(entries)
		if err != nil {
			return run, "", err
		}
		run.Prints, run.Entries = html.Fingerprints(run), hidden
		run.About.Fingerprints = true
		if seen.count == 1 && !cut && !v.proxied.Load() {
			seen.unveil(entries, hidden)
		}
	}
	for _, i := range seen.last {
		if rec, ok := run.Entries[i].Event.(*trace.Record); ok && !cut {
			run.Marks[rec] = seen.sentence()
		}
	}
	return run, lead, nil
}
