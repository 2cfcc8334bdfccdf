package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
	"github.com/vitrine-tls/vitrine/wire"
)

// Compress returns a CompressedCertificate of m. pack compresses the body of m, or knows what comes
// of it.
func Compress(m *Certificate, a iana.CertificateCompressionAlgorithm,
	pack func(body []byte) ([]byte, error)) (*CompressedCertificate, error) {
	raw, err := Dialect{Version: iana.TLS13}.Encode(m)
	if err != nil {
		return nil, err
	}
	body := raw[HeaderLen:]
	packed, err := pack(body)
	if err != nil {
		return nil, err
	}
	n := len(body)
	return &CompressedCertificate{Algorithm: a, Data: packed, inside: m,
		Uncompressed: []byte{byte(n >> 16), byte(n >> 8), byte(n)}}, nil
}

// Length returns the uncompressed_length, in bytes.
func (m *CompressedCertificate) Length() (n int) {
	for _, b := range m.Uncompressed {
		n = n<<8 | int(b)
	}
	return n
}

// Expand returns the message inside. What it costs is bounded, whatever the peer claims. It returns
// an error if that is longer than 128 KiB, does not have the length in Uncompressed or is
// malformed. The message is expanded once.
func (m *CompressedCertificate) Expand() (*Certificate, error) {
	if m.inside != nil {
		return m.inside, nil
	}
	body, err := compress.Expand(m.Algorithm, m.Data, m.Length())
	if err != nil {
		return nil, err
	}
	inside := &Certificate{dialect: Dialect{Version: iana.TLS13}}
	if err := wire.Decode(body, "certificate", inside.layout); err != nil {
		return nil, err
	}
	m.inside = inside
	return inside, nil
}

// Certificate returns the message inside, or nil if Expand returns an error.
func (m *CompressedCertificate) Certificate() *Certificate {
	inside, err := m.Expand()
	if err != nil {
		return nil
	}
	return inside
}
