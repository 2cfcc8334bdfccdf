package parity_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"regexp"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// configRows are about the fields of Config, one behaviour each.
func configRows() []row {
	return slices.Concat(nameRows(), credentialRows(), parameterRows(), sessionRows())
}

// nameRows are about whom a side expects and trusts.
func nameRows() []row {
	return []row{
		{covers: "Config.RootCAs Config.Certificates ConnectionState.ServerName", what: "a handshake"},
		{covers: "Config.RootCAs", what: "nobody is trusted", set: func(p *play) { p.client.RootCAs = x509.NewCertPool() }},
		{covers: "Config.ServerName", what: "another name", set: func(p *play) { p.client.ServerName = "elsewhere.test" }},
		{covers: "Config.ServerName", what: "none", role: "client", set: func(p *play) { p.client.ServerName = "" }},
		{covers: "Config.ServerName ClientHelloInfo.ServerName", what: "a dot at its end", role: "client", set: func(p *play) {
			p.client.ServerName = rig.ServerName + "."
			p.noteHello("ServerName")
		}},
		{covers: "Config.ServerName ClientHelloInfo.ServerName", what: "addresses", role: "client", act: func(p *play) {
			for _, address := range []string{"127.0.0.1", "[::1]", "::1", "fe80::1%eth0"} {
				p.client.ServerName, p.client.made = address, [2]any{}
				p.noteHello("ServerName")
				p.shake()
			}
		}},
		{covers: "Config.ServerName", what: "an address of the certificate", act: func(p *play) {
			cert, err := rig.Authority().Issue(throwaway.ECDSA, []string{"127.0.0.1", "::1"})
			if err != nil {
				p.Fatal(err)
			}
			p.server.Certificates = []tls.Certificate{cert}
			for _, address := range []string{"127.0.0.1", "[::1]", "::1"} {
				p.client.ServerName, p.client.made = address, [2]any{}
				p.shake()
			}
		}},
		{covers: "Config.Time", what: "ten years on", set: func(p *play) {
			p.client.Time = func() time.Time { return time.Now().AddDate(10, 0, 0) }
		}},
		{covers: "Config.InsecureSkipVerify ConnectionState.VerifiedChains", what: "anybody", set: func(p *play) {
			p.client.RootCAs, p.client.InsecureSkipVerify = x509.NewCertPool(), true
		}},
	}
}

// credentialRows are about what a server shows.
func credentialRows() []row {
	return []row{
		{covers: "Config.Certificates", what: "the key that the suite needs", set: func(p *play) {
			p.client.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		}},
		{covers: "Config.Certificates", what: "none for the suite", set: func(p *play) {
			p.server.Certificates = p.server.Certificates[:1]
			p.client.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		}},
		{covers: "Config.Certificates", what: "the one of the name", role: "server", act: func(p *play) {
			p.server.Certificates = nil
			for i, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA, throwaway.ECDSA} {
				cert, err := rig.Authority().Issue(kind, []string{fmt.Sprintf("%c.test", 'a'+i)})
				if err != nil {
					p.Fatal(err)
				}
				p.server.Certificates = append(p.server.Certificates, cert)
			}
			for _, n := range []string{"a.test", "b.test", "c.test", "d.test", ""} {
				p.client = setting{ServerName: n, InsecureSkipVerify: true, CipherSuites: p.client.CipherSuites}
				if p.shake() {
					p.note("%q: %s", n, p.c.state().PeerCertificates[0].Subject)
				}
			}
		}},
	}
}

// parameterRows are about what is negotiated.
func parameterRows() []row {
	return []row{
		{covers: "Config.CipherSuites ConnectionState.CipherSuite", what: "of the server in its order", role: "server", differs: true,
			set: func(p *play) {
				p.server.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
				p.client.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
			}},
		{covers: "Config.CipherSuites", what: "those of TLS 1.3 beside others", set: func(p *play) {
			p.client.CipherSuites = append([]uint16{tls.TLS_AES_128_GCM_SHA256}, p.client.CipherSuites...)
			p.server.CipherSuites = append([]uint16{tls.TLS_AES_128_GCM_SHA256}, p.server.CipherSuites...)
		}},
		{covers: "Config.CipherSuites", what: "one that is not spoken", differs: true, act: func(p *play) {
			p.client.CipherSuites = append(p.client.CipherSuites, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA)
			p.server.CipherSuites = append(p.server.CipherSuites, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA)
			p.dial()
			go p.other().Handshake()
			p.note("%s", sort(p.me().Handshake()))
		}},
		{covers: "Config.CipherSuites", what: "nothing in common", set: func(p *play) {
			p.server.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
		}},
		{covers: "Config.CurvePreferences ConnectionState.CurveID", what: "of the server in its order", role: "server", differs: true,
			set: func(p *play) {
				p.client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP521}
				p.server.CurvePreferences = []tls.CurveID{tls.CurveP521, tls.X25519}
			}},
		{covers: "Config.CurvePreferences ConnectionState.CurveID", what: "the only one in common", set: func(p *play) {
			p.client.CurvePreferences = []tls.CurveID{tls.CurveP384, tls.CurveP256}
			p.server.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768, tls.CurveP521, tls.CurveP384}
			p.server.CipherSuites = p.server.CipherSuites[1:] // RSA: an ECDSA key would have a group, too
		}},
		{covers: "Config.CurvePreferences", what: "nothing in common", set: func(p *play) {
			p.server.CurvePreferences = []tls.CurveID{tls.CurveP521}
		}},
		{covers: "Config.MinVersion Config.MaxVersion ConnectionState.Version", what: "TLS 1.1 named", set: func(p *play) {
			for _, c := range []*setting{&p.client, &p.server} {
				c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
				c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
			}
		}},
		{covers: "Config.MinVersion Config.MaxVersion", what: "nothing in common", set: func(p *play) {
			p.client.MinVersion, p.client.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			p.client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		}},
		{covers: "Config.MaxVersion", what: "TLS 1.3, of which the other end knows nothing", set: func(p *play) {
			if p.subject {
				p.client.MaxVersion = tls.VersionTLS13
			} else {
				p.server.MaxVersion = tls.VersionTLS13
			}
		}},
		{covers: "Config.NextProtos ConnectionState.NegotiatedProtocol ConnectionState.NegotiatedProtocolIsMutual",
			what: "in the server's order", act: alpn([2][]string{{"b", "a"}, {"a", "b"}}, [2][]string{{"a"}, nil}, [2][]string{nil, {"a"}},
				[2][]string{{"a"}, {"b"}}, [2][]string{{"h2", "a"}, {"h2"}})},
		{covers: "Config.NextProtos", what: "http/1.1 with a server of h2 alone", role: "server", differs: true,
			act: alpn([2][]string{{"http/1.1"}, {"h2"}})},
	}
}

// sessionRows are about randomness, logs and sessions.
func sessionRows() []row {
	return []row{
		{covers: "Config.KeyLogWriter", what: "a line for each connection", act: func(p *play) {
			logs := [2]bytes.Buffer{}
			p.client.KeyLogWriter, p.server.KeyLogWriter = &logs[0], &logs[1]
			p.shake()
			form := regexp.MustCompile(`^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$`)
			p.note("form %v, the same %v", form.Match(logs[0].Bytes()), bytes.Equal(logs[0].Bytes(), logs[1].Bytes()))
		}},
		{covers: "Config.Rand", what: "a source of the program's", act: func(p *play) {
			p.client.Rand, p.server.Rand = rand.New(rand.NewSource(1)), rand.New(rand.NewSource(2))
			p.shake()
		}},
		{covers: "Config.Clone", what: "works as the Config does", act: func(p *play) {
			p.client.cloned, p.server.cloned, p.client.cached = true, true, true
			p.client.NextProtos, p.server.NextProtos = []string{"a"}, []string{"a"}
			p.shake()
			p.again()
		}},
		{covers: "Config.SessionTicketsDisabled Config.ClientSessionCache ConnectionState.DidResume", what: "neither, one, the other",
			act: func(p *play) {
				for i := range 4 {
					p.client.cached, p.client.made, p.server.made = true, [2]any{}, [2]any{}
					p.client.SessionTicketsDisabled, p.server.SessionTicketsDisabled = i&1 != 0, i&2 != 0
					p.again()
					p.again()
				}
			}},
		{covers: "Config.SetSessionTicketKeys", what: "shared by two servers, added, changed", role: "server",
			act: ticketKeys([][32]byte{{1}}, [][32]byte{{1}}, [][32]byte{{2}, {1}}, [][32]byte{{3}})},
		{covers: "Config.SetSessionTicketKeys", what: "dropped after a rotation", role: "server", differs: true,
			act: ticketKeys([][32]byte{{1}}, [][32]byte{{2}, {1}}, [][32]byte{{2}})},
		{covers: "Config.ClientSessionCache ConnectionState.OCSPResponse ConnectionState.SignedCertificateTimestamps " +
			"ConnectionState.PeerCertificates Conn.OCSPResponse", what: "what a full handshake told, resumed", act: func(p *play) {
			cert := rig.Certificate(p, throwaway.ECDSA)
			staple, err := rig.Authority().Staple(cert.Leaf)
			if err != nil {
				p.Fatal(err)
			}
			cert.OCSPStaple, cert.SignedCertificateTimestamps = staple, [][]byte{[]byte("sct")}
			p.server.Certificates, p.client.cached = []tls.Certificate{cert}, true
			for range 2 {
				p.again()
				p.note("stapled %v", len(p.c.OCSPResponse()) > 0)
			}
		}},
	}
}

// ticketKeys makes a connection with a server of each list of keys.
func ticketKeys(lists ...[][32]byte) func(*play) {
	return func(p *play) {
		p.client.cached = true
		for _, keys := range lists {
			p.server.tickets, p.server.made = keys, [2]any{}
			p.again()
		}
	}
}

// alpn makes a connection for each pair of lists, the client's and the server's.
func alpn(lists ...[2][]string) func(*play) {
	return func(p *play) {
		for _, l := range lists {
			p.client.made, p.server.made = [2]any{}, [2]any{}
			p.client.NextProtos, p.server.NextProtos = l[0], l[1]
			p.shake()
		}
	}
}

// noteHello notes a field of what the server is told about the hello.
func (p *play) noteHello(what string) {
	p.server.made = [2]any{}
	p.server.GetConfigForClient = func(h *helloInfo) (*setting, error) {
		p.note("%s %q", what, h.ServerName)
		return nil, nil
	}
}

// connRows are about the methods of Conn.
func connRows() []row { return slices.Concat(beginningRows(), dataRows(), cutRows(), endingRows()) }

// beginningRows are about the handshake and what can be known before it.
func beginningRows() []row {
	b := make([]byte, 10)
	return []row{
		{covers: "Conn.Handshake Conn.HandshakeContext ConnectionState.HandshakeComplete", what: "once for all", act: func(p *play) {
			p.shake()
			p.note("again %s, %s", sort(p.me().Handshake()), sort(p.me().HandshakeContext(context.Background())))
			cancelled, cancel := context.WithCancel(context.Background())
			cancel()
			p.note("with a context that is over: %s", sort(p.me().HandshakeContext(cancelled)))
		}},
		{covers: "Conn.HandshakeContext", what: "a context that ends", act: func(p *play) {
			p.dial()
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			p.note("%v", p.me().HandshakeContext(ctx) != nil)
			_, err := p.me().NetConn().Write(b)
			p.note("the connection below: %s", sort(err))
		}},
		{covers: "Conn.ConnectionState", what: "before the handshake", act: func(p *play) {
			p.dial()
			p.note("%+v", p.me().state().HandshakeComplete)
			p.note("%+v", p.me().state().CipherSuite)
		}},
		{covers: "Conn.ConnectionState", what: "that nobody asked for", differs: true, act: func(p *play) {
			p.dial()
			//lint:ignore SA1019 deprecated, and here as well
			p.note("mutual %v", p.me().state().NegotiatedProtocolIsMutual)
		}},
		{covers: "Conn.LocalAddr Conn.RemoteAddr Conn.NetConn", what: "those below", act: func(p *play) {
			p.dial()
			below := p.me().NetConn()
			p.note("%v %v", below.LocalAddr() == p.me().LocalAddr(), below.RemoteAddr() == p.me().RemoteAddr())
		}},
	}
}

// dataRows are about reading, writing and closing.
func dataRows() []row {
	b := make([]byte, 10)
	return []row{
		{covers: "Conn.Read Conn.Write Conn.Close", what: "to the peer's close", act: func(p *play) {
			p.shake()
			other := p.other()
			n, err := p.me().Write([]byte("hello"))
			p.note("wrote %d, %s", n, sort(err))
			io.ReadFull(other, b[:5])
			n, err = p.me().Write(nil)
			p.note("wrote %d, %s", n, sort(err))
			n, err = p.me().Read(nil)
			p.note("read %d, %s", n, sort(err))
			other.Write([]byte("bye"))
			other.Close()
			n, err = io.ReadFull(p.me(), b[:3])
			p.note("read %q, %s", b[:n], sort(err))
			for range 2 {
				n, err = p.me().Read(b)
				p.note("read %d, %s", n, sort(err))
			}
		}},
		{covers: "Conn.Close Conn.Read Conn.Write", what: "after our close", act: func(p *play) {
			p.shake()
			p.note("close %s", sort(p.me().Close()))
			p.note("close %s", sort(p.me().Close()))
			_, err := p.me().Write(b)
			p.note("write %v", err != nil)
			_, err = p.me().Read(b)
			p.note("read %v", err != nil)
			_, err = p.other().Read(b)
			p.note("the other end reads %s", sort(err))
		}},
		{covers: "Conn.Close", what: "before the handshake", act: func(p *play) {
			p.dial()
			p.note("close %s, handshake %v", sort(p.me().Close()), p.me().Handshake() != nil)
		}},
		{covers: "Conn.CloseWrite", what: "and reading goes on", act: func(p *play) {
			p.dial()
			p.note("before the handshake %v", p.me().CloseWrite() != nil)
			p.shake()
			p.note("%s, %s", sort(p.me().CloseWrite()), sort(p.me().CloseWrite()))
			_, err := p.me().Write(b)
			p.note("write %v", err != nil)
			_, err = p.other().Read(b)
			p.note("the other end reads %s", sort(err))
			p.other().Write([]byte("more"))
			n, err := io.ReadFull(p.me(), b[:4])
			p.note("read %q, %s", b[:n], sort(err))
		}},
	}
}

// cutRows are about streams that end without close_notify, and about a Close that cannot wait.
func cutRows() []row {
	b := make([]byte, 10)
	return []row{
		{covers: "Conn.Handshake", what: "an empty connect", role: "server", act: func(p *play) {
			p.dial()
			p.c.NetConn().Close()
			p.note("handshake %s, again %s", sort(p.s.Handshake()), sort(p.s.Handshake()))
		}},
		{covers: "Conn.Read", what: "a cut between two records", differs: true, act: func(p *play) {
			p.shake()
			p.other().NetConn().(*net.TCPConn).CloseWrite()
			_, err := p.me().Read(b)
			p.note("read %s", sort(err))
		}},
		{covers: "Conn.Read", what: "a cut inside a record", act: func(p *play) {
			p.shake()
			p.other().NetConn().Write([]byte{23, 3, 3, 0, 100, 1})
			p.other().NetConn().(*net.TCPConn).CloseWrite()
			_, err := p.me().Read(b)
			p.note("read %s, %v", sort(err), errors.Is(err, io.ErrUnexpectedEOF))
		}},
		{covers: "Conn.Close Conn.Write", what: "while a Write is blocked", act: func(p *play) {
			p.shake()
			written := make(chan error, 1)
			go func() {
				_, err := p.me().Write(make([]byte, 64<<20)) // more than the sockets hold
				written <- err
			}()
			io.ReadFull(p.other(), b[:1]) // it has begun
			began := time.Now()
			p.note("close %s", sort(p.me().Close()))
			p.note("write %v, soon %v", <-written != nil, time.Since(began) < 2*time.Second)
			_, err := p.me().Write(b)
			p.note("write %s", sort(err))
		}},
	}
}

// endingRows are about deadlines, names and what is exported.
func endingRows() []row {
	b := make([]byte, 10)
	return []row{
		{covers: "Conn.SetReadDeadline Conn.SetDeadline", what: "reading goes on", act: func(p *play) {
			p.shake()
			p.me().SetReadDeadline(time.Now().Add(-time.Second))
			_, err := p.me().Read(b)
			p.note("read %s", sort(err))
			p.me().SetDeadline(rig.Deadline())
			p.other().Write([]byte("more"))
			n, err := io.ReadFull(p.me(), b[:4])
			p.note("read %q, %s", b[:n], sort(err))
		}},
		{covers: "Conn.SetWriteDeadline Conn.Write", what: "nothing more can be written", act: func(p *play) {
			p.shake()
			p.me().SetWriteDeadline(time.Now().Add(-time.Second))
			_, err := p.me().Write(b)
			p.note("write %s", sort(err))
			p.me().SetWriteDeadline(rig.Deadline())
			_, err = p.me().Write(b)
			p.note("write %s", sort(err))
		}},
		{covers: "Conn.VerifyHostname", what: "before, after, and unverified", act: func(p *play) {
			p.dial()
			p.note("before %v", p.me().VerifyHostname(rig.ServerName) != nil)
			p.shake()
			p.note("after %v, another %v", p.me().VerifyHostname(rig.ServerName) != nil, p.me().VerifyHostname("elsewhere.test") != nil)
			p.client.made, p.client.InsecureSkipVerify = [2]any{}, true
			p.shake()
			p.note("unverified %v", p.me().VerifyHostname(rig.ServerName) != nil)
		}},
		{covers: "ConnectionState.ExportKeyingMaterial", what: "not where it may change", set: func(p *play) {
			p.client.Renegotiation, p.server.Renegotiation = tls.RenegotiateOnceAsClient, tls.RenegotiateOnceAsClient
		}},
	}
}

// other is the end that is crypto/tls's in any case.
func (p *play) other() end {
	if p.subject {
		return p.s
	}
	return p.c
}
