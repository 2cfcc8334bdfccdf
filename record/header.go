package record

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// The sizes of a record, in bytes. See RFC 5246 §6.2.
const (
	HeaderLen     = 5
	MaxPlaintext  = 1 << 14             // TLSPlaintext.length
	MaxCiphertext = MaxPlaintext + 2048 // TLSCiphertext.length
)

// Header is what precedes a record's fragment. It is never encrypted. See RFC 5246 §6.2.1.
type Header struct {
	Type    iana.ContentType
	Version iana.Version
	Length  int // of the fragment that follows
}

// ParseHeader reads the first HeaderLen bytes of b. A type that no TLS 1.2 record has is
// unexpected_message, a major version other than 3 is protocol_version, and a fragment longer than
// MaxCiphertext is record_overflow. After any of these errors the stream cannot be read further.
// See RFC 5246 §6.2.1.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{},
			alert.Fail(alert.InternalError, "", "got %d bytes of a record header, expected %d",
				len(b), HeaderLen)
	}
	h := Header{
		Type:    iana.ContentType(b[0]),
		Version: iana.Version(binary.BigEndian.Uint16(b[1:])),
		Length:  int(binary.BigEndian.Uint16(b[3:])),
	}
	switch {
	case h.Type < iana.RecordChangeCipherSpec || h.Type > iana.RecordApplicationData:
		return h, alert.KindNotTLS.Fail(alert.UnexpectedMessage, "RFC 5246 §6, RFC 8446 §5",
			"got a record of type %v, expected %v to %v",
			h.Type, iana.RecordChangeCipherSpec, iana.RecordApplicationData)
	case h.Version>>8 != 3:
		return h, alert.KindNotTLS.Fail(alert.ProtocolVersion, "RFC 5246 §6.2.1, RFC 8446 §5.1",
			"got a record of version %v, expected major version 3", h.Version)
	case h.Length > MaxCiphertext:
		return h, alert.KindLength.Fail(alert.RecordOverflow, "RFC 5246 §6.2.3, RFC 8446 §5.2",
			"got a record of %d bytes, expected at most %d", h.Length, MaxCiphertext)
	}
	return h, nil
}

// KnownVersion reports whether h has a version from SSL 3.0 to TLS 1.3. It need not be that of the
// connection. See RFC 8446 §5.1.
func (h Header) KnownVersion() bool { return h.Version>>8 == 3 && h.Version <= iana.TLS13 }

// HidesType reports whether h can be that of a protected record of TLS 1.3, which says nothing of
// what is in it. See RFC 8446 §5.2.
func (h Header) HidesType() bool {
	return h.Type == iana.RecordApplicationData && h.Version == iana.TLS12
}

// put writes the header of a fragment of n bytes into the first HeaderLen bytes of b.
func (h Header) put(b []byte, n int) {
	b[0] = byte(h.Type)
	binary.BigEndian.PutUint16(b[1:], uint16(h.Version))
	binary.BigEndian.PutUint16(b[3:], uint16(n))
}

// prefix is what a MAC or an AEAD authenticates before a record's content: seq_num, type, version
// and a length, which is not always the header's. See RFC 5246 §6.2.3.1, and §6.2.3.3 for
// additional_data.
type prefix [8 + HeaderLen]byte

func (p *prefix) put(seq uint64, h Header, n int) []byte {
	binary.BigEndian.PutUint64(p[:], seq)
	h.put(p[8:], n)
	return p[:]
}
