package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// What a figure is made of.

// Kind is the type of a line: that of a handshake message, or ChangeCipherSpec, which is not a
// handshake message but appears in the figures.
type Kind uint16

// ChangeCipherSpec has a value outside the range of handshake types. See RFC 5246 §7.1.
const ChangeCipherSpec Kind = 0x100

// HelloRetryRequest is a ServerHello whose random marks it as another message. See RFC 8446 §4.1.3.
const HelloRetryRequest Kind = 0x102

func (k Kind) String() string {
	switch k {
	case ChangeCipherSpec:
		return "change_cipher_spec"
	case HelloRetryRequest:
		return "hello_retry_request"
	}
	return iana.HandshakeType(k).String()
}

// KindOf returns the Kind of a whole handshake message.
func KindOf(raw []byte) Kind {
	if message.IsHelloRetryRequest(raw) {
		return HelloRetryRequest
	}
	if raw[0] == byte(iana.CompressedCertificate) {
		return Kind(iana.Certificate) // RFC 8879 §4: it comes where a Certificate would
	}
	return Kind(raw[0])
}

// Presence is whether a message is sent at this point of a figure.
type Presence uint8

// The values of Presence.
const (
	Never Presence = iota
	May
	Must
)

func must(b bool) Presence {
	if b {
		return Must
	}
	return Never
}

func mayIf(b bool) Presence {
	if b {
		return May
	}
	return Never
}

func always(*Score) Presence { return Must }
