package vhttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// A server of HTTP/2 and HTTP/1.1, and a client that finds out which.
func ExampleServe() {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state := vhttp.Conn(r).ConnectionState()
		fmt.Fprintf(w, "%s over %s", r.Proto, vitrine.CipherSuiteName(state.CipherSuite))
	})}
	l, err := vhttp.Listen("tcp", "127.0.0.1:0", &vitrine.Config{
		Certificates:   certificates(), // vitrine.LoadX509KeyPair
		CipherSuites13: []uint16{vitrine.TLS_AES_128_GCM_SHA256},
	})
	if err != nil {
		log.Fatal(err)
	}
	go vhttp.Serve(l, server)
	defer server.Shutdown(context.Background())

	client := &http.Client{
		Transport: vhttp.NewTransport(&vitrine.Config{RootCAs: authority().Pool()}),
	}
	res, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Println(string(body))
	fmt.Println(vitrine.VersionName(res.TLS.Version), res.TLS.NegotiatedProtocol)
	// Output:
	// HTTP/2.0 over TLS_AES_128_GCM_SHA256
	// TLS 1.3 h2
}

// named uses Vitrine for some hosts and crypto/tls, with TLS 1.3, for the rest.
type named map[string]http.RoundTripper

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	if t, ok := n[r.URL.Hostname()]; ok {
		return t.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// The printer needs what crypto/tls no longer speaks, and nobody else should get it.
func ExampleNewTransport_namedHosts() {
	printer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		fmt.Fprint(w, "ready to print")
	}))
	address := printer.Listener.Addr().String()
	go vhttp.Serve(vhttp.NewListener(printer.Listener, &vitrine.Config{
		Certificates: certificates(),
		CipherSuites: []uint16{vitrine.TLS_RSA_WITH_AES_128_CBC_SHA256},
		MaxVersion:   vitrine.VersionTLS12,
	}), printer.Config)
	defer printer.Config.Close()

	client := &http.Client{Transport: named{
		"127.0.0.1": vhttp.NewTransport(&vitrine.Config{Policy: vitrine.Legacy,
			RootCAs: authority().Pool()}),
	}}
	res, err := client.Get("https://" + address)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Printf("%s, %s over %s\n", body, res.Proto, vitrine.CipherSuiteName(res.TLS.CipherSuite))
	// Output:
	// ready to print, HTTP/1.1 over TLS_RSA_WITH_AES_128_CBC_SHA256
}
