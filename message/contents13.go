package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Contents that belong to TLS 1.3, and rarer ones. A client that also supports TLS 1.2 sends those
// of TLS 1.3 in the one ClientHello that serves all versions.

// KeyShares is the client's key_share: public keys, made before it knows which group the server
// will select. See RFC 8446 §4.2.8.
type KeyShares struct{ Shares []KeyShareEntry }

// KeyShareEntry is one public key of key_share.
type KeyShareEntry struct {
	Group       iana.Group
	KeyExchange []byte
}

func (e *KeyShares) layout(c *wire.Codec) {
	wire.Vector16(c, "client_shares", &e.Shares, 0, 1<<16-1, func(c *wire.Codec, s *KeyShareEntry) {
		wire.Struct(c, "key_share_entry", func(c *wire.Codec) { s.layout(c, iana.Client) })
	})
}

func (s *KeyShareEntry) layout(c *wire.Codec, from iana.Side) {
	wire.Uint16(c, "group", &s.Group)
	parts, ok := hybridShares[s.Group]
	if !ok {
		wire.Opaque16(c, "key_exchange", &s.KeyExchange, 1, 1<<16-1)
		return
	}
	wire.Inner(c, "key_exchange", &s.KeyExchange, 1, 1<<16-1, func(c *wire.Codec) {
		for _, p := range parts[from] {
			wire.Fixed(c, p.name, make([]byte, p.len))
		}
	})
}

// sharePart is a part of a hybrid's share: its name, and its length in bytes.
type sharePart struct {
	name string
	len  int
}

// hybridShares are the parts of the shares of hybrids, by sender. Package kex checks them. See RFC
// 10024.
var hybridShares = map[iana.Group][2][]sharePart{
	iana.X25519MLKEM768: {
		{{"mlkem768_encapsulation_key", 1184}, {"x25519_public_key", 32}},
		{{"mlkem768_ciphertext", 1088}, {"x25519_public_key", 32}},
	},
	iana.SecP256r1MLKEM768: {
		{{"secp256r1_public_key", 65}, {"mlkem768_encapsulation_key", 1184}},
		{{"secp256r1_public_key", 65}, {"mlkem768_ciphertext", 1088}},
	},
	iana.SecP384r1MLKEM1024: {
		{{"secp384r1_public_key", 97}, {"mlkem1024_encapsulation_key", 1568}},
		{{"secp384r1_public_key", 97}, {"mlkem1024_ciphertext", 1568}},
	},
}

// KeyShare is the server's key_share in a ServerHello: its public key. See RFC 8446 §4.2.8.
type KeyShare struct{ KeyShareEntry }

func (e *KeyShare) layout(c *wire.Codec) { e.KeyShareEntry.layout(c, iana.Server) }

// SelectedGroup is the server's key_share in a HelloRetryRequest: the group for which it asks a
// share. See RFC 8446 §4.2.8.
type SelectedGroup struct{ Group iana.Group }

func (e *SelectedGroup) layout(c *wire.Codec) { wire.Uint16(c, "selected_group", &e.Group) }

// PSKKeyExchangeModes says how the client would use a pre-shared key: with (EC)DHE or without. See
// RFC 8446 §4.2.9.
type PSKKeyExchangeModes struct{ Modes []iana.PSKKeyExchangeMode }

func (e *PSKKeyExchangeModes) layout(c *wire.Codec) {
	wire.Vector8(c, "ke_modes", &e.Modes, 1, 255, func(c *wire.Codec, m *iana.PSKKeyExchangeMode) {
		wire.Uint8(c, "psk_key_exchange_mode", m)
	})
}

// OfferedPSKs is the client's pre_shared_key: the identities of the keys that it offers, such as
// tickets, and for each a proof that it knows the key. See RFC 8446 §4.2.11.
type OfferedPSKs struct {
	Identities []PSKIdentity
	Binders    [][]byte
}

// PSKIdentity is one identity of pre_shared_key.
type PSKIdentity struct {
	Identity            []byte
	ObfuscatedTicketAge uint32 // milliseconds, plus the ticket's age_add; 0 for external keys
}

func (e *OfferedPSKs) layout(c *wire.Codec) {
	wire.Vector16(c, "identities", &e.Identities, 7, 1<<16-1, func(c *wire.Codec, i *PSKIdentity) {
		wire.Struct(c, "psk_identity", func(c *wire.Codec) {
			wire.Opaque16(c, "identity", &i.Identity, 1, 1<<16-1)
			wire.Uint32(c, "obfuscated_ticket_age", &i.ObfuscatedTicketAge)
		})
	})
	wire.Vector16(c, "binders", &e.Binders, 33, 1<<16-1, func(c *wire.Codec, b *[]byte) {
		wire.Opaque8(c, "psk_binder_entry", b, 32, 255)
	})
}

// SelectedPSK is the server's pre_shared_key: the index of the identity that it selected, from 0.
// See RFC 8446 §4.2.11.
type SelectedPSK struct{ Identity uint16 }

func (e *SelectedPSK) layout(c *wire.Codec) { wire.Uint16(c, "selected_identity", &e.Identity) }

// Cookie is what a server that keeps no state asks the client to return in its second ClientHello.
// See RFC 8446 §4.2.2.
type Cookie struct{ Cookie []byte }

func (e *Cookie) layout(c *wire.Codec) { wire.Opaque16(c, "cookie", &e.Cookie, 1, 1<<16-1) }

// TransportParameters are QUIC's, in an encoding of its own. See RFC 9000 §18 and RFC 9001 §8.2.
type TransportParameters struct{ Parameters []byte }

func (e *TransportParameters) layout(c *wire.Codec) {
	wire.Rest(c, "transport_parameters", &e.Parameters)
}

// MaxEarlyData is how many bytes of early data a client may send with a ticket. See RFC 8446
// §4.2.10.
type MaxEarlyData struct{ Size uint32 }

func (e *MaxEarlyData) layout(c *wire.Codec) { wire.Uint32(c, "max_early_data_size", &e.Size) }

// OIDFilters lists extensions that a client's certificate must have, with their values. See RFC
// 8446 §4.2.5.
type OIDFilters struct{ Filters []OIDFilter }

// OIDFilter is one extension of a certificate.
type OIDFilter struct{ OID, Values []byte } // DER; no values means any

func (e *OIDFilters) layout(c *wire.Codec) {
	wire.Vector16(c, "filters", &e.Filters, 0, 1<<16-1, func(c *wire.Codec, f *OIDFilter) {
		wire.Opaque8(c, "certificate_extension_oid", &f.OID, 1, 255)
		wire.Opaque16(c, "certificate_extension_values", &f.Values, 0, 1<<16-1)
	})
}

// CertificateAuthorities names the authorities that the sender trusts. See RFC 8446 §4.2.4.
type CertificateAuthorities struct{ Authorities [][]byte } // DER distinguished names

func (e *CertificateAuthorities) layout(c *wire.Codec) {
	wire.Vector16(c, "authorities", &e.Authorities, 3, 1<<16-1, distinguishedName)
}

// DelegatedCredential is the server's delegated_credential, beside its certificate: a key that
// signs in place of the certificate's, for a few days. The certificate's key signs it. See RFC 9345
// §4.
type DelegatedCredential struct {
	ValidTime uint32               // seconds after the certificate's notBefore
	VerifyBy  iana.SignatureScheme // of CertificateVerify
	PublicKey []byte               // a DER SubjectPublicKeyInfo
	Algorithm iana.SignatureScheme // of Signature
	Signature []byte
}

func (e *DelegatedCredential) layout(c *wire.Codec) {
	wire.Struct(c, "cred", func(c *wire.Codec) {
		wire.Uint32(c, "valid_time", &e.ValidTime)
		wire.Uint16(c, "dc_cert_verify_algorithm", &e.VerifyBy)
		wire.Opaque24(c, "subject_public_key_info", &e.PublicKey, 1, 1<<24-1)
	})
	wire.Uint16(c, "algorithm", &e.Algorithm)
	wire.Opaque16(c, "signature", &e.Signature, 1, 1<<16-1)
}

// TicketRequest is the client's ticket_request: how many tickets it would like. See RFC 9149 §3.
type TicketRequest struct {
	New     uint8 // after a handshake that resumes nothing
	Resumed uint8 // after one that resumes
}

func (e *TicketRequest) layout(c *wire.Codec) {
	wire.Uint8(c, "new_session_count", &e.New)
	wire.Uint8(c, "resumption_count", &e.Resumed)
}

// ExpectedTickets is the server's ticket_request: how many tickets it will send. See RFC 9149 §3.
type ExpectedTickets struct{ Count uint8 }

func (e *ExpectedTickets) layout(c *wire.Codec) { wire.Uint8(c, "expected_count", &e.Count) }

// TrustAnchors identifies trusted authorities by short identifiers. See
// draft-ietf-tls-trust-anchor-ids-04, section 4.
type TrustAnchors struct{ IDs [][]byte } // each a relative object identifier

func (e *TrustAnchors) layout(c *wire.Codec) {
	wire.Vector16(c, "trust_anchors", &e.IDs, 0, 1<<16-1, func(c *wire.Codec, id *[]byte) {
		wire.Opaque8(c, "trust_anchor_id", id, 1, 255)
	})
}

// Padding makes a ClientHello longer, for middleboxes that fail on certain lengths. See RFC 7685
// §3.
type Padding struct{ Zeros []byte }

func (e *Padding) layout(c *wire.Codec) { wire.Rest(c, "padding", &e.Zeros) }

// CompressionAlgorithms lists how the receiver may compress its certificates. See RFC 8879 §3.
type CompressionAlgorithms struct {
	Algorithms []iana.CertificateCompressionAlgorithm
}

func (e *CompressionAlgorithms) layout(c *wire.Codec) {
	wire.Vector8(c, "algorithms", &e.Algorithms, 2, 254,
		func(c *wire.Codec, a *iana.CertificateCompressionAlgorithm) {
			wire.Uint16(c, "certificate_compression_algorithm", a)
		})
}

// ECH is the encrypted_client_hello of a ClientHello. Many clients send one that cannot be
// decrypted, so that those that need it do not stand out. See RFC 9849 §5.
type ECH struct {
	Type     uint8 // 0: outer; 1: inner, where the rest is absent
	KDF      uint16
	AEAD     uint16
	ConfigID uint8
	Enc      []byte // the encapsulated key; empty after a HelloRetryRequest
	Payload  []byte // the encrypted inner hello
}

func (e *ECH) layout(c *wire.Codec) {
	wire.Uint8(c, "ech_client_hello_type", &e.Type)
	if e.Type == 1 {
		return
	}
	wire.Uint16(c, "kdf_id", &e.KDF)
	wire.Uint16(c, "aead_id", &e.AEAD)
	wire.Uint8(c, "config_id", &e.ConfigID)
	wire.Opaque16(c, "enc", &e.Enc, 0, 1<<16-1)
	wire.Opaque16(c, "payload", &e.Payload, 1, 1<<16-1)
}

// ECHConfigs is the encrypted_client_hello of EncryptedExtensions: configurations for the next try,
// which servers send to a client whose payload they could not decrypt, and so to GREASE. See RFC
// 9849 §4 and §5.
type ECHConfigs struct{ List []ECHConfig }

// ECHConfig is one configuration, with its contents as on the wire.
type ECHConfig struct {
	Version  uint16
	Contents []byte
}

func (e *ECHConfigs) layout(c *wire.Codec) {
	wire.Vector16(c, "ech_config_list", &e.List, 4, 1<<16-1, func(c *wire.Codec, x *ECHConfig) {
		wire.Struct(c, "ech_config", func(c *wire.Codec) {
			wire.Uint16(c, "version", &x.Version)
			wire.Inner(c, "contents", &x.Contents, 1, 1<<16-1, func(c *wire.Codec) {
				echContents(c, x.Version)
			})
		})
	})
}

// echContents is the layout of the contents of a configuration, whose version is that of the
// extension. Those of other versions are not known.
func echContents(c *wire.Codec, version uint16) {
	if version != uint16(iana.ExtECH) {
		var contents []byte
		wire.Rest(c, "contents", &contents)
		return
	}
	var configID, maxName uint8
	var kem uint16
	var key, name []byte
	var suites [][2]uint16
	var extensions []Extension
	wire.Uint8(c, "config_id", &configID)
	wire.Uint16(c, "kem_id", &kem)
	wire.Opaque16(c, "public_key", &key, 1, 1<<16-1)
	wire.Vector16(c, "cipher_suites", &suites, 4, 1<<16-4, func(c *wire.Codec, x *[2]uint16) {
		wire.Uint16(c, "kdf_id", &x[0])
		wire.Uint16(c, "aead_id", &x[1])
	})
	wire.Uint8(c, "maximum_name_length", &maxName)
	wire.Text8(c, "public_name", &name, 1, 255)
	wire.Vector16(c, "extensions", &extensions, 0, 1<<16-1, func(c *wire.Codec, x *Extension) {
		wire.Uint16(c, "extension_type", &x.Type)
		wire.Opaque16(c, "extension_data", &x.Data, 0, 1<<16-1)
	})
}

// ECHConfirmation is the encrypted_client_hello of a HelloRetryRequest, which looks random to all
// but the client. See RFC 9849 §5.
type ECHConfirmation struct{ Confirmation [8]byte }

func (e *ECHConfirmation) layout(c *wire.Codec) {
	wire.Fixed(c, "confirmation", e.Confirmation[:])
}

// CertificateTypes is the client's client_certificate_type and server_certificate_type. See RFC
// 7250 §3.
type CertificateTypes struct{ Types []iana.CertificateType }

func (e *CertificateTypes) layout(c *wire.Codec) {
	wire.Vector8(c, "certificate_types", &e.Types, 1, 255,
		func(c *wire.Codec, t *iana.CertificateType) {
			wire.Uint8(c, "certificate_type", t)
		})
}

// SelectedCertificateType is the server's choice among CertificateTypes. See RFC 7250 §3.
type SelectedCertificateType struct{ Type iana.CertificateType }

func (e *SelectedCertificateType) layout(c *wire.Codec) {
	wire.Uint8(c, "certificate_type", &e.Type)
}

// Heartbeat says whether its sender accepts heartbeat requests. OpenSSL 1.0.1 and 1.0.2 send it by
// default. See RFC 6520 §2.
type Heartbeat struct{ Mode uint8 } // 1: peer_allowed_to_send; 2: peer_not_allowed_to_send

func (e *Heartbeat) layout(c *wire.Codec) { wire.Uint8(c, "mode", &e.Mode) }

// StatusRequestsV2 asks for the status of all certificates of a chain. See RFC 6961 §2.2.
type StatusRequestsV2 struct{ Requests []StatusRequestV2 }

// StatusRequestV2 is one of the acceptable forms of status; they come in order of preference.
type StatusRequestV2 struct {
	Type    iana.CertificateStatusType
	Request []byte // an OCSPStatusRequest
}

func (e *StatusRequestsV2) layout(c *wire.Codec) {
	wire.Vector16(c, "certificate_status_req_list", &e.Requests, 1, 1<<16-1,
		func(c *wire.Codec, r *StatusRequestV2) {
			wire.Uint8(c, "status_type", &r.Type)
			wire.Opaque16(c, "request", &r.Request, 0, 1<<16-1)
		})
}
