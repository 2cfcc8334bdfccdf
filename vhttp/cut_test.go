package vhttp_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A server that ends its connection without close_notify: RFC 9112 §6.3 and §8 say which bodies
// that cuts. What net/http over crypto/tls takes, a Transport takes, and no more.
func TestTransportReadsBodiesThatEndWithTheConnection(t *testing.T) {
	rig.EachVersion(t, testTransportReadsWhatOnlyTheEndOfTheConnectionEnds)
}

func testTransportReadsWhatOnlyTheEndOfTheConnectionEnds(t *testing.T,
	version func(*vitrine.Config)) {
	for _, c := range []struct {
		what   string
		answer string
		record bool // the end cuts a record
		fails  bool
	}{
		{what: "a body of HTTP/1.0", answer: "HTTP/1.0 200 OK\r\n\r\nall of it"},
		{what: "a body of HTTP/1.1 with neither length nor chunks",
			answer: "HTTP/1.1 200 OK\r\n\r\nall of it"},
		{what: "a whole Content-Length",
			answer: "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nall of it"},
		{what: "less than Content-Length",
			answer: "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nall of it", fails: true},
		{what: "no last chunk",
			answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n",
			fails:  true},
		{what: "half a head", answer: "HTTP/1.0 200 OK\r\nServer: x\r\n", fails: true},
		{what: "a cut inside a record", answer: "HTTP/1.0 200 OK\r\n\r\nall of it", record: true,
			fails: true},
	} {
		addr := testkit.ServeTCP(t, func(raw net.Conn) { // a client may try again
			conn := vitrine.Server(raw, serverConfig(version))
			http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, c.answer)
			if c.record {
				raw.Write([]byte{23, 3, 3, 0, 100, 0})
			}
		})
		got, err := get(t, transport(t, only("http/1.1")), "https://"+addr)
		if !c.fails && (got != "all of it" || err != nil) {
			t.Errorf("%s: got %q and %v", c.what, got, err)
		}
		if c.fails && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %q and %v, expected %v", c.what, got, err, io.ErrUnexpectedEOF)
		}
	}
}

// get does one request, and reads the body as far as it goes.
func get(t *testing.T, rt http.RoundTripper, url string) (string, error) {
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}
