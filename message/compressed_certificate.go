package message

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// CompressedCertificate is a compressed Certificate of TLS 1.3. See RFC 8879 §4.
type CompressedCertificate struct {
	Algorithm    iana.CertificateCompressionAlgorithm
	Uncompressed []byte // uncompressed_length, 3 bytes, big-endian
	Data         []byte
}

// Type is compressed_certificate.
func (*CompressedCertificate) Type() iana.HandshakeType { return iana.CompressedCertificate }

func (m *CompressedCertificate) layout(c *wire.Codec) {
	wire.Uint16(c, "algorithm", &m.Algorithm)
	if m.Uncompressed == nil {
		m.Uncompressed = make([]byte, 3)
	}
	wire.Fixed(c, "uncompressed_length", m.Uncompressed)
	wire.Opaque24(c, "compressed_certificate_message", &m.Data, 1, 1<<24-1)
}

// maxInflated bounds the length of a decompressed certificate message, in bytes. It holds whatever
// length the peer claims.
const maxInflated = 128 << 10

// Certificate returns the message inside. It returns nil if that is not in zlib's format, the only
// one in the standard library, is longer than 128 KiB, does not have the length in Uncompressed or
// is malformed.
func (m *CompressedCertificate) Certificate() *Certificate {
	const zlibFormat = 1
	if m.Algorithm != zlibFormat {
		return nil
	}
	length := 0
	for _, b := range m.Uncompressed {
		length = length<<8 | int(b)
	}
	if length > maxInflated {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(m.Data))
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(z, int64(length)+1))
	if err != nil || len(body) != length {
		return nil
	}
	inside := &Certificate{dialect: Dialect{Version: iana.TLS13}}
	if wire.Decode(body, "certificate", inside.layout) != nil {
		return nil
	}
	return inside
}
