package broken

import (
	"crypto/tls"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// servers are servers that a client with defaults of today cannot speak to, or does not trust.
var servers = []Server{
	{"OpenSSL: TLS 1.0 and 1.1 alone", openssl("-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
		"-min_protocol", "TLSv1", "-max_protocol", "TLSv1.1")},
	{"OpenSSL: a prime of 1024 bits", func(t testing.TB) string {
		return OpenSSL(t, "-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "-max_protocol",
			"TLSv1.2", "-dhparam", Parameters(t, Prime1024))
	}},
	{"crypto/tls: a certificate of another name", func(t testing.TB) string {
		other, err := rig.Authority().Issue(throwaway.ECDSA, []string{"other.example"})
		if err != nil {
			t.Fatal(err)
		}
		return crypto(throwaway.ECDSA,
			func(c *tls.Config) { c.Certificates = []tls.Certificate{other} })(t)
	}},
}
