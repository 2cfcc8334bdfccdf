package main

import (
	"crypto/rand"
	"crypto/tls"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/front"
)

// What serve can do with TLS 1.3 alone.

// sane13 checks the flags about it.
func (h *host) sane13(example string) error {
	for _, f := range []struct {
		name string
		on   bool
	}{{"--early-data", h.earlyData}, {"--post-handshake-auth", h.lateAuth},
		{"--cookie", h.cookie}} {
		if f.on && highest(h.config) < iana.TLS13 {
			return contradiction(f.name, "--max "+h.max, "only TLS 1.3 has it", example+" "+f.name)
		}
	}
	switch {
	case h.earlyData && !h.tickets:
		return contradiction("--early-data", "--tickets=false", "early data goes with a ticket",
			example+" --early-data")
	case h.earlyData && h.cookie:
		return contradiction("--early-data", "--cookie",
			"after a HelloRetryRequest none is accepted", example+" --early-data")
	case h.earlyData && h.lateAuth:
		return contradiction("--early-data", "--post-handshake-auth",
			"a request in early data would wait for the client's certificate",
			example+" --early-data")
	case h.lateAuth && h.clientAuth == "none":
		return &usageError{"--post-handshake-auth asks for the certificate of --client-auth, " +
			"which is none", example + " --post-handshake-auth --client-auth require --client-ca " +
			"clients.pem"}
	}
	if h.cookie {
		key := [32]byte{}
		rand.Read(key[:])
		h.config.CookieKeys = [][32]byte{key}
	}
	return nil
}

// onlyHTTP returns an error if a flag was given that goes with HTTP alone, and something else is
// served.
func (h *host) onlyHTTP(served, example string) error {
	switch {
	case h.earlyData:
		return contradiction("--early-data", served,
			"only HTTP tells apart what may be sent again", example+" --early-data")
	case h.lateAuth:
		return contradiction("--post-handshake-auth", served,
			"only HTTP has requests that can wait for the client's answer",
			example+" --client-auth "+h.clientAuth)
	}
	return nil
}

// protocols returns what HTTP can be spoken. HTTP/2 forbids authentication after the handshake: RFC
// 9113 §9.2.3.
func (h *host) protocols() []string {
	if h.lateAuth {
		return []string{"http/1.1"}
	}
	return front.Protocols()
}

// askLater makes --client-auth ask after the handshake, if --post-handshake-auth is given.
func (h *host) askLater(config *vitrine.Config) {
	if h.lateAuth {
		h.late, config.ClientAuth = config.ClientAuth, tls.NoClientCert
		config.PostHandshakeAuth = true
	}
}

// proved logs a client that has shown itself after the handshake.
func (h *host) proved(c *vitrine.Conn) {
	line := visit{Time: time.Now().UTC().Format(time.RFC3339), Remote: c.RemoteAddr().String(),
		OK: true, Late: true}
	line.setNegotiated(c.ConnectionState())
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(line)
}
