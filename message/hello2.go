package message

import (
	"encoding/binary"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// A ClientHello in the form of SSL 2.0, by which old clients offered SSL 3.0 or TLS. It has no
// handshake header. See RFC 5246 §E.2.

// Hello2HeaderLen is the length of the record header before a ClientHello in the form of SSL 2.0,
// in bytes. The transcript leaves it out.
const Hello2HeaderLen = 2

// hello2Min is the length of a hello without suites, session ID and challenge, in bytes.
const hello2Min = 9

// IsHello2 reports whether raw, which begins with the type, is a ClientHello in the form of SSL
// 2.0. Its version stands where other messages have their length, which would be longer than any.
func IsHello2(raw []byte) bool {
	return len(raw) >= hello2Min && raw[0] == byte(iana.ClientHello) && raw[1] == 3 &&
		Length(raw) != len(raw)
}

// Hello2Length returns the length of the record that b begins with, its header included, if it
// looks like a ClientHello in the form of SSL 2.0. See RFC 5246 §E.2.
func Hello2Length(b []byte) (n int, ok bool) {
	const head = Hello2HeaderLen + hello2Min
	if len(b) < head || b[0]&0x80 == 0 || b[2] != byte(iana.ClientHello) || b[3] != 3 {
		return 0, false
	}
	number := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	n = number(0) & 0x7FFF
	return Hello2HeaderLen + n, n == hello2Min+number(5)+number(7)+number(9)
}

// layout2 is the layout of the form of SSL 2.0, which is only read. The challenge becomes the
// random, with zeros before it if it is shorter. Suites of SSL 2.0 itself are skipped.
func (m *ClientHello) layout2(c *wire.Codec) {
	var typ iana.HandshakeType
	var suites, id, challenge uint16
	wire.Uint8(c, "msg_type", &typ)
	wire.Uint16(c, "version", &m.Version)
	wire.Uint16(c, "cipher_spec_length", &suites)
	if suites%3 != 0 {
		c.Failf("got %d bytes of cipher_specs, expected a multiple of 3", suites)
	}
	wire.Uint16(c, "session_id_length", &id)
	if id > 32 {
		c.Failf("got a session_id of %d bytes, expected at most 32", id)
	}
	wire.Uint16(c, "challenge_length", &challenge)
	if challenge > 32 {
		c.Failf("got a challenge of %d bytes, expected at most 32", challenge)
	}
	for ; suites > 0 && c.More(); suites -= 3 {
		var spec [3]byte
		wire.Fixed(c, "cipher_spec", spec[:])
		if spec[0] == 0 {
			m.CipherSuites = append(m.CipherSuites,
				iana.CipherSuite(binary.BigEndian.Uint16(spec[1:])))
		}
	}
	m.SessionID = make([]byte, min(id, 32))
	wire.Fixed(c, "session_id", m.SessionID)
	wire.Fixed(c, "challenge", m.Random[32-min(challenge, 32):])
	m.CompressionMethods = slices.Clone(hello2Compression)
}

var hello2Compression = []iana.CompressionMethod{iana.CompressionNull}
