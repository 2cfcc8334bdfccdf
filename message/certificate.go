package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Certificate carries a chain, the sender's own certificate first. A client without a suitable one
// sends an empty list. In TLS 1.3 each certificate has extensions. If raw public keys were
// negotiated, it carries at most one key in place of the chain. See RFC 5246 §7.4.2 and §7.4.6, RFC
// 7250 §3 and RFC 8446 §4.4.2.
type Certificate struct {
	Context    []byte       // TLS 1.3: of the CertificateRequest that it answers
	Chain      [][]byte     // each a DER certificate, or one DER SubjectPublicKeyInfo
	Extensions []Extensions // TLS 1.3: of each certificate; may be shorter than Chain

	dialect Dialect
}

// Type is certificate.
func (*Certificate) Type() iana.HandshakeType { return iana.Certificate }

func (m *Certificate) layout(c *wire.Codec) {
	if m.dialect.Version == iana.TLS13 {
		m.layout13(c)
		return
	}
	if m.dialect.CertificateType == iana.RawPublicKey {
		m.layoutRawKey(c)
		return
	}
	wire.Vector24(c, "certificate_list", &m.Chain, 0, 1<<24-1, func(c *wire.Codec, der *[]byte) {
		wire.Opaque24(c, "certificate", der, 1, 1<<24-1)
	})
}

// rawKeyName is the field of a raw public key.
const rawKeyName = "subject_public_key_info"

// layoutRawKey is a raw public key until TLS 1.2. RFC 7250 §3 does not say how a client has none:
// with a length of 0, which is also how an empty certificate_list begins.
func (m *Certificate) layoutRawKey(c *wire.Codec) {
	var spki []byte
	if len(m.Chain) > 0 {
		spki = m.Chain[0]
	}
	wire.Opaque24(c, rawKeyName, &spki, 0, 1<<24-1)
	if c.Reading() && len(spki) > 0 {
		m.Chain = [][]byte{spki}
	}
}

// certificateEntry is one certificate with its extensions, such as a stapled status.
type certificateEntry struct {
	der        []byte
	extensions Extensions
}

func (m *Certificate) layout13(c *wire.Codec) {
	var entries []certificateEntry
	for i, der := range m.Chain {
		e := certificateEntry{der: der}
		if i < len(m.Extensions) {
			e.extensions = m.Extensions[i]
		}
		entries = append(entries, e)
	}
	raw, data := m.dialect.CertificateType == iana.RawPublicKey, "cert_data"
	if raw {
		data = rawKeyName
	}
	wire.Opaque8(c, "certificate_request_context", &m.Context, 0, 255)
	wire.Vector24(c, "certificate_list", &entries, 0, 1<<24-1,
		func(c *wire.Codec, e *certificateEntry) {
			wire.Struct(c, "certificate_entry", func(c *wire.Codec) {
				wire.Opaque24(c, data, &e.der, 1, 1<<24-1)
				e.extensions.layout(c, InCertificate)
			})
		})
	if !c.Reading() {
		return
	}
	if raw && len(entries) > 1 {
		c.Failf("got %d raw public keys, expected at most one (RFC 8446 §4.4.2)", len(entries))
	}
	m.Chain, m.Extensions = make([][]byte, len(entries)), make([]Extensions, len(entries))
	for i, e := range entries {
		m.Chain[i], m.Extensions[i] = e.der, e.extensions
	}
}

// Leaf returns the extensions of the sender's own certificate in TLS 1.3, where a stapled status
// and timestamps are.
func (m *Certificate) Leaf() Extensions {
	if len(m.Extensions) == 0 {
		return nil
	}
	return m.Extensions[0]
}

// CertificateRequest asks the client for a certificate. In TLS 1.3 its content is in extensions;
// reading it fills Schemes, CertSchemes and Authorities from them. See RFC 5246 §7.4.4 and RFC 8446
// §4.3.2.
type CertificateRequest struct {
	Context     []byte                       // TLS 1.3: empty in a handshake
	Types       []iana.ClientCertificateType // up to TLS 1.2
	Schemes     []iana.SignatureScheme       // supported_signature_algorithms, from TLS 1.2 on
	CertSchemes []iana.SignatureScheme       // TLS 1.3: signature_algorithms_cert
	Authorities [][]byte                     // DER distinguished names; none means any
	Extensions  Extensions                   // TLS 1.3

	dialect Dialect
}

// Type is certificate_request.
func (*CertificateRequest) Type() iana.HandshakeType { return iana.CertificateRequest }

func (m *CertificateRequest) layout(c *wire.Codec) {
	if m.dialect.Version == iana.TLS13 {
		m.layout13(c)
		return
	}
	wire.Vector8(c, "certificate_types", &m.Types, 1, 255,
		func(c *wire.Codec, t *iana.ClientCertificateType) {
			wire.Uint8(c, "certificate_type", t)
		})
	if m.dialect.Version >= iana.TLS12 {
		wire.Uint16s(c, "supported_signature_algorithms", "signature_scheme", &m.Schemes, 2,
			1<<16-2)
	}
	wire.Vector16(c, "certificate_authorities", &m.Authorities, 0, 1<<16-1, distinguishedName)
}

func (m *CertificateRequest) layout13(c *wire.Codec) {
	wire.Opaque8(c, "certificate_request_context", &m.Context, 0, 255)
	m.Extensions.layout(c, InCertificateRequest)
	if !c.Reading() {
		return
	}
	var schemes, certSchemes SignatureSchemes
	var authorities CertificateAuthorities
	for _, x := range []struct {
		typ  iana.ExtensionType
		into Content
	}{
		{iana.ExtSignatureAlgorithms, &schemes},
		{iana.ExtSignatureAlgorithmsCert, &certSchemes},
		{iana.ExtCertificateAuthorities, &authorities},
	} {
		if _, err := m.Extensions.Read(x.typ, x.into); err != nil {
			c.Failf("%v", err)
		}
	}
	m.Schemes, m.CertSchemes, m.Authorities = schemes.Schemes, certSchemes.Schemes,
		authorities.Authorities
}

// CertificateVerify proves that its sender holds the private key of its certificate, by a signature
// over the transcript. In TLS 1.3 servers send one too. See RFC 5246 §7.4.8 and RFC 8446 §4.4.3.
type CertificateVerify struct {
	Scheme    iana.SignatureScheme // not on the wire before TLS 1.2
	Signature []byte

	dialect Dialect
}

// Type is certificate_verify.
func (*CertificateVerify) Type() iana.HandshakeType { return iana.CertificateVerify }

func (m *CertificateVerify) layout(c *wire.Codec) {
	signed(c, m.dialect, &m.Scheme, &m.Signature)
}

// signed is digitally-signed: the algorithm, from TLS 1.2 on, and the signature. See RFC 5246 §4.7.
func signed(c *wire.Codec, d Dialect, s *iana.SignatureScheme, signature *[]byte) {
	if d.Version >= iana.TLS12 {
		wire.Uint16(c, "algorithm", s)
	}
	wire.Opaque16(c, "signature", signature, 0, 1<<16-1)
}
