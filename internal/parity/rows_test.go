package parity_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand"
	"regexp"
	"slices"
	"strings"
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
		{covers: "Config.RootCAs Config.Certificates ConnectionState.ServerName",
			what: "a handshake"},
		{covers: "Config.RootCAs", what: "nobody is trusted",
			set: func(p *play) { p.client.RootCAs = x509.NewCertPool() }},
		{covers: "Config.ServerName", what: "another name",
			set: func(p *play) { p.client.ServerName = "elsewhere.test" }},
		{covers: "Config.ServerName", what: "none", role: "client",
			set: func(p *play) { p.client.ServerName = "" }},
		{covers: "Config.ServerName ClientHelloInfo.ServerName", what: "a dot at its end",
			role: "client", set: func(p *play) {
				p.client.ServerName = rig.ServerName + "."
				p.noteHello("ServerName")
			}},
		{covers: "Config.ServerName ClientHelloInfo.ServerName", what: "addresses", role: "client",
			act: func(p *play) {
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
		{covers: "Config.InsecureSkipVerify ConnectionState.VerifiedChains", what: "anybody",
			set: func(p *play) {
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
		{covers: "Config.Certificates", what: "the one of the name", role: "server",
			act: func(p *play) {
				p.server.Certificates = nil
				for i, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA,
					throwaway.ECDSA} {
					cert, err := rig.Authority().
						Issue(kind, []string{fmt.Sprintf("%c.test", 'a'+i)})
					if err != nil {
						p.Fatal(err)
					}
					p.server.Certificates = append(p.server.Certificates, cert)
				}
				for _, n := range []string{"a.test", "b.test", "c.test", "d.test", ""} {
					p.client = setting{ServerName: n, InsecureSkipVerify: true,
						CipherSuites: p.client.CipherSuites}
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
		{covers: "Config.CipherSuites ConnectionState.CipherSuite",
			what: "of the server in its order", role: "server", differs: true, in13: alike,
			set: func(p *play) {
				p.server.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
					tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
				p.client.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
					tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
			}},
		{covers: "Config.CipherSuites", what: "those of TLS 1.3 beside others", set: func(p *play) {
			p.client.CipherSuites = append([]uint16{tls.TLS_AES_128_GCM_SHA256},
				p.client.CipherSuites...)
			p.server.CipherSuites = append([]uint16{tls.TLS_AES_128_GCM_SHA256},
				p.server.CipherSuites...)
		}},
		{covers: "Config.CipherSuites", what: "one that is not spoken", differs: true,
			act: func(p *play) {
				p.client.CipherSuites = append(p.client.CipherSuites,
					tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA)
				p.server.CipherSuites = append(p.server.CipherSuites,
					tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA)
				p.dial()
				go p.other().Handshake()
				p.note("%s", sort(p.me().Handshake()))
			}},
		{covers: "Config.CipherSuites", what: "nothing in common", set: func(p *play) {
			p.server.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
		}},
		{covers: "Config.CurvePreferences ConnectionState.CurveID",
			what: "of the server in its order", role: "server", differs: true,
			in13: alike, // the client sends a share of its first
			set: func(p *play) {
				p.client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP521}
				p.server.CurvePreferences = []tls.CurveID{tls.CurveP521, tls.X25519}
			}},
		{covers: "Config.CurvePreferences ConnectionState.CurveID", what: "the only one in common",
			set: func(p *play) {
				p.client.CurvePreferences = []tls.CurveID{tls.CurveP384, tls.CurveP256}
				p.server.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768, tls.CurveP521,
					tls.CurveP384}
				// RSA: an ECDSA key would have a group, too
				p.server.CipherSuites = p.server.CipherSuites[1:]
			}},
		{covers: "Config.CurvePreferences", what: "nothing in common", set: func(p *play) {
			p.server.CurvePreferences = []tls.CurveID{tls.CurveP521}
		}},
		{covers: "Config.MinVersion Config.MaxVersion ConnectionState.Version",
			what: "TLS 1.1 named", set: func(p *play) {
				for _, c := range []*setting{&p.client, &p.server} {
					c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
					c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
				}
			}},
		{covers: "Config.MinVersion Config.MaxVersion", what: "nothing in common",
			set: func(p *play) {
				p.client.MinVersion, p.client.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
				p.client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
			}},
		{covers: "Config.MaxVersion", what: "TLS 1.3, of which the other end knows nothing",
			set: func(p *play) {
				if p.subject {
					p.client.MaxVersion = tls.VersionTLS13
				} else {
					p.server.MaxVersion = tls.VersionTLS13
				}
			}},
		{covers: "Config.NextProtos ConnectionState.NegotiatedProtocol " +
			"ConnectionState.NegotiatedProtocolIsMutual",
			what: "in the server's order",
			act: alpn([2][]string{{"b", "a"}, {"a", "b"}}, [2][]string{{"a"}, nil},
				[2][]string{nil, {"a"}},
				[2][]string{{"a"}, {"b"}}, [2][]string{{"h2", "a"}, {"h2"}})},
		{covers: "Config.NextProtos", what: "http/1.1 with a server of h2 alone", role: "server",
			differs: true,
			act:     alpn([2][]string{{"http/1.1"}, {"h2"}})},
	}
}

// sessionRows are about randomness, logs and sessions.
func sessionRows() []row {
	return []row{
		{covers: "Config.KeyLogWriter", what: "a line for each connection", act: func(p *play) {
			logs := [2]bytes.Buffer{}
			p.client.KeyLogWriter, p.server.KeyLogWriter = &logs[0], &logs[1]
			p.shake()
			form := regexp.MustCompile(`(?m)^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}$`)
			var lines [2][]string
			for i := range logs {
				lines[i] = form.FindAllString(logs[i].String(), -1)
				slices.Sort(lines[i])
				lines[i] = slices.DeleteFunc(lines[i],
					func(line string) bool { return strings.HasPrefix(line, "EXPORTER_SECRET ") })
			}
			p.note("%d lines, the same %v", len(lines[0]), slices.Equal(lines[0], lines[1]))
		}},
		{covers: "Config.KeyLogWriter", what: "the exporter's secret", in13: unlike,
			act: func(p *play) {
				var log bytes.Buffer
				p.client.KeyLogWriter = &log
				if !p.subject {
					p.client.KeyLogWriter, p.server.KeyLogWriter = nil, &log
				}
				p.shake()
				p.note("%v", strings.Contains(log.String(), "EXPORTER_SECRET "))
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
		{covers: "Config.SessionTicketsDisabled Config.ClientSessionCache " +
			"ConnectionState.DidResume", what: "neither, one, the other",
			act: func(p *play) {
				for i := range 4 {
					p.client.cached, p.client.made, p.server.made = true, [2]any{}, [2]any{}
					p.client.SessionTicketsDisabled, p.server.SessionTicketsDisabled = i&1 != 0,
						i&2 != 0
					p.again()
					p.again()
				}
			}},
		{covers: "Config.SetSessionTicketKeys", what: "shared by two servers, added, changed",
			role: "server",
			act: ticketKeys([][32]byte{{1}}, [][32]byte{{1}}, [][32]byte{{2}, {1}},
				[][32]byte{{3}})},
		{covers: "Config.SetSessionTicketKeys", what: "dropped after a rotation", role: "server",
			differs: true, in13: alike, // where a resumed session gets a new ticket
			act: ticketKeys([][32]byte{{1}}, [][32]byte{{2}, {1}}, [][32]byte{{2}})},
		{covers: "Config.ClientSessionCache ConnectionState.OCSPResponse " +
			"ConnectionState.SignedCertificateTimestamps " +
			"ConnectionState.PeerCertificates Conn.OCSPResponse",
			what: "what a full handshake told, resumed", act: func(p *play) {
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

// noteHello notes a field of the ClientHelloInfo that the server gets.
func (p *play) noteHello(what string) {
	p.server.made = [2]any{}
	p.server.GetConfigForClient = func(h *helloInfo) (*setting, error) {
		p.note("%s %q", what, h.ServerName)
		return nil, nil
	}
}

// connRows are about the methods of Conn.
func connRows() []row {
	return slices.Concat(beginningRows(), dataRows(), recordRows(), cutRows(), endingRows())
}

// other is the end that is crypto/tls's in any case.
func (p *play) other() end {
	if p.subject {
		return p.s
	}
	return p.c
}
