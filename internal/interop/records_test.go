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
func TestLengthsOfRecords(t *testing.T) {
	maxFragment := func(n int) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.MaxFragmentLength = n }
	}
	sizeLimit := func(n int) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.RecordSizeLimit = n }
	}
	const any = 0
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
		{"our record_size_limit", "RFC 8449 §4", interop.GnuTLS, iana.Client, sizeLimit(600), nil,
			[2]int{any, any}},
		{"our record_size_limit", "RFC 8449 §4", interop.GnuTLS, iana.Server, sizeLimit(600), nil,
			[2]int{any, 600}},
	} {
		t.Run(strings.Join([]string{c.what, fmt.Sprint(c.longest), c.with.Name, "their " +
			c.them.String()}, "/"), func(t *testing.T) {
			t.Parallel()
			m := meeting{with: c.with, them: c.them, us: c.us, bytes: 64 << 10,
				they: func(s *interop.Setup) { s.Options = c.options }}
			if c.with == interop.GnuTLS && c.them == iana.Client {
				m.back = 512 // gnutls-cli loses what is left of a line longer than a record
			}
			m.run(t)
			for _, side := range sides {
				if want := c.longest[side]; want != any && m.longest[side] != want+gcmOverhead {
					t.Errorf("the %v's longest record has a fragment of %d bytes, expected %d (%s)",
						side, m.longest[side], want+gcmOverhead, c.ref)
				}
			}
		})
	}
}

// gcmOverhead is what AES-GCM adds to a plaintext: nonce_explicit and a tag. See RFC 5288 §3.
const gcmOverhead = 8 + 16
