package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// An end is a connection of either stack.
type end interface {
	net.Conn
	Handshake() error
}

// serverName is what the server's certificates are for.
const serverName = "vitrine.test"

// ends makes both ends of a connection over two sockets, and resumed reports whether a client's end
// resumed a session.
type ends struct {
	client, server func(net.Conn) end
	resumed        func(end) bool
	configs        struct{ client, server any } // *vitrine.Config or *tls.Config
}

// ends returns j's stack, configured.
func (j job) ends() (e ends, err error) {
	c, s := &tls.Config{ServerName: serverName}, &tls.Config{}
	cert, err := j.certificate(string(j.Key))
	if err != nil {
		return e, err
	}
	s.Certificates = []tls.Certificate{cert}
	if c.RootCAs, err = j.roots(); err != nil {
		return e, err
	}
	if j.ClientKey {
		own, err := j.certificate(clientFile)
		if err != nil {
			return e, err
		}
		c.Certificates = []tls.Certificate{own}
		s.ClientAuth, s.ClientCAs = tls.RequireAndVerifyClientCert, c.RootCAs
	}
	if j.Stack == ours {
		return j.vitrine(c, s), nil
	}
	for _, x := range []*tls.Config{c, s} {
		x.MinVersion, x.MaxVersion = j.Version, j.Version
		x.CipherSuites, x.CurvePreferences = j.suites(tls12), j.groups()
		x.SessionTicketsDisabled = j.What != byPSK
	}
	if j.What == byPSK {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	e.configs.client, e.configs.server = c, s
	e.client = func(n net.Conn) end { return tls.Client(n, c) }
	e.server = func(n net.Conn) end { return tls.Server(n, s) }
	e.resumed = func(e end) bool { return e.(*tls.Conn).ConnectionState().DidResume }
	return e, nil
}

// vitrine returns the ends for Vitrine, with the settings of crypto/tls's Configs.
func (j job) vitrine(client, server *tls.Config) (e ends) {
	c := &vitrine.Config{RootCAs: client.RootCAs, ServerName: serverName,
		Certificates: client.Certificates}
	s := &vitrine.Config{Certificates: server.Certificates, ClientAuth: server.ClientAuth,
		ClientCAs: server.ClientCAs}
	for _, x := range []*vitrine.Config{c, s} {
		x.MinVersion, x.MaxVersion = j.Version, j.Version
		x.CipherSuites, x.CurvePreferences = j.suites(tls12), j.groups()
		x.CipherSuites13 = j.suites(tls13)
		x.SessionTicketsDisabled = j.What != byPSK
		x.ChainCacheDisabled = !j.Known
		if j.Traced {
			x.Trace = forgetful{}
		}
	}
	if j.What == byPSK || j.What == byID {
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
	}
	if j.What == byID {
		s.SessionStore = session.NewMemory(10_000)
	}
	e.configs.client, e.configs.server = c, s
	e.client = func(n net.Conn) end { return vitrine.Client(n, c) }
	e.server = func(n net.Conn) end { return vitrine.Server(n, s) }
	e.resumed = func(e end) bool { return e.(*vitrine.Conn).ConnectionState().DidResume }
	return e
}

// forgetful drops all events, so that only the cost of making them is measured.
type forgetful struct{}

func (forgetful) Put(trace.Entry) {}

// suites returns j's suite alone, if its version is this one.
func (j job) suites(version uint16) []uint16 {
	if j.Suite == 0 || j.Version != version {
		return nil
	}
	return []uint16{uint16(j.Suite)}
}

// groups returns the preferences that lead to j's group, with P-256, which is the certificate's. A
// hybrid comes with a share of X25519, as both stacks send by default. Nil is the stack's choice.
func (j job) groups() []tls.CurveID {
	switch j.Group {
	case 0:
		return nil
	case hybrid:
		return []tls.CurveID{hybrid, x25519, tls.CurveP256}
	}
	return []tls.CurveID{j.Group, tls.CurveP256}
}

// rootFile and clientFile name the files of the root and of the client's certificate and key.
const rootFile, clientFile = "root", "client"

func (j job) certificate(name string) (tls.Certificate, error) {
	name = filepath.Join(j.Dir, name)
	return tls.LoadX509KeyPair(name+".pem", name+".key")
}

func (j job) roots() (*x509.CertPool, error) {
	text, err := os.ReadFile(filepath.Join(j.Dir, rootFile+".pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("the root was not read")
	}
	return pool, nil
}
