package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// protocols are the ALPN names of the jobs that make requests.
var protocols = map[string]string{http1: "http/1.1", http2: "h2"}

// requests makes requests, one after the other over one connection, whose answers have Size bytes:
// net/http over crypto/tls, and the same over Vitrine by vhttp.
func (j job) requests(e ends) (func() (int, error), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	body := make([]byte, j.Size)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(body)
	})}
	names := []string{protocols[j.What]}
	transport := http.RoundTripper(nil)
	if j.Stack == ours {
		server, client := e.configs.server.(*vitrine.Config), e.configs.client.(*vitrine.Config)
		server.NextProtos, client.NextProtos = names, names
		go vhttp.Serve(vhttp.NewListener(l, server), s)
		transport = vhttp.NewTransport(client)
	} else {
		s.TLSConfig = e.configs.server.(*tls.Config)
		s.TLSConfig.NextProtos = names
		client := e.configs.client.(*tls.Config)
		client.NextProtos = names
		go s.ServeTLS(l, "", "")
		transport = &http.Transport{TLSClientConfig: client, ForceAttemptHTTP2: j.What == http2}
	}
	url := "https://" + l.Addr().String()
	return func() (int, error) {
		r, err := http.NewRequest("GET", url, nil)
		if err != nil {
			return 0, err
		}
		a, err := transport.RoundTrip(r)
		if err != nil {
			return 0, err
		}
		defer a.Body.Close()
		n, err := io.Copy(io.Discard, a.Body)
		if err == nil && (n != int64(j.Size) || a.ProtoMajor == 2 != (j.What == http2)) {
			err = fmt.Errorf("got %d bytes by %s", n, a.Proto)
		}
		return 0, err
	}, nil
}
