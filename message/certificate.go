package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Certificate carries a chain, the sender's own certificate first. A client that has none to show sends an empty list.
// See RFC 5246 §7.4.2 and §7.4.6.
type Certificate struct {
	Chain [][]byte // each a DER certificate
}

// Type is certificate.
func (*Certificate) Type() iana.HandshakeType { return iana.Certificate }

func (m *Certificate) layout(c *wire.Codec) {
	wire.Vector24(c, "certificate_list", &m.Chain, 0, 1<<24-1, func(c *wire.Codec, der *[]byte) {
		wire.Opaque24(c, "certificate", der, 1, 1<<24-1)
	})
}

// CertificateStatus carries the status of the server's certificate, stapled. See RFC 6066 §8.
type CertificateStatus struct {
	StatusType iana.CertificateStatusType
	Response   []byte // a DER OCSPResponse
}

// Type is certificate_status.
func (*CertificateStatus) Type() iana.HandshakeType { return iana.CertificateStatus }

func (m *CertificateStatus) layout(c *wire.Codec) {
	wire.Uint8(c, "status_type", &m.StatusType)
	wire.Opaque24(c, "response", &m.Response, 1, 1<<24-1)
}

// CertificateRequest asks the client for a certificate. See RFC 5246 §7.4.4.
type CertificateRequest struct {
	Types       []iana.ClientCertificateType
	Schemes     []iana.SignatureScheme // supported_signature_algorithms, since TLS 1.2
	Authorities [][]byte               // DER distinguished names; none means any

	dialect Dialect
}

// Type is certificate_request.
func (*CertificateRequest) Type() iana.HandshakeType { return iana.CertificateRequest }

func (m *CertificateRequest) layout(c *wire.Codec) {
	wire.Vector8(c, "certificate_types", &m.Types, 1, 255, func(c *wire.Codec, t *iana.ClientCertificateType) {
		wire.Uint8(c, "certificate_type", t)
	})
	if m.dialect.Version >= iana.TLS12 {
		wire.Uint16s(c, "supported_signature_algorithms", "signature_scheme", &m.Schemes, 2, 1<<16-2)
	}
	wire.Vector16(c, "certificate_authorities", &m.Authorities, 0, 1<<16-1, distinguishedName)
}

func distinguishedName(c *wire.Codec, dn *[]byte) {
	wire.Opaque16(c, "distinguished_name", dn, 1, 1<<16-1)
}

// CertificateVerify proves that the client holds the private key of its certificate, by a signature over all messages so
// far. See RFC 5246 §7.4.8.
type CertificateVerify struct {
	Scheme    iana.SignatureScheme // MD5_SHA1 below TLS 1.2, where the message names none
	Signature []byte

	dialect Dialect
}

// Type is certificate_verify.
func (*CertificateVerify) Type() iana.HandshakeType { return iana.CertificateVerify }

func (m *CertificateVerify) layout(c *wire.Codec) {
	signed(c, m.dialect, &m.Scheme, &m.Signature)
}

// signed is digitally-signed: the algorithm, since TLS 1.2, and the signature. See RFC 5246 §4.7.
func signed(c *wire.Codec, d Dialect, s *iana.SignatureScheme, signature *[]byte) {
	if d.Version >= iana.TLS12 {
		wire.Uint16(c, "algorithm", s)
	}
	wire.Opaque16(c, "signature", signature, 0, 1<<16-1)
}
