package record

import (
	"crypto/rand"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// New returns a Protection for TLS 1.0 to 1.3. Its errors are internal_error: the caller chose
// algorithms or key lengths that do not go together. See RFC 5246 §6.2.3.
func New(c *Cipher, m *MAC, p Params) (Protection, error) {
	if p.Rand == nil {
		p.Rand = rand.Reader
	}
	macLen := 0
	if m != nil {
		macLen = m.Len
	}
	switch {
	case p.Version < iana.TLS10 || p.Version > iana.TLS13:
		return nil, alert.Fail(alert.InternalError, "", "got %v, expected TLS 1.0 to 1.3",
			p.Version)
	case c.AEAD() != (m == nil):
		return nil, alert.Fail(alert.InternalError, "RFC 5246 §6.2.3",
			"%s: a cipher takes a MAC unless it is an AEAD", c.Name)
	case p.EncryptThenMAC && !c.CBC():
		return nil, alert.Fail(alert.InternalError, "RFC 7366 §3",
			"got encrypt_then_mac with %s, expected a CBC cipher", c.Name)
	case len(p.Keys.MAC) != macLen || len(p.Keys.Key) != c.KeyLen ||
		len(p.Keys.IV) != c.IVLen(p.Version):
		return nil, alert.Fail(alert.InternalError, "RFC 5246 §6.3",
			"%s: got MAC key, key and IV of %d, %d and %d bytes, expected %d, %d and %d",
			c.Name, len(p.Keys.MAC), len(p.Keys.Key), len(p.Keys.IV), macLen, c.KeyLen,
			c.IVLen(p.Version))
	}
	switch {
	case p.Version == iana.TLS13 && c.AEAD():
		return newAEAD13(c, p)
	case p.Version == iana.TLS13:
		return nil, alert.Fail(alert.InternalError, "RFC 8446 §5.2",
			"got %s with TLS 1.3, expected an AEAD", c.Name)
	case c.AEAD():
		return newAEAD(c, p)
	case c.CBC():
		return newCBC(c, m, p)
	case c != NULL:
		return nil, alert.Fail(alert.InternalError, "",
			"%s can only be read: see NewReader", c.Name)
	}
	return newNull(c, m, p)
}
