package vitrine_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

func TestCallbacksHaveTheirSay(t *testing.T) { rig.EachVersion(t, testCallbacksHaveTheirSay) }

func testCallbacksHaveTheirSay(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Configs(t)
	version(client)
	cert := server.Certificates[0]
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	clientCert, err := ca.Issue(throwaway.Ed25519, []string{"a client"}, throwaway.ForClient)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	inner := &vitrine.Config{NextProtos: []string{"two"},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		GetCertificate: func(i *vitrine.ClientHelloInfo) (*tls.Certificate, error) {
			asked = append(asked, "GetCertificate "+i.ServerName)
			return &cert, i.Context().Err()
		}}
	server = &vitrine.Config{GetConfigForClient: func(i *vitrine.ClientHelloInfo) (*vitrine.Config,
		error) {
		asked = append(asked, "GetConfigForClient "+i.SupportedProtos[0])
		return inner, i.Context().Err()
	}}
	client.NextProtos = []string{"one", "two"}
	client.GetClientCertificate = func(i *vitrine.CertificateRequestInfo) (*tls.Certificate,
		error) {
		asked = append(asked, "GetClientCertificate")
		return &clientCert, i.SupportsCertificate(&clientCert)
	}
	client.VerifyConnection = func(s vitrine.ConnectionState) error {
		asked = append(asked, "VerifyConnection "+s.NegotiatedProtocol)
		return nil
	}
	c, s, err := rig.Connect(t, client, server)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.VerifiedChains) != 1 || c.NegotiatedProtocol != "two" {
		t.Errorf("the server verified %d chains, the protocol is %q", len(s.VerifiedChains),
			c.NegotiatedProtocol)
	}
	want := []string{"GetConfigForClient one", "GetCertificate vitrine.test",
		"GetClientCertificate", "VerifyConnection two"}
	if len(asked) != len(want) {
		t.Fatalf("asked %q, expected %q", asked, want)
	}
	for i := range want {
		if asked[i] != want[i] {
			t.Errorf("asked %q, expected %q", asked[i], want[i])
		}
	}

	no := errors.New("not this one")
	client.VerifyConnection = func(vitrine.ConnectionState) error { return no }
	if _, _, err := rig.Connect(t, client, server); !errors.Is(err, no) {
		t.Errorf("got %v, expected the callback's error", err)
	}
}

// RFC 8446 §4.2.4
func TestTheClientsAuthoritiesReachTheServersCallback(t *testing.T) {
	var told [][]byte
	config := rig.ServerConfig(t, func(c *vitrine.Config) {
		c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			told = i.AcceptableCAs
			return nil, nil
		}
	})
	name := rig.Certificate(t, throwaway.ECDSA).Leaf.RawIssuer
	wire, ours := rig.Wires(t)
	peer := rig.Script(t, iana.Client, wire, tls.Certificate{},
		script.Edits{Hello: func(m *message.ClientHello) {
			err := m.Extensions.Add(iana.ExtCertificateAuthorities,
				&message.CertificateAuthorities{Authorities: [][]byte{name, {0x30, 0, 0}}})
			if err != nil {
				t.Error(err)
			}
		}})
	done := make(chan error, 1)
	go func() { done <- peer.Connect(rig.ECDSAGCM) }()
	if err := vitrine.Server(ours, config).Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(told) != 2 || !bytes.Equal(told[0], name) || !bytes.Equal(told[1], []byte{0x30, 0, 0}) {
		t.Errorf("got the authorities %x", told)
	}
}
