package probe_test

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/probe"
)

// reach returns how to reach an address.
func reach(address string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
}

// Each server has one fault, or two; further findings are not compared only if they are no more
// than a remark.
func TestBrokenServersAreReported(t *testing.T) {
	usual := []string{"no_tls1_3", "static_rsa"} // of what the scripted server is
	for _, tt := range []struct {
		name string
		want []string // findings above info
	}{
		{"OpenSSL: TLS 1.0 and 1.1 alone",
			[]string{"no_tls1_2", "no_tls1_3", "tls1_0", "tls1_1"}},
		{"OpenSSL: no encryption, and nobody's certificate",
			[]string{"anonymous", "no_tls1_3", "null", "static_rsa"}},
		{"OpenSSL: a prime of 1024 bits",
			[]string{"no_tls1_3", "sha1_signature", "short_prime"}},
		{"GnuTLS: a prime of 1024 bits", // which it has for clients without groups of RFC 7919
			[]string{"no_tls1_3", "sha1_signature", "short_prime"}},
		{"GnuTLS: TLS 1.0 to 1.2 with CBC",
			[]string{"downgrade_sentinel", "no_tls1_3", "sha1_signature", "tls1_0", "tls1_1"}},
		{"GnuTLS: RSA key exchange, no extended_master_secret",
			[]string{"extended_master_secret", "no_tls1_3", "static_rsa"}},
		{"crypto/tls: 3DES and RC4",
			[]string{"rc4", "sweet32"}},
		{"crypto/tls: a certificate of another name",
			[]string{"untrusted"}},
		{"crypto/tls: a certificate that ends tomorrow",
			[]string{"expires_soon"}},
		{"scripted: nothing but RSA",
			usual},
		{"scripted: Heartbleed",
			append(usual, "heartbleed")},
		{"scripted: early ChangeCipherSpec",
			append(usual, "ccs_injection")},
		{"scripted: ROBOT",
			append(usual, "robot")},
		{"scripted: compression",
			append(usual, "compression")},
		{"scripted: fails with extensions that it does not know",
			append(usual, "grease")},
		{"scripted: fails with long hellos",
			append(usual, "long_hello")},
		{"scripted: fails with hellos in several records",
			append(usual, "split_hello")},
		{"scripted: fails with an unknown version",
			append(usual, "unknown_version")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, reach(broken.Named(t, tt.name).Start(t)))
			if !r.Reached {
				t.Fatal(r.Problem)
			}
			var got []string
			for _, f := range r.Findings {
				if f.Severity != probe.Info {
					got = append(got, f.ID)
				}
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("findings %q, expected %q", got, want)
				for _, f := range r.Facts {
					if f.Told == probe.NotTold {
						t.Logf("%s: not told: %s", f.ID, f.Detail)
					}
				}
				for _, v := range r.Versions {
					t.Logf("%s: %s, %d suites: %s", v.Name, v.Told, len(v.Suites), v.Detail)
				}
			}
		})
	}
}
