package vitrine_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

func TestCallbacksHaveTheirSay(t *testing.T) {
	client, server := configs(t)
	cert := server.Certificates[0]
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	clientCert, err := ca.Issue(throwaway.Ed25519, []string{"a client"}, throwaway.ForClient)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	inner := &vitrine.Config{NextProtos: []string{"two"}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		GetCertificate: func(i *vitrine.ClientHelloInfo) (*tls.Certificate, error) {
			asked = append(asked, "GetCertificate "+i.ServerName)
			return &cert, i.Context().Err()
		}}
	server = &vitrine.Config{GetConfigForClient: func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
		asked = append(asked, "GetConfigForClient "+i.SupportedProtos[0])
		return inner, i.Context().Err()
	}}
	client.NextProtos = []string{"one", "two"}
	client.GetClientCertificate = func(i *vitrine.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = append(asked, "GetClientCertificate")
		return &clientCert, i.SupportsCertificate(&clientCert)
	}
	client.VerifyConnection = func(s vitrine.ConnectionState) error {
		asked = append(asked, "VerifyConnection "+s.NegotiatedProtocol)
		return nil
	}
	c, s, err := connect(t, client, server)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.VerifiedChains) != 1 || c.NegotiatedProtocol != "two" {
		t.Errorf("the server verified %d chains, the protocol is %q", len(s.VerifiedChains), c.NegotiatedProtocol)
	}
	want := []string{"GetConfigForClient one", "GetCertificate vitrine.test", "GetClientCertificate", "VerifyConnection two"}
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
	if _, _, err := connect(t, client, server); !errors.Is(err, no) {
		t.Errorf("got %v, expected the callback's error", err)
	}
}

// What a client_version stands for is what there is to speak, and not 64,767 numbers.
func TestCallbacksSeeTheVersionsThatExist(t *testing.T) {
	for version, want := range map[iana.Version][]uint16{
		0xFFFF: {0x0303, 0x0302, 0x0301}, iana.TLS13: {0x0303, 0x0302, 0x0301}, iana.TLS11: {0x0302, 0x0301}, iana.SSL30: nil,
	} {
		seen := make(chan []uint16, 1)
		config := serverConfig(t, func(c *vitrine.Config) {
			c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
				seen <- i.SupportedVersions
				return nil, nil
			}
		})
		wire, ours := wires(t)
		peer := newScript(t, iana.Client, wire, tls.Certificate{}, edits{hello: func(m *message.ClientHello) { m.Version = version }})
		go func() {
			_ = peer.call(ecdsaGCM)
			wire.Close()
		}()
		_ = vitrine.Server(ours, config).Handshake()
		if got := <-seen; !slices.Equal(got, want) {
			t.Errorf("client_version %v: got %d versions, expected %x", version, len(got), want)
		}
	}
}

// RFC 8446 §4.2.4
func TestAServerIsToldTheAuthoritiesThatAClientTakes(t *testing.T) {
	var told [][]byte
	config := serverConfig(t, func(c *vitrine.Config) {
		c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			told = i.AcceptableCAs
			return nil, nil
		}
	})
	name := certificate(t, throwaway.ECDSA).Leaf.RawIssuer
	wire, ours := wires(t)
	peer := newScript(t, iana.Client, wire, tls.Certificate{}, edits{hello: func(m *message.ClientHello) {
		err := m.Extensions.Add(iana.ExtCertificateAuthorities,
			&message.CertificateAuthorities{Authorities: [][]byte{name, {0x30, 0, 0}}})
		if err != nil {
			t.Error(err)
		}
	}})
	done := make(chan error, 1)
	go func() { done <- peer.call(ecdsaGCM) }()
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
