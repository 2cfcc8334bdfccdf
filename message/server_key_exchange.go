package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ServerKeyExchange carries the server's ephemeral public key and, if the server has a certificate,
// its signature over both randoms and these parameters. See RFC 5246 §7.4.3 and RFC 8422 §5.4.
type ServerKeyExchange struct {
	// ServerDHParams or ServerECDHParams as sent: what the signature covers besides the randoms
	Params []byte

	P, G, DHPublic []byte // finite field: the prime, the generator, g^x mod p; big-endian

	CurveType iana.ECCurveType // elliptic curve
	Group     iana.Group
	ECPublic  []byte // a point, or u-coordinate

	// with a pre-shared key: a help to choose it, before the rest, RFC 4279 §2
	PSKIdentityHint []byte

	Scheme    iana.SignatureScheme // of a server with a certificate
	Signature []byte

	dialect Dialect
}

// Type is server_key_exchange.
func (*ServerKeyExchange) Type() iana.HandshakeType { return iana.ServerKeyExchange }

func (m *ServerKeyExchange) layout(c *wire.Codec) {
	wire.Span(c, &m.Params, m.params)
	if m.dialect.Kex.PreShared() || m.dialect.Auth == iana.AuthAnon {
		return // RFC 4279 §3: not signed; the key itself is the proof, or there is none
	}
	signed(c, m.dialect, &m.Scheme, &m.Signature)
}

func (m *ServerKeyExchange) params(c *wire.Codec) {
	k := m.dialect.Kex
	if k.PreShared() {
		wire.Opaque16(c, "psk_identity_hint", &m.PSKIdentityHint, 0, 1<<16-1)
	}
	switch {
	case k == iana.KexPSK, k == iana.KexRSAPSK:
	case k.FiniteField():
		wire.Struct(c, "params", m.dhParams)
	case k.EllipticCurve():
		wire.Struct(c, "params", m.ecdhParams)
	default:
		c.Failf("got a message that a key exchange by %v does not have", k)
	}
}

func (m *ServerKeyExchange) dhParams(c *wire.Codec) {
	wire.Opaque16(c, "dh_p", &m.P, 1, 1<<16-1)
	wire.Opaque16(c, "dh_g", &m.G, 1, 1<<16-1)
	wire.Opaque16(c, "dh_Ys", &m.DHPublic, 1, 1<<16-1)
}

func (m *ServerKeyExchange) ecdhParams(c *wire.Codec) {
	wire.Uint8(c, "curve_type", &m.CurveType)
	if m.CurveType != iana.NamedCurve {
		// RFC 8422 §5.4 deprecates curves that the peer describes itself: it could describe a weak
		// one.
		c.Failf("got a curve_type of %v, expected %v", m.CurveType, iana.NamedCurve)
	}
	wire.Uint16(c, "namedcurve", &m.Group)
	wire.Opaque8(c, "public", &m.ECPublic, 1, 255)
}

// EncodeParams writes Params from the other fields: they must be signed before the message can be
// written whole.
func (m *ServerKeyExchange) EncodeParams(d Dialect) (err error) {
	m.dialect = d
	m.Params, err = wire.Encode(nil, "server_key_exchange", m.params)
	return err
}
