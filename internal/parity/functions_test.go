package parity_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// functionRows are about the functions of the package, and Dialer.
func functionRows() []row { return slices.Concat(dialRows(), namingRows()) }

func dialRows() []row {
	return []row{
		{covers: "Client Server NewLRUClientSessionCache", what: "a handshake, and another",
			act: func(p *play) {
				p.client.cached = true
				p.shake()
				p.again()
			}},
		{covers: "Dial DialWithDialer Dialer.Dial Dialer.DialContext Dialer.Config " +
			"Dialer.NetDialer Listen NewListener",
			what: "to a listener", act: func(p *play) {
				l := p.listen()
				defer l.Close()
				for what, dial := range p.dialers() {
					p.note("dialer %d", what)
					go accept(l)
					c, err := dial(context.Background(), l.Addr().String(), &p.client)
					p.note("%s", sort(err))
					if err == nil {
						p.note("%v %v", c.LocalAddr() != nil,
							sort(c.(interface{ Handshake() error }).Handshake()))
						c.Close()
					}
				}
			}},
		{covers: "Dial Dialer.DialContext", what: "where nobody listens, and over the host's name",
			role: "client", act: func(p *play) {
				l := p.listen()
				p.client.ServerName = "" // the host of the address: no name of the certificate
				for _, dial := range p.dialers() {
					go accept(l)
					_, err := dial(context.Background(), l.Addr().String(), &p.client)
					p.note("%s", sort(err))
				}
				l.Close()
				for _, dial := range p.dialers() {
					_, err := dial(context.Background(), l.Addr().String(), &p.client)
					p.note("%v", err != nil)
				}
			}},
		{covers: "Listen NewListener Dialer.DialContext", what: "with h2", differs: true,
			act: func(p *play) {
				p.client.NextProtos, p.server.NextProtos = []string{"h2"}, []string{"h2"}
				inner, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					p.Fatal(err)
				}
				defer inner.Close()
				if p.subject {
					go accept(tls.NewListener(inner, p.server.theirs()))
					_, err := p.dialers()[2](context.Background(), inner.Addr().String(), &p.client)
					p.note("dial %v", err != nil)
					return
				}
				if p.mine {
					_, err = vitrine.Listen("tcp", "127.0.0.1:0", p.server.ours())
				} else {
					_, err = tls.Listen("tcp", "127.0.0.1:0", p.server.theirs())
				}
				p.note("listen %v", err != nil)
			}},
	}
}

// namingRows are about key pairs, and names and lists of suites.
func namingRows() []row {
	return []row{
		{covers: "X509KeyPair LoadX509KeyPair", what: "good, mixed up and missing", role: "client",
			act: keyPairs},
		{covers: "VersionName CipherSuiteName", what: "of everything", role: "client",
			act: func(p *play) {
				version, suite := tls.VersionName, tls.CipherSuiteName
				if p.mine {
					version, suite = vitrine.VersionName, vitrine.CipherSuiteName
				}
				for v := range 0x400 {
					p.note("%s", version(uint16(v)))
				}
				for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
					p.note("%s", suite(s.ID))
				}
			}},
		{covers: "CipherSuites InsecureCipherSuites", what: "what is spoken", role: "client",
			differs: true, act: func(p *play) {
				good, bad := tls.CipherSuites(), tls.InsecureCipherSuites()
				if p.mine {
					good, bad = vitrine.CipherSuites(), vitrine.InsecureCipherSuites()
				}
				for _, s := range append(good, bad...) {
					p.note("%v", s)
				}
			}},
	}
}

// listen is the server's end; it is compared if the client's is not.
func (p *play) listen() net.Listener {
	p.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	if !p.subject && p.mine {
		return vitrine.NewListener(inner, p.server.ours())
	}
	return tls.NewListener(inner, p.server.theirs())
}

// accept serves one client.
func accept(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(rig.Deadline())
	c.Read(make([]byte, 1))
}

type dialer func(context.Context, string, *setting) (net.Conn, error)

// dialers are the ways to connect, in a fixed order.
func (p *play) dialers() []dialer {
	net1 := &net.Dialer{Timeout: 5 * time.Second}
	if p.subject && p.mine {
		return []dialer{
			func(_ context.Context, a string, s *setting) (net.Conn, error) {
				return orNil(vitrine.Dial("tcp", a, s.ours()))
			},
			func(_ context.Context, a string, s *setting) (net.Conn, error) {
				return orNil(vitrine.DialWithDialer(net1, "tcp", a, s.ours()))
			},
			func(ctx context.Context, a string, s *setting) (net.Conn, error) {
				return (&vitrine.Dialer{NetDialer: net1, Config: s.ours()}).DialContext(ctx, "tcp",
					a)
			},
			func(_ context.Context, a string, s *setting) (net.Conn, error) {
				return (&vitrine.Dialer{Config: s.ours()}).Dial("tcp", a)
			},
		}
	}
	return []dialer{
		func(_ context.Context, a string, s *setting) (net.Conn, error) {
			return orNil(tls.Dial("tcp", a, s.theirs()))
		},
		func(_ context.Context, a string, s *setting) (net.Conn, error) {
			return orNil(tls.DialWithDialer(net1, "tcp", a, s.theirs()))
		},
		func(ctx context.Context, a string, s *setting) (net.Conn, error) {
			return (&tls.Dialer{NetDialer: net1, Config: s.theirs()}).DialContext(ctx, "tcp", a)
		},
		func(_ context.Context, a string, s *setting) (net.Conn, error) {
			return (&tls.Dialer{Config: s.theirs()}).Dial("tcp", a)
		},
	}
}

func orNil[C net.Conn](c C, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

func keyPairs(p *play) {
	pair, load := tls.X509KeyPair, tls.LoadX509KeyPair
	if p.mine {
		pair, load = vitrine.X509KeyPair, vitrine.LoadX509KeyPair
	}
	var certs, keys [2][]byte
	for i, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA} {
		c := rig.Certificate(p, kind)
		der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
		if err != nil {
			p.Fatal(err)
		}
		certs[i] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
		keys[i] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	dir := p.TempDir()
	for _, c := range [][2][]byte{{certs[0], keys[0]}, {certs[1], keys[1]}, {certs[0], keys[1]},
		{keys[0], certs[0]}, {nil, nil}} {
		got, err := pair(c[0], c[1])
		p.note("%d %v", len(got.Certificate), err == nil)
		files := [2]string{filepath.Join(dir, "cert"), filepath.Join(dir, "key")}
		for i, f := range files {
			if err := os.WriteFile(f, c[i], 0o600); err != nil {
				p.Fatal(err)
			}
		}
		got, err = load(files[0], files[1])
		p.note("%d %v", len(got.Certificate), err == nil)
	}
	_, err := load(filepath.Join(dir, "missing"), filepath.Join(dir, "key"))
	p.note("%v", strings.Contains(err.Error(), "missing"))
}
