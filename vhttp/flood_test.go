package vhttp_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/flood"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// frame is a frame of HTTP/2. See RFC 9113 §4.1.
func frame(typ, flags byte, stream uint32, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(typ))
	b = append(b, flags)
	return string(binary.BigEndian.AppendUint32(b, stream)) + payload
}

// A client sends without end and reads nothing: requests to renegotiate or to update keys, and of
// HTTP/2 whatever a server answers or keeps. See CVE-2019-9511 to 9518 and RFC 9113 §10.5.
func TestClientThatNeverReadsCostsLittle(t *testing.T) {
	rig.EachVersion(t, testClientThatNeverReadsCostsLittle)
}

func testClientThatNeverReadsCostsLittle(t *testing.T, version func(*vitrine.Config)) {
	// An answer that is queued has 27 bytes or more. Of answers to pings net/http keeps 10,000.
	const requests, most, mostPongs = 30_000, 512 << 10, 2 << 20
	const settings, headers, ping, windowUpdate, unknown = 4, 1, 6, 8, 0xFA
	// The client lets the server send as much as it likes, and asks for / (RFC 7541 appendix A).
	second := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
		frame(settings, 0, 0, "\x00\x04\x7f\xff\xff\xff") +
		frame(windowUpdate, 0, 0, "\x7f\x00\x00\x00") +
		frame(headers, 5, 1, "\x82\x87\x84\x41\x09localhost")
	for _, c := range []struct {
		what, protocol, asks, then string
		most                       int
	}{
		{"HTTP/1.1, a body", http1,
			"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n", "x", most},
		{"HTTP/2, frames that are ignored", http2, second, frame(unknown, 0, 0, ""), most},
		{"HTTP/2, pings", http2, second, frame(ping, 0, 0, "12345678"), mostPongs},
		{"HTTP/2, settings", http2, second, frame(settings, 0, 0, ""), most},
		{"HTTP/2, windows", http2, second, frame(windowUpdate, 0, 0, "\x00\x00\x00\x01"), most},
	} {
		writing := make(chan struct{})
		handler := func(w http.ResponseWriter, r *http.Request) {
			// Without it the first Write of HTTP/1.1 waits for whoever reads the body.
			_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 always is
			go io.Copy(io.Discard, r.Body)
			for b, i := make([]byte, 16<<10), 0; ; i++ {
				if _, err := w.Write(b); err != nil {
					return
				}
				if i == 0 {
					close(writing)
				}
			}
		}
		url := serve(t, &http.Server{Handler: http.HandlerFunc(handler)}, serverConfig(version))
		peer, err := flood.Dial(strings.TrimPrefix(url, "https://"), c.protocol)
		if err != nil {
			t.Fatal(err)
		}
		if err := peer.Send([]byte(c.asks)); err != nil {
			t.Fatal(err)
		}
		<-writing
		before := flood.Held()
		err = peer.Ask(requests, []byte(c.then))
		grown := flood.Grown(before, c.most)
		t.Logf("%s: %d bytes, %v", c.what, grown, err) // to end such a connection is as good
		if grown > c.most {
			t.Errorf("%s: %d messages cost %d bytes, expected at most %d", c.what, requests, grown,
				c.most)
		}
		peer.Close()
	}
}

// The protocols by their names in ALPN.
const http1, http2 = "http/1.1", "h2"
