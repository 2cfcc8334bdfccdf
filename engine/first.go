package engine

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// MaxFirst is how many bytes of a client's first message are worth waiting for without a handshake.
// Few hellos are longer.
const MaxFirst = 16 << 10

// First follows the records of a client's first message, so that a server needs no handshake, and
// what that costs, for a client that has not sent a whole hello. The zero value has seen nothing.
type First struct {
	at   int    // where the next record begins
	said int    // bytes of the message in the records before
	head uint32 // its first four bytes, as far as they have come: type and length
}

// More reports whether the message of which all has come, from the beginning of the connection,
// wants more bytes. It does not once the message is whole, or cannot be a ClientHello in records of
// TLS: what that means is the handshake's to say. See RFC 5246 §6.2.1 and §7.4.
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

// take takes the content of a record.
func (f *First) take(content []byte) {
	for i := 0; i < len(content) && f.said+i < message.HeaderLen; i++ {
		f.head = f.head<<8 | uint32(content[i])
	}
	f.said += len(content)
}

// whole reports whether the message is whole, or is none that a client begins with.
func (f *First) whole() bool {
	if f.said < message.HeaderLen {
		return false
	}
	n := message.HeaderLen + int(f.head&0xFFFFFF)
	return f.head>>24 != uint32(iana.ClientHello) || n > maxMessage || f.said >= n
}
