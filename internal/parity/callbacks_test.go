package parity_test

import (
	"crypto/tls"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// callbackRows are about what a program is asked, with what, and what its answer does.
func callbackRows() []row {
	rows := append(slices.Concat(helloRows(), verdictRows()), []row{
		{covers: "Config.GetCertificate", what: "a certificate, none, an error",
			act: func(p *play) {
				given := rig.Certificate(p, throwaway.ECDSAP384)
				p.server.CurvePreferences, p.client.CurvePreferences = nil, nil
				for _, answer := range []func() (*tls.Certificate, error){
					func() (*tls.Certificate, error) { return &given, nil },
					func() (*tls.Certificate, error) { return nil, nil },
					func() (*tls.Certificate, error) { return nil, errRefused },
				} {
					p.server.made = [2]any{}
					p.server.GetCertificate = func(h *helloInfo) (*tls.Certificate, error) {
						p.note("asked for %q", h.ServerName)
						return answer()
					}
					if p.dial(); p.shake() {
						p.note("%v", p.c.state().PeerCertificates[0].PublicKeyAlgorithm)
					}
				}
			}},
		{covers: "Config.GetCertificate", what: "a client that names no server", role: "server",
			act: func(p *play) {
				certs := p.server.Certificates
				p.client = setting{InsecureSkipVerify: true, CipherSuites: p.client.CipherSuites}
				for _, list := range [][]tls.Certificate{certs, nil} {
					p.server.made, p.server.Certificates = [2]any{}, list
					p.server.GetCertificate = func(h *helloInfo) (*tls.Certificate, error) {
						p.note("asked")
						return &certs[0], nil
					}
					p.shake()
				}
			}},
		{covers: "Config.GetConfigForClient", what: "another, none, an error", act: func(p *play) {
			other := setting{Certificates: p.server.Certificates, NextProtos: []string{"b"},
				CipherSuites: p.server.CipherSuites}
			p.client.NextProtos, p.server.NextProtos = []string{"a", "b"}, []string{"a"}
			for _, answer := range []func() (*setting, error){
				func() (*setting, error) { return &other, nil },
				func() (*setting, error) { return nil, nil },
				func() (*setting, error) { return nil, errRefused },
			} {
				p.server.made = [2]any{}
				p.server.GetConfigForClient = func(h *helloInfo) (*setting, error) {
					p.note("asked by %v", h.SupportedProtos)
					return answer()
				}
				p.shake()
			}
		}},
	}...)
	for mode := tls.NoClientCert; mode <= tls.RequireAndVerifyClientCert; mode++ {
		rows = append(rows,
			row{covers: "Config.ClientAuth Config.ClientCAs ConnectionState.PeerCertificates " +
				"ConnectionState.VerifiedChains",
				what: mode.String(), act: func(p *play) { clientAuth(p, mode) }})
	}
	return rows
}

// verdictRows are about the callbacks that judge a peer, and the one that answers a request.
func verdictRows() []row {
	return []row{
		{covers: "Config.VerifyPeerCertificate", what: "what it sees, and its refusal",
			act: verifyPeer},
		{covers: "Config.VerifyPeerCertificate", what: "before a session is resumed", differs: true,
			act: func(p *play) {
				p.mySetting().VerifyPeerCertificate = func([][]byte,
					[][]*x509.Certificate) error {
					p.note("asked")
					return nil
				}
				p.server.ClientAuth, p.server.ClientCAs = tls.RequireAndVerifyClientCert,
					rig.Authority().Pool()
				p.client.Certificates,
					p.client.cached = []tls.Certificate{rig.IssueForClient(p, rig.Authority(),
					throwaway.ECDSA)}, true
				p.again()
				p.again()
			}},
		{covers: "Config.VerifyConnection", what: "what it sees", act: verifyConnection(nil, nil)},
		{covers: "Config.VerifyConnection", what: "its refusal", role: "server",
			act: verifyConnection(errRefused)},
		{covers: "Config.VerifyConnection", what: "when a client refuses", role: "client",
			differs: true,
			act:     verifyConnection(errRefused)},
		{covers: "Config.GetClientCertificate CertificateRequestInfo.AcceptableCAs " +
			"CertificateRequestInfo.SignatureSchemes " +
			"CertificateRequestInfo.Version CertificateRequestInfo.Context " +
			"CertificateRequestInfo.SupportsCertificate",
			what: "what it sees, and its answers", role: "client", act: getClientCertificate},
	}
}

// helloRows are about a server's ClientHelloInfo.
func helloRows() []row {
	return []row{
		{covers: "ClientHelloInfo.CipherSuites ClientHelloInfo.ServerName " +
			"ClientHelloInfo.SignatureSchemes ClientHelloInfo.SupportedCurves " +
			"ClientHelloInfo.SupportedPoints ClientHelloInfo.SupportedProtos " +
			"ClientHelloInfo.SupportedVersions ClientHelloInfo.Conn " +
			"ClientHelloInfo.Extensions ClientHelloInfo.Context " +
			"ClientHelloInfo.SupportsCertificate",
			what: "all of it", role: "server", set: func(p *play) {
				p.client.NextProtos = []string{"x", "y"}
				ecdsa, rsa, late := rig.Certificate(p, throwaway.ECDSA),
					rig.Certificate(p, throwaway.RSA), rig.Certificate(p, throwaway.ECDSAP384)
				elsewhere, err := rig.Authority().Issue(throwaway.ECDSA, []string{"elsewhere.test"})
				if err != nil {
					p.Fatal(err)
				}
				p.server.GetConfigForClient = func(h *helloInfo) (*setting, error) {
					p.note("%x %q %x %x %x %q %x %x %v %v", h.CipherSuites, h.ServerName,
						h.SignatureSchemes, h.SupportedCurves, h.SupportedPoints,
						h.SupportedProtos, h.SupportedVersions, h.Extensions,
						h.Conn.LocalAddr() == p.s.LocalAddr(), h.context.Err())
					for _, c := range []tls.Certificate{ecdsa, rsa, late, elsewhere} {
						p.note("%v", h.supports(&c) == nil)
					}
					return nil, nil
				}
			}},
		{covers: "ClientHelloInfo.SupportsCertificate", what: "no group in common", role: "server",
			in13: unlike, // crypto/tls asks for no group where the version is TLS 1.3
			set: func(p *play) {
				ecdsa := rig.Certificate(p, throwaway.ECDSA)
				p.client.CurvePreferences = []tls.CurveID{tls.CurveP521}
				p.server.GetConfigForClient = func(h *helloInfo) (*setting, error) {
					p.note("%v", h.supports(&ecdsa) == nil)
					return nil, nil
				}
			}},
		{covers: "ClientHelloInfo.SupportsCertificate", what: "by the policy", role: "server",
			differs: true, in13: alike, set: func(p *play) {
				ecdsa := rig.Certificate(p, throwaway.ECDSA)
				p.client.CipherSuites,
					p.server.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}, nil
				p.server.GetConfigForClient = func(h *helloInfo) (*setting, error) {
					p.note("%v", h.supports(&ecdsa) == nil)
					return nil, nil
				}
			}},
	}
}

// mySetting is that of the end that is compared.
func (p *play) mySetting() *setting {
	if p.subject {
		return &p.client
	}
	return &p.server
}

// verifyConnection makes a connection for each answer.
func verifyConnection(answers ...error) func(*play) {
	return func(p *play) {
		p.client.cached = true
		p.client.NextProtos, p.server.NextProtos = []string{"a"}, []string{"a"}
		for _, answer := range answers {
			p.mySetting().VerifyConnection = func(s tls.ConnectionState) error {
				p.note("done %v, resumed %v, %d certificates, %d chains, %q, %q, suite %x, %x",
					s.HandshakeComplete, s.DidResume, len(s.PeerCertificates),
					len(s.VerifiedChains),
					s.NegotiatedProtocol, s.ServerName, s.CipherSuite, s.Version)
				return answer
			}
			p.again()
		}
	}
}

func verifyPeer(p *play) {
	client := rig.IssueForClient(p, rig.Authority(), throwaway.ECDSA)
	for _, certs := range [][]tls.Certificate{nil, {client}} {
		for _, mode := range []tls.ClientAuthType{tls.NoClientCert, tls.RequestClientCert,
			tls.VerifyClientCertIfGiven} {
			for _, answer := range []error{nil, errRefused} {
				p.client.made, p.server.made = [2]any{}, [2]any{}
				p.client.Certificates, p.server.ClientAuth, p.server.ClientCAs = certs, mode,
					rig.Authority().Pool()
				p.mySetting().VerifyPeerCertificate = func(raw [][]byte,
					verified [][]*x509.Certificate) error {
					p.note("%d certificates, %d chains", len(raw), len(verified))
					return answer
				}
				p.shake()
			}
		}
	}
}

func getClientCertificate(p *play) {
	good, other := rig.IssueForClient(p, rig.Authority(), throwaway.ECDSA),
		rig.IssueForClient(p, rig.Authority(), throwaway.RSA)
	p.server.ClientAuth, p.server.ClientCAs = tls.RequestClientCert, rig.Authority().Pool()
	for _, version := range []uint16{tls.VersionTLS11, tls.VersionTLS12} {
		for _, answer := range []func() (*tls.Certificate, error){
			func() (*tls.Certificate, error) { return &good, nil },
			func() (*tls.Certificate, error) { return new(tls.Certificate), nil },
			func() (*tls.Certificate, error) { return nil, errRefused },
		} {
			for _, c := range []*setting{&p.client, &p.server} {
				c.made, c.MinVersion, c.MaxVersion = [2]any{}, tls.VersionTLS11, version
				c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
			}
			p.client.GetClientCertificate = func(r *requestInfo) (*tls.Certificate, error) {
				p.note("%x %x %x %v, supports %v %v", r.AcceptableCAs, r.SignatureSchemes,
					r.Version, r.context.Err(),
					r.supports(&good) == nil, r.supports(&other) == nil)
				return answer()
			}
			p.shake()
		}
	}
}

func clientAuth(p *play, mode tls.ClientAuthType) {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		p.Fatal(err)
	}
	for _, certs := range [][]tls.Certificate{nil,
		{rig.IssueForClient(p, rig.Authority(), throwaway.ECDSA)},
		{rig.IssueForClient(p, stranger, throwaway.ECDSA)}, {rig.Certificate(p, throwaway.ECDSA)}} {
		for _, cas := range []*x509.CertPool{rig.Authority().Pool(), x509.NewCertPool()} {
			p.client.made, p.server.made = [2]any{}, [2]any{}
			p.client.Certificates, p.server.ClientAuth, p.server.ClientCAs = certs, mode, cas
			p.shake()
		}
	}
}
