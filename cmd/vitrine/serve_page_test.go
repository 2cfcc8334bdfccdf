package main

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// callOn asks a server for its page, and returns it with what the client saw of the connection.
func callOn(t *testing.T, s *served, ca string, version uint16, protocol string,
	header http.Header) (res *http.Response, page string, seen []trace.Entry) {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	sink := &recorder{}
	transport := vhttp.NewTransport(&vitrine.Config{RootCAs: roots, MinVersion: version,
		MaxVersion: version, NextProtos: []string{protocol}, Trace: sink})
	defer transport.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.addr+"/see?q=1", nil)
	req.Header = header.Clone()
	if res, err = transport.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body), sink.entries()
}

// secretsOf returns the secrets of the keys in events, in hex. What is short, or all zeros, could
// be on a page by chance; verify_data is in the messages, and opens nothing.
func secretsOf(entries []trace.Entry) (list []string) {
	for _, e := range entries {
		if _, ok := e.Event.(*trace.Record); ok {
			continue
		}
		if d, ok := e.Event.(*trace.Derived); ok && strings.HasSuffix(d.Name, "verify_data") {
			continue
		}
		v := reflect.ValueOf(e.Event).Elem()
		for _, f := range v.Fields() {
			s, ok := f.Interface().(trace.Secret)
			if ok && len(s) >= 8 && strings.Trim(string(s), "\x00") != "" {
				list = append(list, hex.EncodeToString(s))
			}
		}
	}
	return list
}

const brought = "This record brought the request that this page answers."

// A visitor that accepts HTML gets the page of its own connection, with its secrets only where
// --show-keys was given and no proxy passed the request on.
func TestVisitorsSeeTheirOwnConnection(t *testing.T) {
	html := http.Header{"Accept": {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}}
	with := func(name, value string) http.Header {
		h := html.Clone()
		h.Set(name, value)
		return h
	}
	for _, keys := range []bool{false, true} {
		args := map[bool][]string{true: {"--show-keys"}}[keys]
		s, ca := serving(t, args...)
		for _, c := range []struct {
			version  uint16
			protocol string
			header   http.Header
			proxied  bool
		}{
			{vitrine.VersionTLS13, "h2", html, false},
			{vitrine.VersionTLS13, "http/1.1", html, false},
			{vitrine.VersionTLS12, "h2", html, false},
			{vitrine.VersionTLS12, "http/1.1", html, false},
			{vitrine.VersionTLS13, "h2", with("Via", "1.1 proxy"), true},
			{vitrine.VersionTLS13, "http/1.1", with("Forwarded", "for=192.0.2.1"), true},
			{vitrine.VersionTLS12, "h2", with("X-Forwarded-For", "192.0.2.1"), true},
		} {
			name := fmt.Sprintf("keys %v, %v, %s, %v", keys, iana.Version(c.version), c.protocol,
				c.header)
			res, page, seen := callOn(t, s, ca, c.version, c.protocol, c.header)
			checkHeaders(t, name, res)
			shown, secrets := 0, secretsOf(seen)
			for _, secret := range secrets {
				if strings.Contains(page, secret) {
					shown++
				}
			}
			switch {
			case len(secrets) < 5:
				t.Fatalf("%s: the client saw %d secrets", name, len(secrets))
			case keys && !c.proxied && shown < len(secrets)/2:
				t.Errorf("%s: shows %d of %d secrets", name, shown, len(secrets))
			case (!keys || c.proxied) && shown > 0:
				t.Errorf("%s: shows %d secrets", name, shown)
			case (!keys || c.proxied) && !strings.Contains(page, " bytes, sha256 "):
				t.Errorf("%s: has no fingerprints", name)
			}
			random := clientRandom(t, seen)
			if !strings.Contains(page, random) || !strings.Contains(page, brought) {
				t.Errorf("%s: is not the page of this connection (%s)", name, random)
			}
			// the path is compressed in HTTP/2
			if got := strings.Contains(page, hex.EncodeToString([]byte("/see?q=1"))); got !=
				(!c.proxied && c.protocol == "http/1.1") {
				t.Errorf("%s: shows the request's bytes: %v", name, got)
			}
		}
	}
}

func clientRandom(t *testing.T, seen []trace.Entry) string {
	t.Helper()
	for _, e := range seen {
		if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.ClientHello {
			return hex.EncodeToString(m.Raw[6:38])
		}
	}
	t.Fatal("no ClientHello")
	return ""
}

func checkHeaders(t *testing.T, name string, res *http.Response) {
	t.Helper()
	for header, want := range map[string]string{"Content-Type": "text/html; charset=utf-8",
		"Cache-Control": "no-store", "Vary": "Accept", "X-Frame-Options": "DENY",
		"Access-Control-Allow-Origin": "", "Referrer-Policy": "no-referrer"} {
		if got := res.Header.Get(header); got != want {
			t.Errorf("%s: %s is %q, expected %q", name, header, got, want)
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") ||
		!strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("%s: the policy is %q", name, policy)
	}
}

// Who does not accept HTML gets text, or JSON.
func TestTheGreetingIsTextOrJSON(t *testing.T) {
	s, ca := serving(t)
	for accept, want := range map[string][2]string{
		"":                         {"text/plain; charset=utf-8", "hello from behind the glass\n"},
		"*/*":                      {"text/plain; charset=utf-8", "hello from behind the glass\n"},
		"text/html;q=0, text/*":    {"text/plain; charset=utf-8", "hello from behind the glass\n"},
		"application/json":         {"application/json", `{"version":"TLS 1.3","suite":"TLS_`},
		"text/html; charset=utf-8": {"text/html; charset=utf-8", "<!DOCTYPE html>"},
	} {
		res, body, _ := callOn(t, s, ca, vitrine.VersionTLS13, "h2",
			http.Header{"Accept": {accept}})
		if got := res.Header.Get("Content-Type"); got != want[0] ||
			!strings.HasPrefix(body, want[1]) || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("Accept: %q: got %s, %.40q", accept, got, body)
		}
	}
}

// A connection that says much keeps little, and gives back what it had when it ends.
func TestTheEventsOfVisitorsAreBounded(t *testing.T) {
	d := newDesk("vitrine serve", false)
	from := func(i int) net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, byte(i)), Port: i} }
	one := d.recorder(from(0))
	event := trace.Entry{Event: &trace.Record{Fragment: make([]byte, 16<<10)}}
	for range 100 {
		one.Put(event)
	}
	if n := len(one.entries()) * 16 << 10; n < maxVisit/2 || n > maxVisit || !one.cut() {
		t.Errorf("one connection keeps %d bytes", n)
	}
	all := []*recorder{one}
	for i := range 2 * maxVisits / maxVisit {
		r := d.recorder(from(1 + i%16))
		for range 15 {
			r.Put(event)
		}
		all = append(all, r)
	}
	if left := d.all.left.Load(); left < 0 || left > int64(event.Size()) {
		t.Errorf("%d bytes are left of the room of all", left)
	}
	for _, r := range all {
		r.Close()
		r.Put(event) // too late
	}
	if left := d.all.left.Load(); left != maxVisits {
		t.Errorf("%d bytes were not given back", maxVisits-left)
	}
}

// One address, whatever its ports, does not use up what is kept for the visitors of others; it is
// forgotten with its last connection.
func TestOneAddressHasAShareOfTheEvents(t *testing.T) {
	d := newDesk("vitrine serve", false)
	event := trace.Entry{Event: &trace.Record{Fragment: make([]byte, 16<<10)}}
	var greedy []*recorder
	for port := range 2 * maxVisits / maxVisit {
		r := d.recorder(&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: port})
		for range 15 {
			r.Put(event)
		}
		greedy = append(greedy, r)
	}
	if used := maxVisits - d.all.left.Load(); used > maxShare || used < maxShare/2 {
		t.Errorf("one address uses %d bytes, expected at most %d", used, maxShare)
	}
	other := d.recorder(&net.TCPAddr{IP: net.ParseIP("2001:db8:0:1::1"), Port: 1})
	if other.Put(event); len(other.entries()) != 1 {
		t.Error("nothing is kept for a visitor from another address")
	}
	for _, r := range greedy {
		r.Close()
		d.leave(&net.TCPAddr{IP: net.ParseIP("2001:db8::2"), Port: 9}) // of the same network
	}
	if len(d.shares) != 1 {
		t.Errorf("%d addresses are remembered, expected the other alone", len(d.shares))
	}
}

// stuck is a client that reads nothing of its page until it is let go.
type stuck struct {
	http.ResponseWriter
	begun chan<- bool
	until <-chan bool
}

func (s *stuck) Write(p []byte) (int, error) {
	s.begun <- true
	<-s.until
	return len(p), nil
}

// SetWriteDeadline lets the answer bound how long it waits.
func (s *stuck) SetWriteDeadline(time.Time) error { return nil }

// Clients that do not read their pages do not keep others from an answer.
func TestPagesThatNobodyReadsKeepNobodyWaiting(t *testing.T) {
	s, ca := serving(t)
	html := http.Header{"Accept": {"text/html"}}
	_, _, seen := callOn(t, s, ca, vitrine.VersionTLS13, "http/1.1", html)
	d, from := newDesk("vitrine serve", false), &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	visit := func() *visitor {
		v := &visitor{page: d.recorder(from)}
		for _, e := range seen {
			v.Put(e)
		}
		return v
	}
	begun, until := make(chan bool), make(chan bool)
	var group sync.WaitGroup
	for range maxSending {
		group.Go(func() {
			w := &stuck{httptest.NewRecorder(), begun, until}
			d.answer(w, httptest.NewRequest("GET", "/", nil), from, visit())
		})
		select {
		case <-begun: // it has its page, and does not read it
		case <-time.After(30 * time.Second):
			t.Fatal("a page was not sent")
		}
	}
	answered := make(chan int, 1)
	go func() {
		w := httptest.NewRecorder()
		d.answer(w, httptest.NewRequest("GET", "/", nil), from, visit())
		answered <- w.Body.Len()
	}()
	select {
	case n := <-answered:
		if n == 0 {
			t.Error("the next visitor got nothing")
		}
	case <-time.After(30 * time.Second):
		t.Error("the next visitor waits for those who do not read")
	}
	close(until)
	group.Wait()
}

// The requests of a connection are found in its records.
func TestRequestsAreFoundInRecords(t *testing.T) {
	frame := func(kind byte, payload string) string {
		return string([]byte{0, 0, byte(len(payload)), kind, 4, 0, 0, 0, 1}) + payload
	}
	for _, c := range []struct {
		records []string
		count   int
		last    []int
	}{
		{nil, 0, nil},
		{[]string{"GET / HTTP/1.1\r\n\r\n"}, 1, []int{0}},
		{[]string{"GET / HT", "TP/1.1\r\nHost: x\r\n", "\r\n", "more"}, 1, []int{0, 1, 2}},
		{[]string{"GET / HTTP/1.1\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n"}, 2, []int{1}},
		{[]string{"anything else"}, 0, nil},
		{[]string{http2Preface + frame(4, "settings"), frame(1, "fields")}, 1, []int{1}},
		{[]string{http2Preface + frame(1, "fie")[:10], frame(1, "fie")[10:] + frame(9, "lds")}, 1,
			[]int{0, 1}},
		{[]string{http2Preface, frame(1, "one"), frame(1, "two"), frame(0, "data")}, 2, []int{2}},
		{[]string{http2Preface + "\xff\xff\xff\x01"}, 0, nil},
	} {
		var entries []trace.Entry
		for _, r := range c.records {
			entries = append(entries, trace.Entry{Role: trace.Server, Event: &trace.Record{
				From: iana.Client, Direction: trace.Opened, Plaintext: []byte(r),
				ContentType: iana.RecordApplicationData}})
		}
		got := requestsIn(entries)
		if got.count != c.count || fmt.Sprint(got.last) != fmt.Sprint(c.last) {
			t.Errorf("%q: %d requests, the last in %v; expected %d, %v", c.records, got.count,
				got.last, c.count, c.last)
		}
	}
}
