package interop_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
)

// Short records split the handshake too: its certificates are longer than 512 bytes.
func TestLimitsOfRecordsHoldWithOtherStacks(t *testing.T) {
	maxFragment := func(n int) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.MaxFragmentLength = n }
	}
	sizeLimit := func(n int) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.RecordSizeLimit = n }
	}
	const any, ourLimit = 0, "our record_size_limit"
	for _, c := range []struct {
		what    string
		ref     string
		with    *interop.Stack
		them    iana.Side
		us      func(*vitrine.Config)
		options []string
		longest [2]int // plaintext that the client sends in one record, and the server
	}{
		{"full", "RFC 5246 §6.2.1", interop.OpenSSL, iana.Client, nil, nil, [2]int{any, 16384}},
		{"full", "RFC 5246 §6.2.1", interop.OpenSSL, iana.Server, nil, nil, [2]int{16384, any}},
		{"short", "RFC 5246 §6.2.1", interop.OpenSSL, iana.Client, nil,
			[]string{"-max_send_frag", "512"}, [2]int{512, 16384}},
		{"short", "RFC 5246 §6.2.1", interop.OpenSSL, iana.Server, nil,
			[]string{"-max_send_frag", "512"}, [2]int{16384, 512}},
		{"split", "RFC 5246 §6.2.1", interop.OpenSSL, iana.Client, nil,
			[]string{"-max_send_frag", "1400", "-split_send_frag", "700"}, [2]int{700, 16384}},
		{"max_fragment_length", "RFC 6066 §4", interop.OpenSSL, iana.Client, nil,
			[]string{"-maxfraglen", "512"}, [2]int{512, 512}},
		{"max_fragment_length", "RFC 6066 §4", interop.OpenSSL, iana.Client, nil,
			[]string{"-maxfraglen", "4096"}, [2]int{4096, 4096}},
		{"max_fragment_length", "RFC 6066 §4", interop.OpenSSL, iana.Server, maxFragment(512), nil,
			[2]int{512, 512}},
		{"max_fragment_length", "RFC 6066 §4", interop.OpenSSL, iana.Server, maxFragment(2048), nil,
			[2]int{2048, 2048}},
		{"their record_size_limit", "RFC 8449 §4", interop.GnuTLS, iana.Client, sizeLimit(16384),
			[]string{"--recordsize", "700"}, [2]int{any, 700}},
		{"their record_size_limit", "RFC 8449 §4", interop.GnuTLS, iana.Server, sizeLimit(16384),
			[]string{"--recordsize", "700"}, [2]int{700, any}},
		{ourLimit, "RFC 8449 §4", interop.GnuTLS, iana.Client, sizeLimit(600), nil,
			[2]int{any, any}},
		{ourLimit, "RFC 8449 §4", interop.GnuTLS, iana.Server, sizeLimit(600), nil,
			[2]int{any, 600}},
	} {
		for _, version := range bothVersions {
			t.Run(strings.Join([]string{c.what, fmt.Sprint(c.longest), c.with.Name, "their " +
				c.them.String(), version.String()}, "/"), func(t *testing.T) {
				t.Parallel()
				m := meeting{
					with: c.with,
					them: c.them,
					us: func(config *vitrine.Config) {
						config.DynamicRecordSizingDisabled = true // 64 KiB are all short records
						if c.us != nil {
							c.us(config)
						}
					},
					bytes:   64 << 10,
					version: version,
					they:    func(s *interop.Setup) { s.Options = c.options },
				}
				if c.with == interop.GnuTLS && c.them == iana.Client {
					m.back = 512 // gnutls-cli loses what is left of a line longer than a record
				}
				m.run(t)
				for _, side := range sides {
					want := c.longest[side] + overhead[version]
					if c.what == ourLimit && version == iana.TLS13 {
						want-- // ours counts the content type; GnuTLS's option does not
					}
					if c.longest[side] != any && m.longest[side] != want {
						t.Errorf(
							"the %v's longest record has a fragment of %d bytes, expected %d (%s)",
							side,
							m.longest[side],
							want,
							c.ref,
						)
					}
				}
			})
		}
	}
}

// overhead is what a record with an AEAD adds to a plaintext: in TLS 1.2's GCM nonce_explicit and
// a tag (RFC 5288 §3), in TLS 1.3 the content type and a tag (RFC 8446 §5.2).
var overhead = map[iana.Version]int{iana.TLS12: 8 + 16, iana.TLS13: 1 + 16}
