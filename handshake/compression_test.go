package handshake

import (
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

var zlib = []iana.CertificateCompressionAlgorithm{iana.Zlib}

// bothCertified is a client and a server that both show a certificate.
func bothCertified(t *testing.T) (client, server *negotiation.Config) {
	client, server = config13("client"), config13("server")
	server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	client.Credentials = server.Credentials
	server.ClientAuth.Request = true
	return client, server
}

// Only a peer that requests it gets a compressed certificate. See RFC 8879 §3 and §4.
func TestCertificatesAreCompressedOnRequest(t *testing.T) {
	for _, c := range []struct {
		what           string
		client, server []iana.CertificateCompressionAlgorithm
		packed         bool
	}{
		{"both", zlib, zlib, true}, {"the client alone", zlib, nil, false},
		{"the server alone", nil, zlib, false}, {"neither", nil, nil, false},
		{"nothing in common", []iana.CertificateCompressionAlgorithm{0x4A4A, 2}, zlib, false},
		{"unknown ones besides", append([]iana.CertificateCompressionAlgorithm{0x4A4A}, 1), zlib,
			true},
	} {
		for _, from := range []iana.Side{iana.Client, iana.Server} {
			client, server := bothCertified(t)
			client.CertificateCompression, server.CertificateCompression = c.client, c.server
			packed := false
			errs, _ := tampered(t, client, server, from, func(m message.Message) bool {
				if _, ok := m.(*message.CompressedCertificate); ok {
					packed = true
				}
				return false
			})
			if errs != [2]error{} || packed != c.packed {
				t.Errorf("%s, from the %v: packed: %v, %v", c.what, from, packed, errs)
			}
		}
	}
}

// Compressed certificates that are refused, from both sides. See RFC 8879 §4.
func TestBadCompressedCertificatesAreRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*message.CompressedCertificate)
		want   alert.Description
	}{
		{"an algorithm that was not offered", func(m *message.CompressedCertificate) {
			m.Algorithm = iana.Brotli
		}, alert.IllegalParameter},
		{"less than it claims", func(m *message.CompressedCertificate) {
			m.Uncompressed[2]++
		}, alert.BadCertificate},
		{"more than it claims", func(m *message.CompressedCertificate) {
			m.Uncompressed[2]--
		}, alert.BadCertificate},
		{"a claim of nothing", func(m *message.CompressedCertificate) {
			m.Uncompressed = []byte{0, 0, 0}
		}, alert.BadCertificate},
		{"a claim of 16 MiB", func(m *message.CompressedCertificate) {
			m.Uncompressed = []byte{255, 255, 255}
		}, alert.BadCertificate},
		{"no stream", func(m *message.CompressedCertificate) { clear(m.Data) },
			alert.BadCertificate},
		{"no Certificate inside", func(m *message.CompressedCertificate) {
			m.Data, _ = compress.Pack(iana.Zlib, []byte{0, 0, 0})
			m.Uncompressed = []byte{0, 0, 3}
		}, alert.BadCertificate},
	} {
		for _, from := range []iana.Side{iana.Client, iana.Server} {
			client, server := bothCertified(t)
			client.CertificateCompression, server.CertificateCompression = zlib, zlib
			errs, touched := tampered(t, client, server, from, on(c.change))
			if err := errs[from.Peer()]; !touched || alert.Of(err) != c.want {
				t.Errorf("%s, from the %v: %v (changed: %v), expected %v", c.what, from, errs,
					touched, c.want)
			}
		}
	}
}

// A compressed certificate that was not requested is unexpected, whatever the version.
func TestUnaskedCompressedCertificatesAreRefused(t *testing.T) {
	raw, err := (message.Dialect{Version: iana.TLS13}).Encode(&message.CompressedCertificate{
		Algorithm: iana.Zlib, Uncompressed: []byte{0, 0, 9}, Data: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	client, server := bothCertified(t)
	server12 := config("server", ecdheECDSA)
	server12.CertificateCompression = zlib
	for what, m := range map[string]*Machine{
		"a client of TLS 1.3":         NewClient(client, &desk{}),
		"a server of TLS 1.3":         NewServer(server, &desk{}),
		"a server before the version": NewServer(server12, &desk{}),
	} {
		if err := m.Take(iana.Server, m.KindOf(raw),
			raw); alert.Of(err) != alert.UnexpectedMessage {
			t.Errorf("%s: %v", what, err)
		}
	}
}
