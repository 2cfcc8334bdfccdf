package script

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// FillHello makes a ClientHello as long as it can be: 131,400 bytes with its header.
func FillHello(m *message.ClientHello) {
	m.SessionID = make([]byte, 32)
	m.CompressionMethods = make([]iana.CompressionMethod, 255)
	for len(m.CipherSuites) < 65534/2 {
		m.CipherSuites = append(m.CipherSuites, 0x0A0A)
	}
	room := 65535
	for _, x := range m.Extensions {
		room -= 4 + len(x.Data)
	}
	m.Extensions = append(m.Extensions, message.Extension{Type: 0x1A1A, Data: make([]byte, room-4)})
}
