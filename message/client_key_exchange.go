package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ClientKeyExchange is the client's part of the key exchange: the pre_master_secret under the
// server's RSA key, or a public key. See RFC 5246 §7.4.7.
type ClientKeyExchange struct {
	EncryptedPreMaster []byte // RSA, §7.4.7.1
	DHPublic           []byte // DHE: g^y mod p, §7.4.7.2
	ECPublic           []byte // ECDHE: a point, or u-coordinate, RFC 8422 §5.7
	PSKIdentity        []byte // with a pre-shared key: which one, RFC 4279 §2

	dialect Dialect
}

// Type is client_key_exchange.
func (*ClientKeyExchange) Type() iana.HandshakeType { return iana.ClientKeyExchange }

func (m *ClientKeyExchange) layout(c *wire.Codec) {
	k := m.dialect.Kex
	if k.PreShared() {
		wire.Opaque16(c, "psk_identity", &m.PSKIdentity, 0, 1<<16-1)
	}
	switch {
	case k == iana.KexPSK:
	case k == iana.KexRSA && m.dialect.Version == iana.SSL30:
		// RFC 6101 §5.6.7 has no length here
		wire.Rest(c, "encrypted_pre_master_secret", &m.EncryptedPreMaster)
	case k == iana.KexRSA, k == iana.KexRSAPSK:
		wire.Opaque16(c, "encrypted_pre_master_secret", &m.EncryptedPreMaster, 1, 1<<16-1)
	case k == iana.KexDH, k == iana.KexECDH:
		m.static(c)
	case k.FiniteField():
		wire.Opaque16(c, "dh_Yc", &m.DHPublic, 1, 1<<16-1)
	case k.EllipticCurve():
		wire.Opaque8(c, "ecdh_Yc", &m.ECPublic, 1, 255)
	default:
		c.Failf("got a message whose layout in a key exchange by %v is not known", k)
	}
}

// static is the layout for a server key that is in its certificate. If the client's is in its own
// certificate, too, this message is empty. See RFC 5246 §7.4.7.2 and RFC 4492 §5.7.
func (m *ClientKeyExchange) static(c *wire.Codec) {
	switch {
	case !c.Tail(m.DHPublic != nil || m.ECPublic != nil):
	case m.dialect.Kex == iana.KexDH:
		wire.Opaque16(c, "dh_Yc", &m.DHPublic, 1, 1<<16-1)
	default:
		wire.Opaque8(c, "ecdh_Yc", &m.ECPublic, 1, 255)
	}
}
