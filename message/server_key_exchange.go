package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ServerKeyExchange carries the server's ephemeral public key, or its hint for a pre-shared key,
// and unless the server is anonymous or the key pre-shared a signature over both randoms and these
// parameters. See RFC 5246 §7.4.3, RFC 8422 §5.4 and RFC 4279 §2.
type ServerKeyExchange struct {
	Params []byte // all but scheme and signature, as on the wire: signed after the randoms

	P, G, DHPublic []byte // finite field: the prime, the generator, g^x mod p; big-endian

	CurveType iana.ECCurveType // elliptic curve
	Group     iana.Group
	ECPublic  []byte // a point, or u-coordinate

	PSKIdentityHint []byte // with a pre-shared key: helps to choose it, RFC 4279 §2

	Scheme    iana.SignatureScheme // not on the wire before TLS 1.2
	Signature []byte

	dialect Dialect
}

// Type is server_key_exchange.
func (*ServerKeyExchange) Type() iana.HandshakeType { return iana.ServerKeyExchange }

func (m *ServerKeyExchange) layout(c *wire.Codec) {
	wire.Span(c, &m.Params, m.params)
	if m.dialect.Kex.PreShared() || m.dialect.Auth == iana.AuthAnon {
		return // not signed: RFC 4279 §3, and RFC 5246 §7.4.3 for anonymous servers
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
		// RFC 8422 §5.4 deprecates explicit curves: a peer could describe a weak one.
		c.Failf("got a curve_type of %v, expected %v", m.CurveType, iana.NamedCurve)
	}
	wire.Uint16(c, "namedcurve", &m.Group)
	wire.Opaque8(c, "public", &m.ECPublic, 1, 255)
}

// EncodeParams sets Params from the other fields, since they must be signed before the message can
// be encoded.
func (m *ServerKeyExchange) EncodeParams(d Dialect) (err error) {
	m.dialect = d
	m.Params, err = wire.Encode("server_key_exchange", m.params)
	return err
}
