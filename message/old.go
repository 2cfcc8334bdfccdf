package message

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// The messages of this file are met in captures, and nobody here says them.

// Finished30 is Finished in SSL 3.0: an MD5 and a SHA-1 hash. See RFC 6101 §5.6.9.
type Finished30 struct{ VerifyData [36]byte }

// Type is finished.
func (*Finished30) Type() iana.HandshakeType { return iana.Finished }

func (m *Finished30) layout(c *wire.Codec) { wire.Fixed(c, "hashes", m.VerifyData[:]) }

// NextProtocol is the client's choice in next_protocol_negotiation, ALPN's forerunner: draft-agl-tls-nextprotoneg-04. It comes under
// protection, before Finished.
type NextProtocol struct{ Selected, Padding []byte }

// Type is next_protocol.
func (*NextProtocol) Type() iana.HandshakeType { return iana.NextProtocol }

func (m *NextProtocol) layout(c *wire.Codec) {
	wire.Text8(c, "selected_protocol", &m.Selected, 0, 255)
	wire.Opaque8(c, "padding", &m.Padding, 0, 255)
}

// CompressedCertificate is a Certificate of TLS 1.3 in less space. See RFC 8879 §4.
type CompressedCertificate struct {
	Algorithm    iana.CertificateCompressionAlgorithm
	Uncompressed []byte // its length, 3 bytes
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

// maxInflated bounds what a certificate may become.
const maxInflated = 1 << 20

// Chain is the certificates inside; nil where they are not in zlib's format, which is the only one that the standard library has.
func (m *CompressedCertificate) Chain() [][]byte {
	const zlibFormat = 1
	if m.Algorithm != zlibFormat {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(m.Data))
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(z, maxInflated))
	if err != nil {
		return nil
	}
	var inside Certificate13
	if wire.Decode(body, "certificate", inside.layout) != nil {
		return nil
	}
	return inside.Chain()
}

// ParseHello2 reads a ClientHello in the form of SSL 2.0, by which a client of twenty years ago asked for SSL 3.0 or TLS: raw begins
// with msg_type. The challenge is the random, at its end. See RFC 5246 appendix E.2.
func ParseHello2(raw []byte) (*ClientHello, error) {
	var typ iana.HandshakeType
	m := &ClientHello{CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	var suites, id, challenge uint16
	err := wire.Decode(raw, "client_hello", func(c *wire.Codec) {
		wire.Uint8(c, "msg_type", &typ)
		wire.Uint16(c, "version", &m.Version)
		wire.Uint16(c, "cipher_spec_length", &suites)
		wire.Uint16(c, "session_id_length", &id)
		wire.Uint16(c, "challenge_length", &challenge)
		var rest []byte
		wire.Rest(c, "rest", &rest)
		if typ != iana.ClientHello || suites%3 != 0 || len(rest) != int(suites)+int(id)+int(challenge) || challenge > 32 || id > 32 {
			c.Failf("got %d bytes for cipher_specs of %d, a session_id of %d and a challenge of %d", len(rest), suites, id, challenge)
			return
		}
		for ; suites > 0; suites -= 3 {
			if rest[0] == 0 { // the others are suites of SSL 2.0
				m.CipherSuites = append(m.CipherSuites, iana.CipherSuite(rest[1])<<8|iana.CipherSuite(rest[2]))
			}
			rest = rest[3:]
		}
		m.SessionID = rest[:id]
		copy(m.Random[32-challenge:], rest[id:])
	})
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return m, nil
}

// old gives an empty message of this file, or nil.
func (d Dialect) old(t iana.HandshakeType) Message {
	switch {
	case t == iana.Finished && d.Version == iana.SSL30:
		return &Finished30{}
	case t == iana.NextProtocol && d.Version < iana.TLS13:
		return &NextProtocol{}
	case t == iana.CompressedCertificate && d.Version == iana.TLS13:
		return &CompressedCertificate{}
	}
	return nil
}
