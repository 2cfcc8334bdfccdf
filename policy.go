package vitrine

import (
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// Policy is a named, dated set of defaults that never changes: a new judgement is a new Policy.
type Policy struct {
	name, date, purpose string

	allows              func(*suite.Suite) bool
	groups              []iana.Group
	schemes             []iana.SignatureScheme
	minDHBits           int
	minVersion          iana.Version
	secureRenegotiation handshake.Demand
	legacyChains        bool // accept certificates signed with SHA-1 and SHA-224
	laxKeyUsage         bool // see Modern

	once   sync.Once
	suites []iana.CipherSuite
}

// The policies. No policy turns NULL encryption on: that takes its name in Config.CipherSuites.
var (
	// Modern is what a new program should use: forward secrecy and an AEAD, always. It is also
	// strict about a server certificate's KeyUsage: an RSA key signs only with digitalSignature and
	// decrypts only with keyEncipherment. The others take either for both, as crypto/tls, curl and
	// OpenSSL do.
	Modern = &Policy{
		name: "modern", date: "2026-11-23",
		purpose: "forward secrecy and authenticated encryption, nothing deprecated",
		allows:  func(s *suite.Suite) bool { return s.Kex.EllipticCurve() && s.Cipher.AEAD() && s.Cipher.TagLen == 16 },
		groups:  curves,
		schemes: schemes, minDHBits: 2048, minVersion: iana.TLS12, secureRenegotiation: Required,
	}

	// Compatible also reaches peers that know only RSA or finite-field key exchange, or only CBC.
	// Both are deprecated: RFC 10015.
	Compatible = &Policy{
		name: "compatible", date: "2026-11-26",
		purpose: "also RSA and finite-field key exchange and CBC, for peers that have " +
			"nothing better",
		allows: func(s *suite.Suite) bool { return s.Cipher != record.NULL && s.Cipher != record.DES_EDE3_CBC },
		groups: withFiniteField(curves), schemes: schemes, minDHBits: 2048, minVersion: iana.TLS12,
		secureRenegotiation: Required,
		laxKeyUsage:         true,
	}

	// Legacy reaches what is left: TLS 1.0 and 1.1 (RFC 8996), 3DES, signatures with SHA-1 and
	// SHA-224, primes of 1024 bits, and servers that can be made to renegotiate unsafely.
	Legacy = &Policy{
		name: "legacy", date: "2026-11-26",
		purpose: "also TLS 1.0 and 1.1, 3DES, SHA-1 signatures, 1024-bit primes and servers " +
			"without RFC 5746: for old devices only",
		allows: func(s *suite.Suite) bool { return s.Cipher != record.NULL },
		groups: withFiniteField(curves), schemes: append(slices.Clone(schemes), iana.ECDSA_SHA224,
			iana.RSA_PKCS1_SHA224, iana.ECDSA_SHA1, iana.RSA_PKCS1_SHA1),
		minDHBits: 1024, minVersion: iana.TLS10, secureRenegotiation: Preferred,
		legacyChains: true, laxKeyUsage: true,
	}
)

// Policies are all of them, strictest first.
func Policies() []*Policy { return []*Policy{Modern, Compatible, Legacy} }

// Name is what commands call the policy.
func (p *Policy) Name() string { return p.name }

// Date is the day on which the policy was fixed.
func (p *Policy) Date() string { return p.date }

// Purpose is a sentence on whom the policy is for.
func (p *Policy) Purpose() string { return p.purpose }

// MinVersion is the lowest version of the policy; the highest is TLS 1.2.
func (p *Policy) MinVersion() iana.Version { return p.minVersion }

// CipherSuites are the suites of the policy, best first.
func (p *Policy) CipherSuites() []iana.CipherSuite {
	p.once.Do(func() { // sorting them costs as much as deriving a connection's keys
		p.suites = slices.DeleteFunc(suite.Preference(),
			func(id iana.CipherSuite) bool { return !p.allows(suite.ByID(id)) })
	})
	return slices.Clone(p.suites)
}

// Groups are the groups of the policy, best first.
func (p *Policy) Groups() []iana.Group { return slices.Clone(p.groups) }

// SignatureSchemes are the schemes of the policy, best first.
func (p *Policy) SignatureSchemes() []iana.SignatureScheme { return slices.Clone(p.schemes) }

func (p *Policy) orModern() *Policy {
	if p == nil {
		return Modern
	}
	return p
}

func (p *Policy) parameters() handshake.Parameters {
	return handshake.Parameters{
		Policy: p.name + " " + p.date, MinVersion: p.minVersion, MaxVersion: iana.TLS12,
		Suites: p.CipherSuites(), Groups: p.groups, Schemes: p.schemes,
		MinDHBits: p.minDHBits, SecureRenegotiation: p.secureRenegotiation,
		LaxKeyUsage: p.laxKeyUsage,
	}
}

// curves, fastest of equal strength first.
var curves = []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.X448, iana.Secp521r1}

// withFiniteField adds the finite-field groups that a stranger may choose: ffdhe6144 and ffdhe8192,
// which cost us 15 and 30 ms a handshake, must be named in Config.CurvePreferences.
func withFiniteField(g []iana.Group) []iana.Group {
	return append(slices.Clone(g), iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096)
}

var schemes = []iana.SignatureScheme{
	iana.ECDSA_SECP256R1_SHA256, iana.ED25519, iana.RSA_PSS_RSAE_SHA256, iana.RSA_PSS_PSS_SHA256,
	iana.RSA_PKCS1_SHA256,
	iana.ECDSA_SECP384R1_SHA384, iana.ED448, iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_PSS_SHA384,
	iana.RSA_PKCS1_SHA384,
	iana.ECDSA_SECP521R1_SHA512, iana.RSA_PSS_RSAE_SHA512, iana.RSA_PSS_PSS_SHA512,
	iana.RSA_PKCS1_SHA512,
}
