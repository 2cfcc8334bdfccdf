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

// addExtension adds or replaces an extension of a ServerHello.
func addExtension(typ iana.ExtensionType, data []byte) func(*message.ServerHello) {
	return func(m *message.ServerHello) {
		m.Extensions = append(without(m.Extensions, typ), message.Extension{Type: typ, Data: data})
	}
}

func without(e message.Extensions, typ iana.ExtensionType) message.Extensions {
	return slices.DeleteFunc(e, func(x message.Extension) bool { return x.Type == typ })
}

// serversWithBadHellos break RFC 5246 §7.4.1.3 and §7.4.1.4, or an extension's own RFC.
func serversWithBadHellos() []badServer {
	const ip, ue, hf = alert.IllegalParameter, alert.UnsupportedExtension, alert.HandshakeFailure
	set := func(f func(*message.ServerHello)) script.Edits { return script.Edits{Answer: f} }
	chosen := func(id iana.CipherSuite) script.Edits {
		return set(func(m *message.ServerHello) { m.CipherSuite = id })
	}
	version := func(v iana.Version) script.Edits {
		return set(func(m *message.ServerHello) { m.Version = v })
	}
	raw := func(f func([]byte) []byte) script.Edits {
		return script.Edits{First: script.Replace("server_hello", script.Body(f))}
	}
	cbcAndGCM := func(c *vitrine.Config) {
		c.CipherSuites = []uint16{uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256),
			uint16(rig.ECDSAGCM), uint16(iana.TLS_ECDHE_ECDSA_WITH_NULL_SHA)}
	}
	both := func(c *vitrine.Config) { c.MaxFragmentLength, c.RecordSizeLimit = 512, 1000 }
	limit := func(c *vitrine.Config) { c.RecordSizeLimit = 1000 }
	short := func(c *vitrine.Config) { c.MaxFragmentLength = 512 }
	alpn := func(c *vitrine.Config) { c.NextProtos = []string{"h2", "http/1.1"} }
	legacy := func(c *vitrine.Config) { c.Policy = vitrine.Legacy }
	noRI := set(
		func(m *message.ServerHello) {
			m.Extensions = without(m.Extensions, iana.ExtRenegotiationInfo)
		},
	)
	return []badServer{
		{what: "a version above ours", ref: "§E.1", want: alert.ProtocolVersion, says: "TLS 1.3",
			edits: version(iana.TLS13)},
		{what: "TLS 1.1", ref: "§E.1", want: alert.ProtocolVersion, says: "TLS 1.1",
			edits: version(iana.TLS11)},
		{what: "SSL 3.0", ref: "RFC 7568", want: alert.ProtocolVersion, edits: version(iana.SSL30)},
		{what: "version 0", ref: "§E.1", want: alert.ProtocolVersion, edits: version(0)},
		{what: "version 0xFFFF", ref: "§E.1", want: alert.ProtocolVersion, edits: version(0xFFFF)},
		{what: "a suite that was not offered", ref: "§7.4.1.3", want: ip,
			says:  "TLS_RSA_WITH_AES_128_GCM_SHA256, which we did not offer",
			edits: chosen(rig.RSAGCM)},
		{what: "a suite that nobody knows", ref: "§7.4.1.3", want: ip, says: "0x1234",
			edits: chosen(0x1234)},
		{what: "a suite of TLS 1.3", ref: "RFC 8446 §B.4", want: ip,
			says: "TLS_AES_128_GCM_SHA256", edits: chosen(0x1301)},
		{what: "an anonymous suite", ref: "§F.1.1.1", want: ip,
			says: "TLS_DH_anon_WITH_AES_128_CBC_SHA", edits: chosen(0x0034)},
		{what: "TLS_NULL_WITH_NULL_NULL", ref: "§A.5", want: ip, edits: chosen(0)},
		{what: "the SCSV of renegotiation", ref: "RFC 5746 §3.3", want: ip, says: "SCSV",
			edits: chosen(iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)},
		{what: "the SCSV of fallback", ref: "RFC 7507 §2", want: ip, says: "SCSV",
			edits: chosen(iana.TLS_FALLBACK_SCSV)},
		{what: "GREASE as a suite", ref: "RFC 8701 §3.1", want: ip, edits: chosen(0x0A0A)},
		{what: "DEFLATE", ref: "§7.4.1.3", want: ip, says: "DEFLATE",
			edits: set(func(m *message.ServerHello) { m.CompressionMethod = 1 })},
		{
			what: "a session ID of 33 bytes",
			ref:  "§7.4.1.3",
			want: alert.DecodeError,
			edits: raw(
				func(b []byte) []byte {
					return slices.Insert(slices.Replace(b, 34, 35, 33), 35, make([]byte, 33)...)
				},
			),
		},
		{what: "a session ID of its own", ref: "§7.4.1.3: allowed", ends: accepted,
			edits: set(func(m *message.ServerHello) { m.SessionID = make([]byte, 32) })},
		{what: "bytes behind the extensions", ref: "§7.4.1.3", want: alert.DecodeError,
			says: "byte", edits: raw(func(b []byte) []byte { return append(b, 0) })},
		{what: "extensions cut short", ref: "§7.4.1.4", want: alert.DecodeError,
			edits: raw(func(b []byte) []byte { return b[:len(b)-1] })},
		{what: "a ServerHello cut inside its random", ref: "§7.4.1.3", want: alert.DecodeError,
			edits: raw(func(b []byte) []byte { return b[:20] })},
		{what: "an empty ServerHello", ref: "§7.4.1.3", want: alert.DecodeError,
			edits: raw(func([]byte) []byte { return nil })},

		{what: "ALPN that was not asked for", ref: "§7.4.1.4", want: ue,
			says:  "application_layer_protocol_negotiation, which we did not send",
			edits: ext(iana.ExtALPN, 0, 3, 2, 'h', '2')},
		{what: "a session ticket that was not asked for", ref: "§7.4.1.4", want: ue,
			says: "session_ticket", edits: ext(iana.ExtSessionTicket)},
		{what: "heartbeat that was not asked for", ref: "§7.4.1.4", want: ue,
			edits: ext(iana.ExtHeartbeat, 1)},
		{what: "a staple that was not asked for", ref: "§7.4.1.4", want: ue,
			edits:  ext(iana.ExtStatusRequest),
			config: func(c *vitrine.Config) { c.StatusRequest = vitrine.Off }},
		{what: "an extension that nobody knows", ref: "§7.4.1.4", want: ue, says: "0xABCD",
			edits: ext(0xABCD)},
		{what: "GREASE as an extension", ref: "RFC 8701 §3.1", want: ue, edits: ext(0x1A1A)},
		{what: "supported_versions", ref: "RFC 8446 §4.2.1", want: ue,
			edits: ext(iana.ExtSupportedVersions, 3, 3), config: rig.Until12},
		{what: "supported_versions, which we offer, with TLS 1.2", ref: "RFC 8446 §4.2.1",
			want: ip, edits: ext(iana.ExtSupportedVersions, 3, 3),
			config: func(c *vitrine.Config) { c.MaxVersion = vitrine.VersionTLS13 }},
		{what: "signature_algorithms", ref: "§7.4.1.4.1: servers MUST NOT send it", want: ue,
			says: "signature_algorithms", edits: ext(iana.ExtSignatureAlgorithms, 0, 2, 4, 3)},
		{what: "supported_groups", ref: "RFC 8422 §5.1: some servers send it", ends: accepted,
			edits: ext(iana.ExtSupportedGroups, 0, 2, 0, 29)},
		{what: "an extension twice", ref: "§7.4.1.4", want: alert.DecodeError,
			says:  "a second time",
			edits: raw(func(b []byte) []byte { b[39] += 4; return append(b, 0xFF, 1, 0, 0) })},

		{what: "encrypt_then_mac with an AEAD", ref: "RFC 7366 §3", want: ip,
			says: "encrypt_then_mac", edits: ext(iana.ExtEncryptThenMAC), config: cbcAndGCM},
		{what: "encrypt_then_mac with NULL", ref: "RFC 7366 §3", want: ip, says: "encrypt_then_mac",
			suite: iana.TLS_ECDHE_ECDSA_WITH_NULL_SHA, edits: ext(iana.ExtEncryptThenMAC),
			config: cbcAndGCM},
		{what: "encrypt_then_mac with CBC", ref: "RFC 7366 §2: allowed", ends: accepted,
			suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, edits: ext(iana.ExtEncryptThenMAC),
			config: cbcAndGCM},
		{what: "encrypt_then_mac with content", ref: "RFC 7366 §2", want: alert.DecodeError,
			suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
			edits: ext(iana.ExtEncryptThenMAC, 1), config: cbcAndGCM},
		{what: "no encrypt_then_mac where it is required", ref: "RFC 7366 §2", want: hf,
			suite:  iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
			config: func(c *vitrine.Config) { cbcAndGCM(c); c.EncryptThenMAC = vitrine.Required }},
		{
			what:   "no extended_master_secret where it is required",
			ref:    "RFC 7627 §5.2",
			want:   hf,
			says:   "extended_master_secret",
			config: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Required },
			edits: set(
				func(m *message.ServerHello) {
					m.Extensions = without(m.Extensions, iana.ExtExtendedMasterSecret)
				},
			),
		},
		{
			what: "no extended_master_secret",
			ref:  "RFC 7627 §5.2: allowed",
			ends: accepted,
			edits: set(
				func(m *message.ServerHello) {
					m.Extensions = without(m.Extensions, iana.ExtExtendedMasterSecret)
				},
			),
		},
		{what: "extended_master_secret with content", ref: "RFC 7627 §5.1", want: alert.DecodeError,
			edits: ext(iana.ExtExtendedMasterSecret, 0)},
		{what: "max_fragment_length and record_size_limit", ref: "RFC 8449 §5", want: ip,
			says: "both", config: both,
			edits: set(func(m *message.ServerHello) {
				addExtension(iana.ExtMaxFragmentLength, []byte{1})(m)
				addExtension(iana.ExtRecordSizeLimit, []byte{4, 0})(m)
			})},
		{what: "record_size_limit and max_fragment_length", ref: "RFC 8449 §5", want: ip,
			says: "both", config: both,
			edits: set(func(m *message.ServerHello) {
				addExtension(iana.ExtRecordSizeLimit, []byte{4, 0})(m)
				addExtension(iana.ExtMaxFragmentLength, []byte{1})(m)
			})},
		{what: "another max_fragment_length", ref: "RFC 6066 §4", want: ip,
			says: "max_fragment_length 2", config: short, edits: ext(iana.ExtMaxFragmentLength, 2)},
		{what: "max_fragment_length 0", ref: "RFC 6066 §4", want: ip, config: short,
			edits: ext(iana.ExtMaxFragmentLength, 0)},
		{what: "max_fragment_length of two bytes", ref: "RFC 6066 §4", want: alert.DecodeError,
			config: short, edits: ext(iana.ExtMaxFragmentLength, 0, 1)},
		{what: "records above max_fragment_length", ref: "RFC 6066 §4", want: alert.RecordOverflow,
			says: "at most 512", config: short,
			edits: script.Edits{Answer: addExtension(iana.ExtMaxFragmentLength, []byte{1}),
				First: script.Before("certificate",
					script.Record(iana.RecordHandshake, make([]byte, 513)...))}},
		{what: "record_size_limit 63", ref: "RFC 8449 §4", want: ip, says: "63", config: limit,
			edits: ext(iana.ExtRecordSizeLimit, 0, 63)},
		{what: "records above our record_size_limit", ref: "RFC 8449 §4",
			want: alert.RecordOverflow, says: "at most 1000", ends: later, config: limit,
			edits: script.Edits{Answer: addExtension(iana.ExtRecordSizeLimit, []byte{64, 0}),
				Last: script.Add(script.Record(iana.RecordApplicationData,
					make([]byte, 1001)...))}},

		{what: "renegotiation_info of an earlier handshake", ref: "RFC 5746 §3.4", want: hf,
			says: "renegotiation_info", edits: ext(iana.ExtRenegotiationInfo, 1, 7)},
		{what: "renegotiation_info cut short", ref: "RFC 5746 §3.2", want: alert.DecodeError,
			edits: ext(iana.ExtRenegotiationInfo)},
		{what: "no renegotiation_info, policy modern", ref: "RFC 5746 §3.4", want: hf,
			says: "RFC 5746", edits: noRI},
		{what: "no renegotiation_info, policy legacy", ref: "RFC 5746 §3.4: our choice",
			ends: accepted, config: legacy, edits: noRI},
		{what: "two protocols", ref: "RFC 7301 §3.1", want: ip, says: `["h2" "http/1.1"]`,
			config: alpn,
			edits:  ext(iana.ExtALPN, append([]byte{0, 12, 2, 'h', '2', 8}, "http/1.1"...)...)},
		{what: "a protocol that was not offered", ref: "RFC 7301 §3.1", want: ip, says: `"spdy"`,
			config: alpn, edits: ext(iana.ExtALPN, append([]byte{0, 5, 4}, "spdy"...)...)},
		{what: "a protocol without a name", ref: "RFC 7301 §3.1", want: alert.DecodeError,
			config: alpn, edits: ext(iana.ExtALPN, 0, 1, 0)},
		{what: "no protocol", ref: "RFC 7301 §3.1", want: alert.DecodeError, config: alpn,
			edits: ext(iana.ExtALPN, 0, 0)},
		{what: "server_name with content", ref: "RFC 6066 §3", want: alert.DecodeError,
			edits: ext(iana.ExtServerName, 0)},
		{what: "ec_point_formats without uncompressed", ref: "RFC 8422 §5.1.2", want: ip,
			says: "ansiX962_compressed_prime", edits: ext(iana.ExtECPointFormats, 1, 1)},
		{what: "ec_point_formats without formats", ref: "RFC 8422 §5.1.2", want: alert.DecodeError,
			edits: ext(iana.ExtECPointFormats, 0)},
		{what: "timestamps without a list", ref: "RFC 6962 §3.3", want: alert.DecodeError,
			edits: ext(iana.ExtSCT)},
	}
}
