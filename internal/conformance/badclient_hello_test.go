package conformance_test

import (
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/message"
)

// clientsWithBadHellos break RFC 5246 §7.4.1.2 and §7.4.1.4, or an extension's own RFC; or offer
// nothing that we could take.
func clientsWithBadHellos() []badClient {
	const ip, hf, de = alert.IllegalParameter, alert.HandshakeFailure, alert.DecodeError
	set := func(f func(*message.ClientHello)) script.Edits { return script.Edits{Hello: f} }
	ext := func(typ iana.ExtensionType, data ...byte) script.Edits {
		return set(func(m *message.ClientHello) {
			m.Extensions = append(without(m.Extensions, typ),
				message.Extension{Type: typ, Data: data})
		})
	}
	drop := func(types ...iana.ExtensionType) script.Edits {
		return set(func(m *message.ClientHello) {
			for _, typ := range types {
				m.Extensions = without(m.Extensions, typ)
			}
		})
	}
	version := func(v iana.Version, more ...iana.CipherSuite) script.Edits {
		return set(
			func(m *message.ClientHello) {
				m.Version, m.CipherSuites = v, append(m.CipherSuites, more...)
			},
		)
	}
	raw := func(f func([]byte) []byte) script.Edits {
		return script.Edits{First: script.Replace("client_hello", script.Body(f))}
	}
	alpn := func(c *vitrine.Config) { c.NextProtos = []string{"h2"} }
	return []badClient{
		{what: "TLS 1.1", ref: "§E.1", want: alert.ProtocolVersion, says: "at most TLS 1.1",
			edits: version(iana.TLS11)},
		{what: "SSL 3.0", ref: "RFC 7568", want: alert.ProtocolVersion, edits: version(iana.SSL30)},
		{what: "version 0", ref: "§E.1", want: alert.ProtocolVersion, edits: version(0)},
		{what: "a fallback to TLS 1.1", ref: "RFC 7507 §3", want: alert.InappropriateFallback,
			says:   "fell back",
			config: func(c *vitrine.Config) { c.Policy = vitrine.Legacy },
			edits:  version(iana.TLS11, iana.TLS_FALLBACK_SCSV)},
		{what: "a fallback to TLS 1.1, which we do not speak", ref: "RFC 7507 §3",
			want: alert.ProtocolVersion, says: "at most TLS 1.1",
			edits: version(iana.TLS11, iana.TLS_FALLBACK_SCSV)},
		{
			what:   "the SCSV of fallback with our highest version",
			ref:    "RFC 7507 §3: allowed",
			ends:   accepted,
			edits:  version(iana.TLS12, iana.TLS_FALLBACK_SCSV),
			config: rig.Until12,
		},
		{what: "a fallback to TLS 1.2", ref: "RFC 7507 §3", want: alert.InappropriateFallback,
			says: "fell back", edits: version(iana.TLS12, iana.TLS_FALLBACK_SCSV),
			config: func(c *vitrine.Config) { c.MaxVersion = 0 }},
		{what: "TLS 1.3 in client_version", ref: "§E.1: negotiated down", ends: accepted,
			edits: version(iana.TLS13)},
		{what: "version 4.0", ref: "§E.1: negotiated down", ends: accepted, edits: version(0x0400)},
		{what: "version 255.255", ref: "§E.1: negotiated down", ends: accepted,
			edits: version(0xFFFF)},
		{what: "the longest ClientHello that can be", ref: "§7.4.1.2: every vector full",
			ends: accepted, edits: set(script.FillHello)},
		{
			what: "no suite in common",
			ref:  "§7.4.1.3",
			want: hf,
			says: "no cipher suite in common",
			edits: set(
				func(m *message.ClientHello) {
					m.CipherSuites = []iana.CipherSuite{0x1301, 0x0A0A, 0x00FF}
				},
			),
		},
		{
			what: "no suites",
			ref:  "§7.4.1.2",
			want: de,
			edits: raw(
				func(b []byte) []byte { return slices.Concat(b[:35], []byte{0, 0}, b[39:]) },
			),
		},
		{
			what: "half a suite",
			ref:  "§7.4.1.2",
			want: de,
			edits: raw(
				func(b []byte) []byte {
					return slices.Concat(b[:35], []byte{0, 1}, b[37:38], b[39:])
				},
			),
		},
		{
			what: "no null compression",
			ref:  "§7.4.1.2",
			want: ip,
			says: "DEFLATE",
			edits: set(
				func(m *message.ClientHello) { m.CompressionMethods = []iana.CompressionMethod{1} },
			),
		},
		{what: "no compression methods", ref: "§7.4.1.2", want: de,
			edits: raw(func(b []byte) []byte { return slices.Concat(b[:39], []byte{0}, b[41:]) })},
		{
			what: "null compression after others",
			ref:  "§7.4.1.2: allowed",
			ends: accepted,
			edits: set(
				func(m *message.ClientHello) {
					m.CompressionMethods = []iana.CompressionMethod{64, 1, 0}
				},
			),
		},
		{what: "an extension twice", ref: "§7.4.1.4", want: de, says: "a second time",
			edits: raw(func(b []byte) []byte {
				b = append(b, 0, 23, 0, 0)
				b[42] += 4
				return b
			})},
		{what: "bytes behind the extensions", ref: "§7.4.1.2", want: de,
			edits: raw(func(b []byte) []byte { return append(b, 0) })},
		{what: "extensions cut short", ref: "§7.4.1.4", want: de,
			edits: raw(func(b []byte) []byte { return b[:len(b)-1] })},
		{what: "an empty ClientHello", ref: "§7.4.1.2", want: de,
			edits: raw(func([]byte) []byte { return nil })},
		{what: "unknown suites, groups, schemes, extensions and GREASE",
			ref: "RFC 8701 §3.1: ignored", ends: accepted, edits: set(func(m *message.ClientHello) {
				m.CipherSuites = append(
					[]iana.CipherSuite{0x0A0A, 0x1234, 0xFFFE},
					m.CipherSuites...)
				m.Extensions = append(without(without(m.Extensions, iana.ExtSupportedGroups),
					iana.ExtSignatureAlgorithms),
					message.Extension{Type: 0x1A1A},
					message.Extension{Type: 0xABCD, Data: []byte("whatever")},
					message.Extension{Type: iana.ExtSupportedGroups,
						Data: []byte{0, 8, 0x2A, 0x2A, 0x77, 0x77, 0, 29, 0, 23}},
					message.Extension{Type: iana.ExtSignatureAlgorithms,
						Data: []byte{0, 6, 0x3A, 0x3A, 0x99, 0x99, 4, 3}})
			})},
		{what: "no supported_groups and a suite of P-256", ref: "RFC 8422 §4: P-256",
			ends: accepted, edits: drop(iana.ExtSupportedGroups)},
		{what: "no group in common", ref: "RFC 8422 §5.1", want: hf, says: "no group in common",
			edits: ext(iana.ExtSupportedGroups, 0, 2, 0x77, 0x77)},
		{what: "finite-field groups only", ref: "RFC 7919 §4", want: hf, says: "no group in common",
			edits: ext(iana.ExtSupportedGroups, 0, 2, 1, 0)},
		{what: "no groups", ref: "RFC 8422 §5.1.1", want: de,
			edits: ext(iana.ExtSupportedGroups, 0, 0)},
		{what: "half a group", ref: "RFC 8422 §5.1.1", want: de,
			edits: ext(iana.ExtSupportedGroups, 0, 1, 0)},
		{what: "no signature_algorithms, which means SHA-1", ref: "§7.4.1.4.1, RFC 9155", want: hf,
			says: "ecdsa_sha1", edits: drop(iana.ExtSignatureAlgorithms)},
		{what: "no scheme in common", ref: "§7.4.1.4.1", want: hf,
			edits: ext(iana.ExtSignatureAlgorithms, 0, 2, 2, 3)},
		{what: "no schemes", ref: "§7.4.1.4.1", want: de,
			edits: ext(iana.ExtSignatureAlgorithms, 0, 0)},
		{what: "half a scheme", ref: "§7.4.1.4.1", want: de,
			edits: ext(iana.ExtSignatureAlgorithms, 0, 3, 4, 3, 8)},
		{what: "ec_point_formats without uncompressed", ref: "RFC 8422 §5.1.2", want: ip,
			edits: ext(iana.ExtECPointFormats, 1, 1)},
		{what: "max_fragment_length 5", ref: "RFC 6066 §4", want: ip, says: "max_fragment_length 5",
			edits: ext(iana.ExtMaxFragmentLength, 5)},
		{what: "max_fragment_length 0", ref: "RFC 6066 §4", want: ip,
			edits: ext(iana.ExtMaxFragmentLength, 0)},
		{what: "max_fragment_length 5 beside record_size_limit", ref: "RFC 8449 §5: ignored",
			ends: accepted, config: func(c *vitrine.Config) { c.RecordSizeLimit = 1000 },
			edits: set(func(m *message.ClientHello) {
				m.Extensions = append(m.Extensions,
					message.Extension{Type: iana.ExtMaxFragmentLength, Data: []byte{5}},
					message.Extension{Type: iana.ExtRecordSizeLimit, Data: []byte{64, 0}})
			})},
		{what: "record_size_limit 63", ref: "RFC 8449 §4", want: ip, says: "63",
			edits: ext(iana.ExtRecordSizeLimit, 0, 63)},
		{what: "record_size_limit of one byte", ref: "RFC 8449 §4", want: de,
			edits: ext(iana.ExtRecordSizeLimit, 64)},
		{what: "no protocol in common", ref: "RFC 7301 §3.2", want: alert.NoApplicationProtocol,
			says: `["spdy"]`, config: alpn,
			edits: ext(iana.ExtALPN, append([]byte{0, 5, 4}, "spdy"...)...)},
		{what: "an empty protocol", ref: "RFC 7301 §3.1", want: de, config: alpn,
			edits: ext(iana.ExtALPN, 0, 1, 0)},
		{what: "two host names", ref: "RFC 6066 §3", want: de, says: "second host_name",
			edits: ext(iana.ExtServerName, 0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b')},
		{what: "no names", ref: "RFC 6066 §3", want: de, edits: ext(iana.ExtServerName, 0, 0)},
		{what: "a name of two lines", ref: "RFC 6066 §3: our choice", want: ip, says: "0x0A",
			edits: ext(iana.ExtServerName, 0, 6, 0, 0, 3, 'a', 10, 'b')},
		{what: "ec_point_formats cut short", ref: "RFC 8422 §5.1.2", want: de,
			edits: ext(iana.ExtECPointFormats, 2, 0)},
		{what: "a name that nobody has", ref: "RFC 6066 §3: our choice", ends: accepted,
			edits: ext(iana.ExtServerName, 0, 4, 0, 0, 1, 'a')},
		{what: "a status_request cut short", ref: "RFC 6066 §8", want: de,
			edits: ext(iana.ExtStatusRequest, 1, 0)},
		{what: "a status_request of another type", ref: "RFC 6066 §8: ignored", ends: accepted,
			edits: ext(iana.ExtStatusRequest, 7, 1, 2, 3)},
		{what: "extended_master_secret with content", ref: "RFC 7627 §5.1", want: de,
			edits: ext(iana.ExtExtendedMasterSecret, 0)},
		{what: "no extended_master_secret where it is required", ref: "RFC 7627 §5.2", want: hf,
			config: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Required },
			edits:  drop(iana.ExtExtendedMasterSecret)},
		{what: "encrypt_then_mac with content", ref: "RFC 7366 §2", want: de,
			edits: ext(iana.ExtEncryptThenMAC, 0)},
		{what: "renegotiation_info of an earlier handshake", ref: "RFC 5746 §3.6", want: hf,
			says: "renegotiation_info", edits: ext(iana.ExtRenegotiationInfo, 1, 7)},
		{what: "no renegotiation_info", ref: "RFC 5746 §3.6: no renegotiation, no attack",
			ends: accepted, edits: drop(iana.ExtRenegotiationInfo)},
		{what: "no renegotiation_info, policy compatible", ref: "RFC 5746 §3.6", ends: accepted,
			config: func(c *vitrine.Config) { c.Policy = vitrine.Compatible },
			edits:  drop(iana.ExtRenegotiationInfo)},
		{what: "the SCSV of renegotiation", ref: "RFC 5746 §3.6", ends: accepted,
			edits: set(func(m *message.ClientHello) {
				m.Extensions = without(m.Extensions, iana.ExtRenegotiationInfo)
				m.CipherSuites = append(m.CipherSuites, iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
			})},
		{what: "no extensions at all, with RSA", ref: "§7.4.1.2: allowed", ends: accepted,
			suite: rig.RSAGCM, edits: set(func(m *message.ClientHello) { m.Extensions = nil })},
	}
}
