// Package vhttp serves and speaks HTTP/1.1 and HTTP/2 over Vitrine's connections.
//
// net/http does HTTP/2 only over crypto/tls's own connections, and fills Request.TLS and
// Response.TLS from them. Serve and Transport do both for ours. Which of the two protocols a
// connection speaks is negotiated by ALPN (RFC 7301); HTTP/2 is refused under the cipher suites of
// RFC 9113 appendix A. HTTP/2 itself, RFC 9113, is golang.org/x/net/http2's.
//
// Request.TLS and Response.TLS are filled outside of crypto/tls, and so their ExportKeyingMaterial
// panics: it needs what only crypto/tls can put there. Use Conn(r).ExportKeyingMaterial. Their
// TLSUnique is nil: RFC 9266 has what replaces it.
//
// A body of HTTP/1 that has neither a Content-Length nor chunks ends where the server ends the
// connection (RFC 9112 §6.3). Many servers do so without close_notify, and then a body that an
// attacker cut short cannot be detected: a Transport treats it as complete, as curl and net/http
// do. Every other way to cut a message short is an error: inside a record, before Content-Length is
// reached, before the last chunk, and over HTTP/2.
//
// A server whose Config has MaxEarlyData reads requests before the handshake is done (0-RTT). An
// attacker may have recorded such a request and send it again. Therefore it answers 425 (Too Early)
// to all methods but GET, HEAD, OPTIONS and TRACE, and the handler of an early request finds the
// header Early-Data: 1. It may answer 425 itself, or wait by Conn(r).HandshakeContext. With
// HTTP/1.1 a Transport sends such requests early if its EarlyData is set. See RFC 8470.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	vhttp.go early.go                     a connection of both sides; what may go as early data
//	plain.go served.go conn.go serve.go   a server: clients without TLS, a connection, Serve
//	transport.go sender.go dial.go        a client: Transport, and its connections
//	request.go roundtrip.go print.go      a client: a request; printing
//
// Left out: HTTP/3, proxies in a Transport, and WebSockets over HTTP/2.
//
// It is part of Vitrine's API.
package vhttp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/suite"
)

// The protocols, as ALPN calls them. See RFC 9113 §3.1 and RFC 7301 §6.
const (
	http1 = "http/1.1"
	http2 = "h2"
)

// stated is a connection with a method ConnectionState that returns crypto/tls's type, by which
// net/http and x/net/http2 recognize a TLS connection.
type stated struct {
	*vitrine.Conn
	asRead
	state  tls.ConnectionState
	broken atomic.Pointer[error] // a panic: locks may be held, so that only the socket can be used
	ended  func(error)           // if it is not nil: is told why Read came to an end before io.EOF
}

// asRead hides the methods of vitrine.Conn that io.Copy uses: what embeds stated has a Read and a
// Write of its own, which they would leave out.
type asRead struct{}

func (asRead) ReadFrom() {}
func (asRead) WriteTo()  {}

// survive is deferred by what uses the connection in goroutines of net/http, of x/net/http2 or of
// this package, where a panic, for example of the Config's Trace, would end the program: there it
// ends the connection, and is an error.
func (s *stated) survive(err *error) {
	if failed := bug.From(recover()); failed != nil {
		s.shatter(failed)
		*err = failed
	} else if failed := s.broken.Load(); failed != nil && *err != nil {
		*err = *failed // which closed the socket
	}
}

// shatter ends the connection after a panic. It is no part of survive, where why would be made on
// the heap whenever there is none.
func (s *stated) shatter(why error) {
	s.broken.CompareAndSwap(nil, &why)
	s.NetConn().Close()
}

// Close closes the connection.
func (s *stated) Close() (err error) {
	if s.broken.Load() != nil {
		return s.NetConn().Close()
	}
	defer s.survive(&err)
	return s.Conn.Close()
}

var _ = stated{asRead: asRead{}} // static analysis would call it unused

// Read reads as from a connection of crypto/tls: over HTTP/1.1 it returns io.EOF if the stream ends
// between two records, even without close_notify. See the package's documentation.
func (s *stated) Read(p []byte) (n int, err error) {
	n, err = s.read(p)
	if err != nil && err != io.EOF && s.ended != nil {
		s.ended(err)
	}
	return n, err
}

func (s *stated) read(p []byte) (n int, err error) {
	if failed := s.broken.Load(); failed != nil {
		return 0, *failed
	}
	defer s.survive(&err)
	n, err = s.Conn.Read(p)
	if err == nil {
		return n, nil
	}
	if cut, ok := errors.AsType[*vitrine.TruncatedError](err); ok && !cut.Partial && !s.http2() {
		err = io.EOF
	}
	return n, err
}

// Write writes application data.
func (s *stated) Write(p []byte) (n int, err error) {
	if failed := s.broken.Load(); failed != nil {
		return 0, *failed
	}
	defer s.survive(&err)
	return s.Conn.Write(p)
}

// ConnectionState returns what was negotiated.
func (s *stated) ConnectionState() tls.ConnectionState { return s.state }

func (s *stated) vitrine() *vitrine.Conn { return s.Conn }

// unwrap returns the *vitrine.Conn, for the program.
func unwrap(c net.Conn) net.Conn {
	if s, ok := c.(interface{ vitrine() *vitrine.Conn }); ok {
		return s.vitrine()
	}
	return c
}

// takeState stores the state of a connection whose handshake is done, and refuses HTTP/2 with a
// suite that it prohibits. Our own server never negotiates that; another one might. See RFC 9113
// §9.2.2.
func (s *stated) takeState() error {
	v := s.Conn.ConnectionState()
	s.state = tls.ConnectionState{
		Version: v.Version, HandshakeComplete: true, DidResume: v.DidResume,
		CipherSuite: v.CipherSuite,
		CurveID:     tls.CurveID(v.Group), NegotiatedProtocol: v.NegotiatedProtocol,
		ServerName: v.ServerName, PeerCertificates: v.PeerCertificates,
		VerifiedChains:              v.VerifiedChains,
		SignedCertificateTimestamps: v.SignedCertificateTimestamps, OCSPResponse: v.OCSPResponse,
	}
	//lint:ignore SA1019 it is always true in crypto/tls, and net/http's client for one still looks
	s.state.NegotiatedProtocolIsMutual = true
	if row := suite.Readable(iana.CipherSuite(v.CipherSuite)); s.http2() && !row.HTTP2() {
		return fmt.Errorf("vhttp: the server chose HTTP/2 with %v, which HTTP/2 prohibits (RFC "+
			"9113 §9.2.2)", row)
	}
	return nil
}

func (s *stated) http2() bool { return s.state.NegotiatedProtocol == http2 }

// offering returns config with these protocols as NextProtos if it has none. It returns an error if
// NextProtos has any other protocol.
func offering(config *vitrine.Config, speaks ...string) (*vitrine.Config, error) {
	if config = config.Clone(); config == nil {
		config = &vitrine.Config{}
	}
	if config.NextProtos == nil {
		config.NextProtos = speaks
	}
	for _, name := range config.NextProtos {
		if !slices.Contains(speaks, name) {
			return nil, fmt.Errorf("vhttp: Config.NextProtos offers %q, but vhttp speaks only %q",
				name, speaks)
		}
	}
	return config, nil
}
