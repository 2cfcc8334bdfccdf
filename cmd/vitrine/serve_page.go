package main

import (
	"bytes"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/gate"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// What is kept for the pages of visitors, in bytes.
const (
	maxVisit  = 256 << 10 // of one connection
	maxShare  = 4 << 20   // of all connections from one address, which cannot use up the rest
	maxVisits = 32 << 20  // of all connections together
)

// visitor has the events of a connection: those for --glass, and those for the visitor's own page.
type visitor struct {
	glass, page *recorder   // nil if nobody wants them
	leave       func()      // ends the visitor's share of what is kept; nil without a page
	live        *liveVisit  // likewise
	serving     atomic.Bool // a page is being made or sent
	proxied     atomic.Bool // a header of a request shows that it came through a proxy
}

// Put passes e on to those who want it.
func (v *visitor) Put(e trace.Entry) {
	for _, r := range []*recorder{v.glass, v.page} {
		if r != nil {
			r.Put(e)
		}
	}
	if v.live != nil {
		v.live.Put(e)
	}
}

// Close forgets the events.
func (v *visitor) Close() error {
	for _, r := range []*recorder{v.glass, v.page} {
		if r != nil {
			r.Close()
		}
	}
	if v.leave != nil {
		v.leave()
		v.leave = nil
	}
	if v.live != nil {
		v.live.end()
	}
	return nil
}

// sinkOf returns the sink of an accepted connection, or nil if nothing is recorded.
func sinkOf(c net.Conn) trace.Sink {
	if v := visitorOf(c); v != nil {
		return v
	}
	return nil
}

// visitorOf returns the visitor of an accepted connection, or nil if nothing is recorded.
func visitorOf(c net.Conn) *visitor {
	v, _ := front.Kept(c).(*visitor)
	return v
}

// desk answers clients with the page of their own connection.
type desk struct {
	all      *budget // maxVisits
	mu       sync.Mutex
	shares   map[string]*share // by address
	busy     chan struct{}     // has room for as many pages as are made at a time
	sending  chan struct{}     // has room for as many as are kept until they are sent
	command  string
	listen   string
	showKeys bool
}

func newDesk(command string, showKeys bool) *desk {
	d := &desk{
		all:      newBudget(maxVisits, nil),
		shares:   map[string]*share{},
		busy:     make(chan struct{}, runtime.GOMAXPROCS(0)),
		sending:  make(chan struct{}, maxSending),
		command:  command,
		showKeys: showKeys,
	}
	return d
}

// share is what one address may use of the desk's budget, and how many connections do.
type share struct {
	budget *budget
	users  int
}

// recorder returns a recorder for the page of one connection from an address.
func (d *desk) recorder(from net.Addr) *recorder {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := front.AddressKey(from)
	s := d.shares[key]
	if s == nil {
		s = &share{budget: newBudget(maxShare, d.all)}
		d.shares[key] = s
	}
	s.users++
	return &recorder{limit: maxVisit, shared: s.budget}
}

// leave forgets an address when its last connection has ended.
func (d *desk) leave(from net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := front.AddressKey(from)
	if s := d.shares[key]; s != nil {
		if s.users--; s.users == 0 {
			delete(d.shares, key)
		}
	}
}

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
	d.answer(w, r, c.RemoteAddr(), v)
}

// answer sends the page of a visitor, or what others get if it cannot be made now.
func (d *desk) answer(w http.ResponseWriter, r *http.Request, from net.Addr, v *visitor) {
	if !v.serving.CompareAndSwap(false, true) { // one page at a time of a connection
		front.Hello(w, r)
		return
	}
	defer v.serving.Store(false)
	select {
	case d.sending <- struct{}{}:
		defer func() { <-d.sending }()
	default: // clients that do not read must not keep others from an answer
		front.Hello(w, r)
		return
	}
	if page := d.make(w, r, from, v); page != nil {
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendingTime))
		w.Write(page)
	}
}

// The pages that are kept until their clients have read them: how many, and for how long.
const (
	maxSending  = 32
	sendingTime = 10 * time.Second
)

// proxyHeaders are what proxies and content networks add.
var proxyHeaders = []string{"Via", "Forwarded", "X-Real-Ip", "Cdn-Loop",
	"Cf-Connecting-Ip", "Client-Ip",
	"Fastly-Client-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
	"X-Envoy-External-Address", "X-Original-Forwarded-For"}

// throughProxy reports whether a request says that a proxy passed it on. The connection is then the
// proxy's, which others may share. See RFC 9110 §7.6.3.
func throughProxy(h http.Header) bool {
	for name := range h {
		if slices.Contains(proxyHeaders, name) || strings.HasPrefix(name, "X-Forwarded") {
			return true
		}
	}
	return false
}

// make returns the page, with the headers set, or nil if an error was written.
func (d *desk) make(w http.ResponseWriter, r *http.Request, from net.Addr, v *visitor) []byte {
	select {
	case d.busy <- struct{}{}:
		defer func() { <-d.busy }()
	case <-r.Context().Done():
		return nil
	}
	run, lead, err := d.run(from, v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return nil
	}
	var page bytes.Buffer
	if err := explain.Tellable(run.Entries); err != nil {
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return nil
	}
	if err := html.Write(&page, html.Options{Lead: lead}, run); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return nil
	}
	gate.Protect(w.Header(), html.Policy())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Connection", "close")
	w.Header().Set("Vary", "Accept")
	return page.Bytes()
}

// run returns what the page of a connection shows, and the sentence above it.
func (d *desk) run(from net.Addr, v *visitor) (html.Run, string, error) {
	entries := v.page.entries()
	seen := requestsIn(entries)
	run := html.Run{Entries: entries, About: explain.Run{Command: d.command, Server: d.listen,
		Client: from.String(), Open: true}, Marks: map[*trace.Record]string{}}
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
		var err error
		if run, err = concealed(run); err != nil {
			return run, "", err
		}
		if seen.count == 1 && !cut && !v.proxied.Load() {
			seen.unveil(entries, run.Entries)
		}
	}
	for _, i := range seen.last {
		if rec, ok := run.Entries[i].Event.(*trace.Record); ok && !cut {
			run.Marks[rec] = seen.sentence()
		}
	}
	return run, lead, nil
}
