package conformance_test

import (
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestOldVersionsAreSpokenWhenNamed(t *testing.T) {
	n := 0
	for _, v := range []iana.Version{iana.TLS10, iana.TLS11} {
		for _, id := range []iana.CipherSuite{iana.TLS_RSA_WITH_AES_128_CBC_SHA,
			iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA, iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
			iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
			iana.TLS_RSA_WITH_NULL_SHA} {
			for _, etm := range []vitrine.Demand{vitrine.Off, vitrine.Preferred} {
				n++
				t.Run(fmt.Sprint(v, " ", id, " EtM ", etm), func(t *testing.T) {
					client, server := rig.Configs(t)
					ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
					if err != nil {
						t.Fatal(err)
					}
					for kind, c := range map[throwaway.Kind]*vitrine.Config{throwaway.ECDSA: server,
						throwaway.RSA: client} {
						cert, err := ca.Issue(kind, []string{"vitrine.test"})
						if err != nil {
							t.Fatal(err)
						}
						c.Certificates = append(c.Certificates, cert)
						c.CipherSuites, c.MinVersion, c.EncryptThenMAC = []uint16{uint16(id)},
							uint16(v), etm
					}
					client.InsecureSkipVerify = true // the CA of configs is another one
					server.MaxVersion, server.ClientAuth = uint16(v), tls.RequireAnyClientCert
					c, s, err := rig.Connect(t, client, server)
					if err != nil {
						t.Fatal(err)
					}
					if c.Version != uint16(v) || s.Version != uint16(v) ||
						len(s.PeerCertificates) == 0 {
						t.Errorf("got %v and %v with %d client certificates",
							iana.Version(c.Version), iana.Version(s.Version),
							len(s.PeerCertificates))
					}
				})
			}
		}
	}
	t.Logf("%d cases", n)
}

func TestOldVersionsAreOffByDefault(t *testing.T) {
	client, server := rig.Configs(t)
	server.MaxVersion, server.CipherSuites = tls.VersionTLS11,
		[]uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
	client.CipherSuites = server.CipherSuites
	if _, _, err := rig.Connect(t, client, server); err == nil {
		t.Error("a client that named no version below TLS 1.2 spoke one")
	}
}
