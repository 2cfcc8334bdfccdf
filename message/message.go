// Package message reads, writes and annotates the handshake messages of RFC 5246 §7.4 and RFC 8446
// §4 and the extensions of RFC 6066 and its successors. It makes no decisions: an error means that
// bytes are not such a message, or break a rule that can be checked without another message, and
// becomes decode_error.
//
// It covers SSL 3.0 to TLS 1.3 with RSA, ephemeral, static and anonymous Diffie-Hellman, and
// pre-shared keys. A message that exists in several versions is one type, and its Dialect chooses
// the layout. Explicit curves, which RFC 8422 §5.4 deprecates, are left out.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	dialect.go contents.go contents13.go extension.go   layouts by version; extensions
//	certificate.go client_hello.go hello2.go            the messages
//	server_hello.go server_key_exchange.go
//	client_key_exchange.go finished.go old.go
//	imported_identity.go tls13.go
//	message.go compressed_certificate.go                reading and writing any message
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package message

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// New returns an empty message of type t, or an error if a handshake of d's version has no such
// message.
func (d Dialect) New(t iana.HandshakeType) (Message, error) {
	switch t {
	case iana.ClientHello:
		return &ClientHello{}, nil
	case iana.ServerHello:
		return &ServerHello{}, nil
	case iana.Certificate:
		return &Certificate{dialect: d}, nil
	case iana.CertificateRequest:
		return &CertificateRequest{dialect: d}, nil
	case iana.CertificateVerify:
		return &CertificateVerify{dialect: d}, nil
	case iana.NewSessionTicket:
		return &NewSessionTicket{dialect: d}, nil
	case iana.Finished:
		return &Finished{dialect: d}, nil
	}
	of := d.new12
	if d.Version == iana.TLS13 {
		of = new13
	}
	if m := of(t); m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("got a message of type %v, which a handshake of %v does not have", t,
		d.Version)
}

// new12 returns an empty message of a type that no version after TLS 1.2 has, or nil.
func (d Dialect) new12(t iana.HandshakeType) Message {
	switch t {
	case iana.HelloRequest:
		return &HelloRequest{}
	case iana.CertificateStatus:
		return &CertificateStatus{}
	case iana.ServerKeyExchange:
		return &ServerKeyExchange{dialect: d}
	case iana.ServerHelloDone:
		return &ServerHelloDone{}
	case iana.ClientKeyExchange:
		return &ClientKeyExchange{dialect: d}
	case iana.NextProtocol:
		return &NextProtocol{}
	}
	return nil
}

// Parse reads a whole message with its header, or a ClientHello in the form of SSL 2.0, which has
// none: see IsHello2. Opaque fields are slices of raw.
func (d Dialect) Parse(raw []byte) (Message, error) {
	m, err := d.of(raw)
	if err != nil {
		return nil, err
	}
	if err := wire.Decode(raw, "", func(c *wire.Codec) { form(c, m, raw) }); err != nil {
		return nil, within(m.Type(), err)
	}
	return m, nil
}

// Annotate describes each byte of a message. The leaves tile raw, whatever it contains.
func (d Dialect) Annotate(raw []byte) []wire.Field {
	m, err := d.of(raw)
	if err != nil {
		return wire.Annotate(raw, "message", func(c *wire.Codec) { c.Failf("%v", err) })
	}
	return wire.Annotate(raw, m.Type().String(), func(c *wire.Codec) { form(c, m, raw) })
}

// form is the layout that raw has.
func form(c *wire.Codec, m Message, raw []byte) {
	if hello, ok := m.(*ClientHello); ok && IsHello2(raw) {
		hello.layout2(c)
		return
	}
	framed(c, m)
}

// Encode returns m with its header, in the layout of d.
func (d Dialect) Encode(m Message) ([]byte, error) {
	switch m := m.(type) {
	case *Certificate:
		m.dialect = d
	case *ServerKeyExchange:
		m.dialect = d
	case *NewSessionTicket:
		m.dialect = d
	case *Finished:
		m.dialect = d
	case *CertificateRequest:
		m.dialect = d
	case *ClientKeyExchange:
		m.dialect = d
	case *CertificateVerify:
		m.dialect = d
	}
	raw, err := wire.Encode("", func(c *wire.Codec) { framed(c, m) })
	return raw, within(m.Type(), err)
}

func (d Dialect) of(raw []byte) (Message, error) {
	if len(raw) < HeaderLen {
		return nil, fmt.Errorf("got %d bytes, expected a handshake header of %d", len(raw),
			HeaderLen)
	}
	return d.New(iana.HandshakeType(raw[0]))
}

// framed is the layout of a message with its header.
func framed(c *wire.Codec, m Message) {
	t := m.Type()
	wire.Uint8(c, "msg_type", &t)
	wire.Length24(c, "body", m.layout)
}
