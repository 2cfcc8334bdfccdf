package engine

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// MaxFirst is the number of bytes of a client's first message that are collected before a handshake
// is created. Few ClientHellos are longer.
const MaxFirst = 64 << 10

// First follows the records of a client's first message, so that a server creates no handshake for
// a client that has sent nothing, or part of a ClientHello. The zero value is ready to use.
type First struct {
	at       int    // where the next record begins
	received int    // bytes of the message in the records before
	head     uint32 // its first four bytes, as far as they have come: type and length
}

// More reports whether the client's first message needs more bytes; all contains everything
// received since the connection began. It returns false once the message is whole, or if it cannot
// be a ClientHello in records of TLS, which the handshake then reports. See RFC 5246 §6.2.1 and
// §7.4.
func (f *First) More(all []byte) bool {
	for len(all) < MaxFirst {
		rest := all[f.at:]
		if len(rest) < record.HeaderLen {
			return true
		}
		n := int(binary.BigEndian.Uint16(rest[3:]))
		if rest[0] != byte(iana.RecordHandshake) || rest[1] != 3 || n == 0 ||
			n > record.MaxPlaintext {
			return false
		}
		if len(rest) < record.HeaderLen+n {
			return true
		}
		f.take(rest[record.HeaderLen:][:n])
		if f.whole() {
			return false
		}
		f.at += record.HeaderLen + n
	}
	return false
}

// take processes the content of a record.
func (f *First) take(content []byte) {
	for i := 0; i < len(content) && f.received+i < message.HeaderLen; i++ {
		f.head = f.head<<8 | uint32(content[i])
	}
	f.received += len(content)
}

// whole reports whether the message is whole, or cannot be the first message of a client.
func (f *First) whole() bool {
	if f.received < message.HeaderLen {
		return false
	}
	n := message.HeaderLen + int(f.head&0xFFFFFF)
	return f.head>>24 != uint32(iana.ClientHello) || n > maxMessage || f.received >= n
}
