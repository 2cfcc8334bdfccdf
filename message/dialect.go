package message

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// HeaderLen is the length of a handshake header in bytes: one of type, three of length. See RFC
// 5246 §7.4.
const HeaderLen = 4

// Message is one of the messages of this package.
type Message interface {
	Type() iana.HandshakeType
	layout(*wire.Codec)
}

// Dialect is what must be known to read a message: some layouts depend on the version and the key
// exchange.
type Dialect struct {
	Version iana.Version
	Kex     iana.KeyExchange
	Auth    iana.Authentication // if anonymous, ServerKeyExchange has no signature

	// CertificateType is what the sender's Certificate carries. It was negotiated for each side:
	// see RFC 7250 §3.
	CertificateType iana.CertificateType
}

// Length returns the length of the message that begins with header, its HeaderLen bytes included.
// header must hold at least that many.
func Length(header []byte) int {
	return HeaderLen + int(header[1])<<16 + int(header[2])<<8 + int(header[3])
}

// within puts the name of what was read or written before the path of an error. Names are looked
// up, and most are never needed.
func within[T interface {
	iana.ExtensionType | iana.HandshakeType
	fmt.Stringer
}](name T, err error) error {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		e.Path = name.String() + e.Path
	}
	return err
}
