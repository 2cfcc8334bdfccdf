package demo

import (
	"crypto/tls"
	"io"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// config13 changes a Config to TLS 1.3, with tickets.
func (s *setup) config13(c *vitrine.Config, side iana.Side) {
	c.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	c.CipherSuites, c.CipherSuites13 = nil, []uint16{uint16(s.Suite)}
	c.ExtendedMasterSecret, c.EncryptThenMAC = vitrine.Preferred, vitrine.Preferred
	c.CurvePreferences = []tls.CurveID{tls.CurveID(s.Group)}
	c.PostHandshakeAuth = s.LateAuth
	if s.EarlyData && side == iana.Server {
		c.SessionStore, c.MaxEarlyData = session.NewMemory(8),
			uint32(max(1<<14, len(s.Data)))
	}
	switch {
	case side == iana.Client:
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
		if s.Retry {
			c.CurvePreferences = []tls.CurveID{tls.CurveID(s.guess()), tls.CurveID(s.Group)}
		}
	case s.Seed != "":
		var key [32]byte
		if _, err := io.ReadFull(source(s.Seed, "tickets"), key[:]); err != nil {
			panic("demo: a generator of random bytes failed: " + err.Error())
		}
		c.SetSessionTicketKeys([][32]byte{key})
	}
}

// guess returns the group of a client's key share where a retry is wanted.
func (s *setup) guess() iana.Group {
	if s.Group == iana.X25519 {
		return iana.Secp256r1
	}
	return iana.X25519
}

// readerFunc is a function as an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// again prepares a second connection with the same keys, stores and random streams. It comes a
// minute later: a server that has just begun accepts no early data.
func (s *setup) again() {
	s.resumed = true
	for side := range s.configs {
		s.events[side] = &trace.Memory{}
		c := s.configs[side].Clone()
		now := c.Time
		c.Trace, c.Time = s.events[side], func() time.Time { return now().Add(time.Minute) }
		s.configs[side] = c
	}
}

// answerProved asks a client for its certificate, answers once it has proved to own it, and reads
// until the client has no more to say. See RFC 8446 §4.6.2.
func answerProved(c *vitrine.Conn) error {
	if err := c.RequestClientCertificate(tls.RequireAndVerifyClientCert); err != nil {
		return err
	}
	var answered atomic.Bool
	if w, ok := c.NetConn().(*conduit); ok {
		w.update(func() { w.busy = func() bool { return hasAnswer(c) && !answered.Load() } })
	}
	read := make(chan error, 1)
	go func() { // a Read receives the answer
		_, err := io.Copy(io.Discard, c)
		read <- err
	}()
	select {
	case <-c.ClientAnswer():
	case err := <-read:
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := c.Write([]byte(answer)); err != nil {
		return err
	}
	answered.Store(true)
	if w, ok := c.NetConn().(*conduit); ok {
		w.update(func() {})
	}
	if err := <-read; err != nil {
		return err
	}
	return c.CloseWrite()
}

// hasAnswer reports whether the client has answered a request for its certificate.
func hasAnswer(c *vitrine.Conn) bool {
	select {
	case <-c.ClientAnswer():
		return true
	default:
		return false
	}
}
