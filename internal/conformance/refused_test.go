package conformance_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/pki"
)

// refusedPEM reads a certificate that crypto/x509 refuses, with its key.
func refusedPEM(t *testing.T, name string) tls.Certificate {
	t.Helper()
	text, err := os.ReadFile("../../pki/testdata/refused/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	cert, rest := pem.Decode(text)
	block, _ := pem.Decode(rest)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{cert.Bytes}, PrivateKey: key.(crypto.Signer)}
}

// fromCryptoTLS connects a client to a server of crypto/tls, which sends whatever certificate it is
// given.
func fromCryptoTLS(
	t *testing.T,
	client *vitrine.Config,
	cert tls.Certificate,
) (vitrine.ConnectionState, error) {
	t.Helper()
	near, far := rig.Wires(t)
	server := tls.Server(
		far,
		&tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12},
	)
	done := make(chan error, 1)
	go func() { done <- server.Handshake(); server.Close() }()
	c := vitrine.Client(near, client)
	err := c.Handshake()
	state := c.ConnectionState()
	c.Close()
	<-done
	return state, err
}

// With InsecureSkipVerify the connection is made, and the chain handed out raw; without it the
// reason is named.
func TestARefusedCertificateNeedsInsecureSkipVerify(t *testing.T) {
	rig.EachVersion(t, testACertificateThatCryptoX509RefusesIsForThoseWhoSkipAlone)
}

func testACertificateThatCryptoX509RefusesIsForThoseWhoSkipAlone(
	t *testing.T,
	version func(*vitrine.Config),
) {
	own := rig.ServerConfig(t, version).Certificates[0]
	for _, name := range []string{"neg-serial", "san-nonascii", "san-ip-badlen"} {
		leaf := refusedPEM(t, name)
		later := own
		later.Certificate = append(append([][]byte{}, own.Certificate...), leaf.Certificate[0])
		for where, cert := range map[string]tls.Certificate{"leaf": leaf, "later": later} {
			t.Run(name+"/"+where, func(t *testing.T) {
				state, err := fromCryptoTLS(t, &vitrine.Config{InsecureSkipVerify: true}, cert)
				if err != nil {
					t.Fatal(err)
				}
				if len(state.PeerCertificates) != len(cert.Certificate) ||
					len(state.PeerCertificateFaults) != 1 ||
					state.VerifiedChains != nil {
					t.Errorf(
						"got %d certificates, faults %v",
						len(state.PeerCertificates),
						state.PeerCertificateFaults,
					)
				}
				for i, c := range state.PeerCertificates {
					if !bytes.Equal(c.Raw, cert.Certificate[i]) {
						t.Errorf("certificate %d is not handed out as it was sent", i+1)
					}
				}
				roots := x509.NewCertPool()
				for _, der := range cert.Certificate {
					if c, err := x509.ParseCertificate(der); err == nil {
						roots.AddCert(c)
					}
				}
				_, err = fromCryptoTLS(
					t,
					&vitrine.Config{ServerName: "localhost", RootCAs: roots},
					cert,
				)
				_, reason := errors.AsType[*pki.Fault](err)
				_, trust := errors.AsType[*tls.CertificateVerificationError](err)
				if !reason || !trust || alert.Of(err) != alert.BadCertificate {
					t.Errorf("got %v, expected the fault of a certificate", err)
				}
			})
		}
	}
}

// A server that only asks for a certificate, any certificate, is not one that skips.
func TestAServerRefusesARefusedClientCertificate(t *testing.T) {
	for _, auth := range []tls.ClientAuthType{tls.RequestClientCert, tls.RequireAnyClientCert} {
		near, far := rig.Wires(t)
		config := rig.ServerConfig(t)
		config.ClientAuth = auth
		client := tls.Client(
			near,
			&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
				Certificates: []tls.Certificate{refusedPEM(t, "neg-serial")}},
		)
		go func() { client.Handshake(); near.Close() }()
		err := vitrine.Server(far, config).Handshake()
		if _, ok := errors.AsType[*pki.Fault](err); !ok {
			t.Errorf("%v: got %v, expected the fault of the certificate", auth, err)
		}
		far.Close()
	}
}

// A session keeps the chain as it was sent, and a client that skips resumes it; one that checks
// does not.
func TestASessionOverARefusedCertificateNeedsInsecureSkipVerify(t *testing.T) {
	l, err := tls.Listen(
		"tcp",
		"127.0.0.1:0",
		&tls.Config{
			Certificates: []tls.Certificate{refusedPEM(t, "neg-serial")},
			MaxVersion:   tls.VersionTLS12,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Serve(t, l, func(c net.Conn) { c.(*tls.Conn).Handshake(); io.Copy(io.Discard, c) })
	client := &vitrine.Config{
		ServerName:         "localhost",
		InsecureSkipVerify: true,
		ClientSessionCache: vitrine.NewLRUClientSessionCache(0),
	}
	for i := range 2 {
		c, err := vitrine.Dial("tcp", l.Addr().String(), client)
		if err != nil {
			t.Fatal(err)
		}
		s := c.ConnectionState()
		if s.DidResume != (i == 1) || len(s.PeerCertificates) != 1 ||
			len(s.PeerCertificateFaults) != 1 {
			t.Errorf(
				"connection %d: resumed %v, %d certificates, faults %v",
				i+1,
				s.DidResume,
				len(s.PeerCertificates),
				s.PeerCertificateFaults,
			)
		}
		c.Close()
	}
	client = client.Clone()
	client.InsecureSkipVerify = false
	if c, err := vitrine.Dial("tcp", l.Addr().String(), client); err == nil {
		t.Errorf("a client that checks resumed it: %v", c.ConnectionState().DidResume)
		c.Close()
	} else if _, ok := errors.AsType[*pki.Fault](err); !ok {
		t.Errorf("got %v, expected the fault of the certificate", err)
	}
}
