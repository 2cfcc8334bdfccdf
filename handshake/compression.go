package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// Compressed certificates: RFC 8879. Each side lists the algorithms that it can decompress, a
// client in its hello and a server in its CertificateRequest. The other may then send a
// CompressedCertificate in place of a Certificate.

// KindOf returns the Kind of a whole handshake message. A CompressedCertificate counts as a
// Certificate only if we offered compression.
func (m *Machine) KindOf(raw []byte) Kind {
	k := KindOf(raw)
	if p, ok := m.player.(interface{ expands() bool }); ok && k != Kind(raw[0]) &&
		k == Kind(iana.Certificate) &&
		!(m.protocol != nil && m.protocol.compresses && p.expands()) {
		return Kind(raw[0])
	}
	return k
}

func (l *live) expands() bool { return len(l.CertificateCompression) > 0 }

// expand returns the Certificate inside. See RFC 8879 §4.
func (l *live) expand(from iana.Side, m *message.CompressedCertificate) (*message.Certificate,
	error) {
	const ref = "RFC 8879 §4"
	if !slices.Contains(l.CertificateCompression, m.Algorithm) {
		return nil, alert.KindCertificateCompression.Fail(alert.IllegalParameter, ref,
			"the %v's certificate is compressed with %v, we accept %v", from, m.Algorithm,
			l.CertificateCompression)
	}
	inside, err := m.Expand()
	if err != nil {
		return nil, alert.KindCertificateCompression.Fail(alert.BadCertificate, ref,
			"the %v's compressed certificate cannot be expanded: %w", from, err)
	}
	return inside, nil
}

// compressed returns m compressed with our first algorithm that the peer's message e accepts, or m
// itself if there is none, or if it would not be shorter.
func (l *live) compressed(m *message.Certificate, e message.Extensions,
	c *pki.Credential) (message.Message, error) {
	if len(l.CertificateCompression) == 0 || len(m.Chain) == 0 {
		return m, nil
	}
	var theirs message.CompressionAlgorithms
	if _, err := negotiation.Read(e, iana.ExtCompressCertificate, &theirs); err != nil {
		return nil, err
	}
	shared := negotiation.Common(l.CertificateCompression, theirs.Algorithms)
	if len(shared) == 0 {
		return m, nil
	}
	a := shared[0]
	packed, err := message.Compress(m, a, func(body []byte) ([]byte, error) {
		return c.Packed(uint16(a), body,
			func() ([]byte, error) { return compress.Pack(a, body) })
	})
	if err != nil || len(packed.Data) >= packed.Length() {
		return m, err
	}
	return packed, nil
}
