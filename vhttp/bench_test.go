package vhttp_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vitrine-tls/vitrine/vhttp"
)

// Requests of HTTP/2, one after the other over one connection: both ends ours, and both ends
// crypto/tls's with net/http.
func BenchmarkHTTP2(b *testing.B) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	std := httptest.NewUnstartedServer(echo)
	std.TLS = &tls.Config{Certificates: certificates(), MaxVersion: tls.VersionTLS12}
	std.EnableHTTP2 = true
	std.StartTLS()
	defer std.Close()
	url := serve(b, &http.Server{Handler: echo}, serverConfig())
	for _, stack := range []struct {
		name, url string
		rt        http.RoundTripper
	}{
		{"vitrine", url, vhttp.NewTransport(clientConfig())},
		{"crypto-tls", std.URL, stdClient(true)},
	} {
		for _, size := range []int{1, 1 << 20} {
			b.Run(stack.name+map[int]string{1: "/1B", 1 << 20: "/1MiB"}[size], func(b *testing.B) {
				body := make([]byte, size)
				b.SetBytes(int64(2 * size))
				b.ReportAllocs()
				for b.Loop() {
					fetch(b, stack.rt, "POST", stack.url, bytes.NewReader(body))
				}
			})
		}
	}
}
