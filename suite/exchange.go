package suite

import "github.com/vitrine-tls/vitrine/iana"

// Questions about the key exchange and the authentication of a suite. Other packages ask these, and
// do not see the two columns: in TLS 1.3 both are empty, and the key exchange of a connection is
// negotiated independently of the suite.

// KeyExchange returns the key exchange and the authentication that the suite's name stands for. It
// is for code that negotiates parameters; other code calls the methods below or uses the negotiated
// parameters. In TLS 1.3 the suite names neither.
func (s *Suite) KeyExchange() (iana.KeyExchange, iana.Authentication) { return s.kex, s.auth }

// ExchangeName returns the key exchange with its authentication as suites name them, such as "RSA"
// or "ECDHE_RSA".
func (s *Suite) ExchangeName() string {
	if s.kex == iana.KexRSA || s.auth == iana.AuthPSK {
		return s.kex.String()
	}
	return s.kex.String() + "_" + s.auth.String()
}

// KeyExchangeName returns the key exchange as suites name it, such as "ECDHE"; in TLS 1.3 it is
// empty.
func (s *Suite) KeyExchangeName() string { return s.kex.String() }

// AuthenticationName returns the authentication as suites name it, such as "ECDSA"; in TLS 1.3 it
// is empty.
func (s *Suite) AuthenticationName() string { return s.auth.String() }

// Ephemeral reports whether the suite has both sides generate a key pair for each handshake, so
// that the server sends its public key in a ServerKeyExchange. See RFC 5246 §7.4.3.
func (s *Suite) Ephemeral() bool { return s.kex.Ephemeral() }

// FiniteField reports whether the suite's key exchange is ephemeral Diffie-Hellman over a finite
// field.
func (s *Suite) FiniteField() bool { return s.kex.FiniteField() }

// EllipticCurve reports whether the suite's key exchange is ephemeral Diffie-Hellman over an
// elliptic curve.
func (s *Suite) EllipticCurve() bool { return s.kex.EllipticCurve() }

// PreShared reports whether the suite needs a pre-shared key. See RFC 4279.
func (s *Suite) PreShared() bool { return s.kex.PreShared() }

// KeyTransport reports whether the client encrypts a secret for the server's RSA key. See RFC 5246
// §7.4.7.1 and RFC 4279 §4.
func (s *Suite) KeyTransport() bool { return s.kex == iana.KexRSA || s.kex == iana.KexRSAPSK }

// Certified reports whether the suite's server sends a certificate: it does not if the suite is
// anonymous, and with a pre-shared key only in RSA_PSK. It returns false for suites of TLS 1.3,
// which do not determine this.
func (s *Suite) Certified() bool { return s.ServerKey() != iana.AuthNone }

// ServerKey returns the kind of key that the certificate of the suite's server has, or AuthNone if
// the suite comes without one. See RFC 5246 §7.4.2, RFC 8422 §2 and RFC 4279 §4.
func (s *Suite) ServerKey() iana.Authentication {
	switch {
	case s.kex == iana.KexRSAPSK:
		return iana.AuthRSA
	case s.auth == iana.AuthPSK, s.auth == iana.AuthAnon:
		return iana.AuthNone
	}
	return s.auth
}

// TLS13 reports whether the suite is one of TLS 1.3.
func (s *Suite) TLS13() bool { return s.kex == iana.KexNone }

// With returns a copy of the suite with the key exchange k, for a suite of TLS 1.3, which does not
// name one.
func (s *Suite) With(k iana.KeyExchange) *Suite {
	row := *s
	row.kex = k
	return &row
}
