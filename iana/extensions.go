package iana

import "fmt"

// ExtensionType is the type of a hello extension.
type ExtensionType uint16

// The extensions that Vitrine implements or decodes.
const (
	ExtServerName              ExtensionType = 0
	ExtMaxFragmentLength       ExtensionType = 1
	ExtStatusRequest           ExtensionType = 5
	ExtSupportedGroups         ExtensionType = 10
	ExtECPointFormats          ExtensionType = 11
	ExtSignatureAlgorithms     ExtensionType = 13
	ExtHeartbeat               ExtensionType = 15
	ExtALPN                    ExtensionType = 16
	ExtStatusRequestV2         ExtensionType = 17
	ExtSCT                     ExtensionType = 18
	ExtClientCertificateType   ExtensionType = 19
	ExtServerCertificateType   ExtensionType = 20
	ExtPadding                 ExtensionType = 21
	ExtEncryptThenMAC          ExtensionType = 22
	ExtExtendedMasterSecret    ExtensionType = 23
	ExtCompressCertificate     ExtensionType = 27
	ExtRecordSizeLimit         ExtensionType = 28
	ExtDelegatedCredential     ExtensionType = 34
	ExtSessionTicket           ExtensionType = 35
	ExtPreSharedKey            ExtensionType = 41
	ExtEarlyData               ExtensionType = 42
	ExtSupportedVersions       ExtensionType = 43
	ExtCookie                  ExtensionType = 44
	ExtPSKKeyExchangeModes     ExtensionType = 45
	ExtCertificateAuthorities  ExtensionType = 47
	ExtOIDFilters              ExtensionType = 48
	ExtPostHandshakeAuth       ExtensionType = 49
	ExtSignatureAlgorithmsCert ExtensionType = 50
	ExtKeyShare                ExtensionType = 51
	ExtQUICTransportParameters ExtensionType = 57
	ExtTicketRequest           ExtensionType = 58
	ExtNPN                     ExtensionType = 13172
	ExtApplicationSettingsOld  ExtensionType = 17513
	ExtApplicationSettings     ExtensionType = 17613
	// draft-ietf-tls-trust-anchor-ids, not registered
	ExtTrustAnchors      ExtensionType = 0xCA34
	ExtECH               ExtensionType = 0xFE0D
	ExtRenegotiationInfo ExtensionType = 0xFF01
)

func (t ExtensionType) String() string {
	if isGREASE(uint16(t)) {
		return "GREASE (" + unknown16(t) + ")"
	}
	return name16(t, extensionTypes)
}

var extensionTypes = map[ExtensionType]string{
	0: "server_name", 1: "max_fragment_length", 2: "client_certificate_url", 3: "trusted_ca_keys",
	4: "truncated_hmac", 5: "status_request", 6: "user_mapping", 7: "client_authz",
	8: "server_authz", 9: "cert_type", 10: "supported_groups", 11: "ec_point_formats", 12: "srp",
	13: "signature_algorithms", 14: "use_srtp", 15: "heartbeat",
	16: "application_layer_protocol_negotiation", 17: "status_request_v2",
	18: "signed_certificate_timestamp", 19: "client_certificate_type",
	20: "server_certificate_type", 21: "padding", 22: "encrypt_then_mac",
	23: "extended_master_secret", 24: "token_binding", 25: "cached_info",
	27: "compress_certificate", 28: "record_size_limit", 34: "delegated_credential",
	35: "session_ticket", 41: "pre_shared_key", 42: "early_data", 43: "supported_versions",
	44: "cookie", 45: "psk_key_exchange_modes", 47: "certificate_authorities", 48: "oid_filters",
	49: "post_handshake_auth", 50: "signature_algorithms_cert", 51: "key_share",
	52: "transparency_info", 54: "connection_id", 57: "quic_transport_parameters",
	58: "ticket_request", 13172: "next_protocol_negotiation", 17513: "application_settings",
	17613: "application_settings", ExtTrustAnchors: "trust_anchors", 64768: "ech_outer_extensions",
	0xFE0D: "encrypted_client_hello", 0xFF01: "renegotiation_info",
}

// Group is a named group for (EC)DHE. See RFC 8422 §5.1.1 and RFC 7919 §2.
type Group uint16

// The groups that Vitrine implements.
const (
	Secp256r1 Group = 23
	Secp384r1 Group = 24
	Secp521r1 Group = 25
	X25519    Group = 29
	X448      Group = 30
	FFDHE2048 Group = 256
	FFDHE3072 Group = 257
	FFDHE4096 Group = 258
	FFDHE6144 Group = 259
	FFDHE8192 Group = 260

	SecP256r1MLKEM768  Group = 0x11EB
	X25519MLKEM768     Group = 0x11EC
	SecP384r1MLKEM1024 Group = 0x11ED
)

func (g Group) String() string {
	if isGREASE(uint16(g)) {
		return "GREASE (" + unknown16(g) + ")"
	}
	return name16(g, groups)
}

// Hybrid reports whether g is an elliptic curve with ML-KEM beside it, which only TLS 1.3 can use.
// See RFC 10024.
func (g Group) Hybrid() bool {
	return g == X25519MLKEM768 || g == SecP256r1MLKEM768 || g == SecP384r1MLKEM1024
}

// FiniteField reports whether g is in the range of finite-field groups. See RFC 7919 §2.
func (g Group) FiniteField() bool { return g>>8 == 1 }

var groups = map[Group]string{
	1: "sect163k1", 2: "sect163r1", 3: "sect163r2", 4: "sect193r1", 5: "sect193r2", 6: "sect233k1",
	7: "sect233r1", 8: "sect239k1", 9: "sect283k1", 10: "sect283r1", 11: "sect409k1",
	12: "sect409r1", 13: "sect571k1", 14: "sect571r1", 15: "secp160k1", 16: "secp160r1",
	17: "secp160r2", 18: "secp192k1", 19: "secp192r1", 20: "secp224k1", 21: "secp224r1",
	22: "secp256k1", Secp256r1: "secp256r1", Secp384r1: "secp384r1", Secp521r1: "secp521r1",
	26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1", X25519: "x25519",
	X448: "x448", 31: "brainpoolP256r1tls13", 32: "brainpoolP384r1tls13",
	33: "brainpoolP512r1tls13", FFDHE2048: "ffdhe2048", FFDHE3072: "ffdhe3072",
	FFDHE4096: "ffdhe4096", FFDHE6144: "ffdhe6144", FFDHE8192: "ffdhe8192", 512: "MLKEM512",
	513: "MLKEM768", 514: "MLKEM1024", SecP256r1MLKEM768: "SecP256r1MLKEM768",
	X25519MLKEM768: "X25519MLKEM768", SecP384r1MLKEM1024: "SecP384r1MLKEM1024",
	0x6399: "X25519Kyber768Draft00", 0xFF01: "arbitrary_explicit_prime_curves",
	0xFF02: "arbitrary_explicit_char2_curves",
}

// ECPointFormat is an encoding of curve points. Only uncompressed is used. See RFC 8422 §5.1.2.
type ECPointFormat uint8

// Uncompressed is the point format 04 || X || Y.
const Uncompressed ECPointFormat = 0

func (f ECPointFormat) String() string {
	return name8(f, map[ECPointFormat]string{
		0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2",
	})
}

// ECCurveType is the way ServerKeyExchange names its curve. See RFC 8422 §5.4.
type ECCurveType uint8

// NamedCurve is the only curve type that is not deprecated.
const NamedCurve ECCurveType = 3

func (t ECCurveType) String() string {
	return name8(t,
		map[ECCurveType]string{1: "explicit_prime", 2: "explicit_char2", 3: "named_curve"})
}

// ClientCertificateType is a kind of client certificate that a server accepts. See RFC 5246 §7.4.4
// and RFC 8422 §5.5.
type ClientCertificateType uint8

// The client certificate types that Vitrine implements.
const (
	RSASign   ClientCertificateType = 1
	ECDSASign ClientCertificateType = 64
)

func (t ClientCertificateType) String() string {
	return name8(t, map[ClientCertificateType]string{
		1: "rsa_sign", 2: "dss_sign", 3: "rsa_fixed_dh", 4: "dss_fixed_dh",
		64: "ecdsa_sign", 65: "rsa_fixed_ecdh", 66: "ecdsa_fixed_ecdh",
	})
}

// CertificateStatusType is a kind of certificate status. See RFC 6066 §8.
type CertificateStatusType uint8

// StatusOCSP is an OCSP response.
const StatusOCSP CertificateStatusType = 1

func (t CertificateStatusType) String() string {
	return name8(t, map[CertificateStatusType]string{1: "ocsp", 2: "ocsp_multi"})
}

// NameType is a kind of name in server_name. See RFC 6066 §3.
type NameType uint8

// HostName is a DNS name.
const HostName NameType = 0

func (t NameType) String() string { return name8(t, map[NameType]string{HostName: "host_name"}) }

// PSKKeyExchangeMode is a way to use a pre-shared key, such as a ticket. See RFC 8446 §4.2.9.
type PSKKeyExchangeMode uint8

// The two modes: without a fresh key exchange beside the pre-shared key, and with one.
const (
	PSKKE    PSKKeyExchangeMode = 0
	PSKDHEKE PSKKeyExchangeMode = 1
)

func (m PSKKeyExchangeMode) String() string {
	if m%0x1F == 0x0B { // RFC 8701 §2: 0x0B, 0x2A, … 0xE4
		return fmt.Sprintf("GREASE (0x%02X)", uint8(m))
	}
	return name8(m, map[PSKKeyExchangeMode]string{0: "psk_ke", 1: "psk_dhe_ke"})
}

// KDF is a key derivation function that a pre-shared key is imported for. See RFC 9258 §9.
type KDF uint16

// The KDFs of the TLS 1.3 cipher suites.
const (
	HKDFSHA256 KDF = 1
	HKDFSHA384 KDF = 2
)

func (k KDF) String() string {
	return name16(k, map[KDF]string{HKDFSHA256: "HKDF_SHA256", HKDFSHA384: "HKDF_SHA384"})
}

// CertificateCompressionAlgorithm is an algorithm that compresses certificates. See RFC 8879 §3.
type CertificateCompressionAlgorithm uint16

// The algorithms.
const (
	Zlib   CertificateCompressionAlgorithm = 1
	Brotli CertificateCompressionAlgorithm = 2
	Zstd   CertificateCompressionAlgorithm = 3
)

func (a CertificateCompressionAlgorithm) String() string {
	return name16(a, map[CertificateCompressionAlgorithm]string{Zlib: "zlib", Brotli: "brotli",
		Zstd: "zstd"})
}

// CertificateType is a kind of certificate, or of what replaces one. See RFC 7250 §3.
type CertificateType uint8

// The types that Vitrine speaks. X509 is meant where none is named.
const (
	X509         CertificateType = 0
	RawPublicKey CertificateType = 2
)

func (t CertificateType) String() string {
	return name8(t, map[CertificateType]string{X509: "X509", 1: "OpenPGP",
		RawPublicKey: "RawPublicKey", 3: "1609Dot2"})
}

// KeyUpdateRequest says whether the receiver of a KeyUpdate must update its keys, too. See RFC 8446
// §4.6.3.
type KeyUpdateRequest uint8

// The two requests.
const (
	UpdateNotRequested KeyUpdateRequest = 0
	UpdateRequested    KeyUpdateRequest = 1
)

func (r KeyUpdateRequest) String() string {
	return name8(r, map[KeyUpdateRequest]string{0: "update_not_requested", 1: "update_requested"})
}
