package vhttp_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// patience bounds what must not hang.
const patience = 10 * time.Second

var authority = sync.OnceValue(func() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		panic(err)
	}
	return ca
})

var certificates = sync.OnceValue(func() []tls.Certificate {
	var certs []tls.Certificate
	for _, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA} {
		c, err := authority().Issue(kind, []string{"localhost", "127.0.0.1"})
		if err != nil {
			panic(err)
		}
		certs = append(certs, c)
	}
	return certs
})

func serverConfig(edits ...func(*vitrine.Config)) *vitrine.Config {
	c := &vitrine.Config{Certificates: certificates()}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

func clientConfig(edits ...func(*vitrine.Config)) *vitrine.Config {
	c := &vitrine.Config{RootCAs: authority().Pool(), ServerName: "localhost"}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// logged is an ErrorLog that tests read.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve serves until the test ends, and gives the URL.
func serve(t testing.TB, s *http.Server, config *vitrine.Config) string {
	t.Helper()
	if s.ErrorLog == nil {
		s.ErrorLog = log.New(io.Discard, "", 0)
	}
	l, err := vhttp.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- vhttp.Serve(l, s) }()
	t.Cleanup(func() {
		s.Close()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("Serve goes on after Close")
		}
	})
	return "https://" + l.Addr().String()
}

// fetch does one request.
func fetch(t testing.TB, rt http.RoundTripper, method, url string,
	body io.Reader) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// transport is a client's that the test's end closes.
func transport(t testing.TB, edits ...func(*vitrine.Config)) *vhttp.Transport {
	rt := vhttp.NewTransport(clientConfig(edits...))
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

// only offers these protocols.
func only(protocols ...string) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.NextProtos = protocols }
}
