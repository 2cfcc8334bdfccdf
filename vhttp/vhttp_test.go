package vhttp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// facts answers with what the handler sees.
func facts(w http.ResponseWriter, r *http.Request) {
	c := vhttp.Conn(r)
	fmt.Fprintf(w, "%s %s", r.Proto, iana.CipherSuite(r.TLS.CipherSuite))
	if s := c.ConnectionState(); s.CipherSuite != r.TLS.CipherSuite ||
		s.NegotiatedProtocol != r.TLS.NegotiatedProtocol {
		fmt.Fprintf(w, ", but the connection says %v", s)
	}
	if _, err := c.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil, 16); err != nil {
		fmt.Fprintf(w, ", %v", err)
	}
}

// stdClient is a client of crypto/tls.
func stdClient(second bool) *http.Transport {
	return &http.Transport{ForceAttemptHTTP2: second,
		TLSClientConfig: &tls.Config{RootCAs: authority().Pool(), ServerName: "localhost"}}
}

// The suites of TLS 1.3 are not in the lists of those of TLS 1.2, which HTTP/2 is picky about.
func TestBothProtocolsAreSpokenWithBothStacks(t *testing.T) {
	rig.EachVersion(t, testBothProtocolsAreSpokenWithBothStacks)
}

func testBothProtocolsAreSpokenWithBothStacks(t *testing.T, version func(*vitrine.Config)) {
	want := serverConfig(version).MaxVersion
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || r.TLS.Version != want || !r.TLS.HandshakeComplete {
			t.Errorf("r.TLS is %+v", r.TLS)
		}
		fmt.Fprint(w, r.Proto)
	})
	ours := serve(t, &http.Server{Handler: handler}, serverConfig(version))
	ours1 := serve(t, &http.Server{Handler: handler}, serverConfig(version, only("http/1.1")))
	std := httptest.NewUnstartedServer(handler)
	std.TLS = &tls.Config{Certificates: certificates(), MaxVersion: want}
	std.EnableHTTP2 = true
	std.StartTLS()
	defer std.Close()
	n := 0
	for _, c := range []struct {
		what string
		rt   http.RoundTripper
		url  string
		want string
	}{
		{"ours, both", transport(t), ours, "HTTP/2.0"},
		{"ours, a server of HTTP/1.1", transport(t), ours1, "HTTP/1.1"},
		{"ours, a client of HTTP/1.1", transport(t, only("http/1.1")), ours, "HTTP/1.1"},
		{"ours, a client of HTTP/2", transport(t, only("h2")), ours, "HTTP/2.0"},
		{"net/http's client", stdClient(true), ours, "HTTP/2.0"},
		{"net/http's client of HTTP/1.1", stdClient(false), ours, "HTTP/1.1"},
		{"net/http's server", transport(t), std.URL, "HTTP/2.0"},
		{"net/http's server in HTTP/1.1", transport(t, only("http/1.1")), std.URL, "HTTP/1.1"},
	} {
		for range 3 { // the first learns what is spoken
			n++
			res, body := fetch(t, c.rt, "GET", c.url, nil)
			if res.Proto != c.want || body != c.want {
				t.Errorf("%s: the client spoke %s, the server %q, expected %s", c.what, res.Proto,
					body, c.want)
			}
			if res.TLS == nil || res.TLS.Version != want ||
				res.TLS.PeerCertificates[0].DNSNames[0] != "localhost" {
				t.Errorf("%s: Response.TLS is %+v", c.what, res.TLS)
			}
		}
	}
	t.Logf("%d requests", n)
}

func TestCurlSpeaksBothProtocols(t *testing.T) { rig.EachVersion(t, testCurlSpeaksBothProtocols) }

func testCurlSpeaksBothProtocols(t *testing.T, version func(*vitrine.Config)) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not here (Debian: curl)")
	}
	url := serve(t, &http.Server{Handler: http.HandlerFunc(facts)}, serverConfig(version))
	for flag, want := range map[string]string{"--http2": "HTTP/2.0 ", "--http1.1": "HTTP/1.1 "} {
		out, err := exec.Command(curl, "-sSk", flag, url).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) ||
			strings.Contains(string(out), ",") {
			t.Errorf("curl %s: %v: %s", flag, err, out)
		}
	}
}

// RFC 9113 §9.2.2: a client may offer HTTP/2 together with suites that HTTP/2 prohibits. The server
// then has to speak HTTP/1.1.
func TestHTTP2IsNotSpokenUnderProhibitedSuites(t *testing.T) {
	n := 0
	for _, s := range suite.All() {
		if s.PreShared() || s.MinVersion() < iana.TLS10 {
			continue
		}
		id := uint16(s.ID)
		named := func(c *vitrine.Config) {
			c.CipherSuites, c.MaxVersion = []uint16{id}, vitrine.VersionTLS12
		}
		url := serve(t, &http.Server{Handler: http.HandlerFunc(facts)}, serverConfig(named))
		want := "HTTP/1.1 "
		if s.HTTP2() {
			want = "HTTP/2.0 "
		}
		if _, body := fetch(t, transport(t, named), "GET", url, nil); body != want+s.String() {
			t.Errorf("%v: %q", s, body)
		}
		n++
		if s.HTTP2() {
			continue
		}
		// Without HTTP/1.1 nothing is left: no_application_protocol, RFC 7301 §3.2.
		if res, err := transport(t, named,
			only("h2")).RoundTrip(httptest.NewRequest("GET", url, nil)); err == nil ||
			!strings.Contains(err.Error(), "no_application_protocol") {
			t.Errorf("%v, for HTTP/2 alone: %v, %v", s, res, err)
		}
	}
	t.Logf("%d suites", n)
}

// A server that agrees to HTTP/2 under such a suite all the same is left by our client.
func TestAServersHTTP2UnderAProhibitedSuiteIsRefused(t *testing.T) {
	for _, id := range []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA} {
		l, err := tls.Listen("tcp", "127.0.0.1:0",
			&tls.Config{Certificates: certificates(), MaxVersion: tls.VersionTLS12,
				CipherSuites: []uint16{id}, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				_ = c.(*tls.Conn).Handshake()
				defer c.Close()
			}
		}()
		rt := transport(t, func(c *vitrine.Config) { c.CipherSuites = []uint16{id} })
		if _, err := rt.RoundTrip(httptest.NewRequest("GET", "https://"+l.Addr().String(),
			nil)); err == nil || !strings.Contains(err.Error(), "RFC 9113 §9.2.2") {
			t.Errorf("%v: %v", iana.CipherSuite(id), err)
		}
	}
}

func TestBigBodiesGoBothWaysAtOnce(t *testing.T) {
	rig.EachVersion(t, testBigBodiesGoBothWaysAtOnce)
}

func testBigBodiesGoBothWaysAtOnce(t *testing.T, version func(*vitrine.Config)) {
	url := serve(t,
		&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			io.Copy(w, r.Body)
		})}, serverConfig(version))
	big := bytes.Repeat([]byte("vitrine "), 4<<20/8)
	for _, protocol := range []string{"h2", "http/1.1"} {
		rt := transport(t, only(protocol))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				// a reader that cannot be rewound
				_, body := fetch(t, rt, "POST", url, io.MultiReader(bytes.NewReader(big)))
				if sha256.Sum256([]byte(body)) != sha256.Sum256(big) {
					t.Errorf("%s: %d bytes came back of %d", protocol, len(body), len(big))
				}
			})
		}
		all.Wait()
	}
}

// The transport that finds the other protocol must not lose the body on the way: both begin with
// HTTP/1.1's dial.
func TestABodySurvivesTheChangeOfTransport(t *testing.T) {
	rig.EachVersion(t, testABodySurvivesTheChangeOfTransport)
}

func testABodySurvivesTheChangeOfTransport(t *testing.T, version func(*vitrine.Config)) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	url := serve(t, &http.Server{Handler: echo}, serverConfig(version))
	rt := transport(t)
	closed := &closing{Reader: strings.NewReader("once")}
	if _, body := fetch(t, rt, "POST", url, closed); body != "once" {
		t.Errorf("got %q", body)
	}
	if closed.n == 0 {
		t.Error("the body was not closed")
	}
	// A host that spoke HTTP/2 and now does not.
	s := &http.Server{Handler: echo}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go vhttp.Serve(vhttp.NewListener(l, serverConfig(version)), s)
	url = "https://" + l.Addr().String()
	if res, _ := fetch(t, rt, "POST", url, strings.NewReader("a")); res.Proto != "HTTP/2.0" {
		t.Fatal(res.Proto)
	}
	s.Close()
	// the transport may not have noticed yet, and this body cannot be sent twice
	rt.CloseIdleConnections()
	if l, err = net.Listen("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	s = &http.Server{Handler: echo}
	defer s.Close()
	go vhttp.Serve(vhttp.NewListener(l, serverConfig(version, only("http/1.1"))), s)
	closed = &closing{Reader: strings.NewReader("twice")}
	if res, body := fetch(t, rt, "POST", url, closed); body != "twice" || res.Proto != "HTTP/1.1" {
		t.Errorf("got %q by %s", body, res.Proto)
	}
}

type closing struct {
	io.Reader
	n int
}

func (c *closing) Close() error { c.n++; return nil }

func TestManyRequestsAtOnceShareOneConnectionOfHTTP2(t *testing.T) {
	rig.EachVersion(t, testManyRequestsAtOnceShareOneConnectionOfHTTP2)
}

func testManyRequestsAtOnceShareOneConnectionOfHTTP2(t *testing.T, version func(*vitrine.Config)) {
	var mu sync.Mutex
	seen := map[*vitrine.Conn]int{}
	url := serve(t,
		&http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			seen[vhttp.Conn(r)]++
		})}, serverConfig(version))
	rt := transport(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { fetch(t, rt, "GET", url, nil) })
	}
	all.Wait()
	if len(seen) > 3 {
		t.Errorf("50 requests took %d connections", len(seen))
	}
}

func TestUnsupportedProtocolsAreAnErrorAtSetUp(t *testing.T) {
	inner := func() net.Listener { // Serve closes it
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	onlyHTTP2, without := new(http.Protocols), new(http.Protocols)
	onlyHTTP2.SetHTTP2(true)
	without.SetHTTP1(true)
	for _, c := range []struct {
		what string
		err  error
		want string
	}{
		{"vhttp.Serve of another listener", vhttp.Serve(inner(), &http.Server{}), "vhttp.Listen"},
		{"http.Serve of vhttp's listener",
			http.Serve(vhttp.NewListener(inner(), serverConfig()), nil), "vhttp.Serve"},
		{"another protocol",
			vhttp.Serve(vhttp.NewListener(inner(), serverConfig(only("imap"))), &http.Server{}),
			`"imap"`},
		{"HTTP/2 that the server does not speak",
			vhttp.Serve(vhttp.NewListener(inner(), serverConfig(only("h2"))),
				&http.Server{Protocols: without}), `"h2"`},
		{"HTTP/2 that the server turned off as of old",
			vhttp.Serve(vhttp.NewListener(inner(), serverConfig(only("h2"))),
				&http.Server{TLSNextProto: map[string]func(*http.Server, *tls.Conn,
					http.Handler){}}), `"h2"`},
		{"HTTP/2 alone",
			vhttp.Serve(vhttp.NewListener(inner(), serverConfig()),
				&http.Server{Protocols: onlyHTTP2}), "HTTP1"},
		{"a client's other protocol", func() error {
			_, err := transport(t,
				only("imap")).RoundTrip(httptest.NewRequest("GET", "https://localhost", nil))
			return err
		}(), `"imap"`},
		{"http.Serve of vitrine's listener", func() error {
			_, err := vitrine.Listen("tcp", "127.0.0.1:0", serverConfig(only("h2", "http/1.1")))
			return err
		}(), "vhttp"},
		{"http.Serve of vitrine's listener over another",
			http.Serve(vitrine.NewListener(inner(), serverConfig(only("h2"))), nil), "vhttp"},
		{"http.Transport with vitrine's dialer", func() error {
			d := &vitrine.Dialer{Config: clientConfig(only("h2"))}
			_, err := d.DialContext(context.Background(), "tcp", inner().Addr().String())
			return err
		}(), "vhttp"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got %v, expected it to speak of %s", c.what, c.err, c.want)
		}
	}
}
