package vitrine

import (
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// A Policy is a named, dated set of defaults. It is never changed: new defaults are a new Policy.
type Policy struct {
	name, date, purpose string

	allows              func(*suite.Suite) bool
	groups              []iana.Group
	schemes             []iana.SignatureScheme
	minDHBits           int
	minVersion          iana.Version
	maxVersion          iana.Version
	secureRenegotiation negotiation.Demand
	legacyChains        bool // accept certificates signed with SHA-1 and SHA-224
	laxKeyUsage         bool // see Modern
	hello2              bool // a server accepts a ClientHello in the form of SSL 2.0

	once     sync.Once // sorting costs as much as deriving the keys of a connection
	suites   []iana.CipherSuite
	suites13 []iana.CipherSuite
}

// The policies of today. No policy enables NULL encryption: such a suite must be named in
// Config.CipherSuites.
var (
	// Modern is the policy for new programs. All its suites have forward secrecy and an AEAD. It
	// has no finite-field groups: an anonymous client could make a server compute with them at
	// little cost of its own (CVE-2002-20001). It is also strict about the KeyUsage of a server
	// certificate: an RSA key may sign only with digitalSignature and decrypt only with
	// keyEncipherment. The other policies accept either bit for both uses, as crypto/tls, curl and
	// OpenSSL do.
	Modern = &Policy{
		name: "modern", date: "2026-11-27",
		purpose: "TLS 1.3 and 1.2 with forward secrecy and authenticated encryption; of what is " +
			"out of date only RSA keys of 1024 bits, as in crypto/tls",
		allows: forwardSecretAEAD, groups: groups, schemes: schemes, minDHBits: 2048,
		minVersion: iana.TLS12, maxVersion: iana.TLS13, secureRenegotiation: Required,
	}

	// Compatible also supports peers that have only RSA or finite-field key exchange, or only CBC
	// suites. Up to TLS 1.2 these key exchanges are deprecated by RFC 10015.
	Compatible = &Policy{
		name: "compatible", date: "2026-11-27",
		purpose: "also RSA and finite-field key exchange and CBC, for peers that have " +
			"nothing better",
		allows: noNULLOr3DES, groups: withFiniteField(groups), schemes: schemes, minDHBits: 2048,
		minVersion: iana.TLS12, maxVersion: iana.TLS13, secureRenegotiation: Required,
		laxKeyUsage: true,
	}

	// Legacy also supports old devices: TLS 1.0 and 1.1 (deprecated by RFC 8996), 3DES, signatures
	// with SHA-1 and SHA-224, 1024-bit primes, and servers without secure renegotiation (RFC 5746).
	// A server also takes a ClientHello in the form of SSL 2.0, which older clients than that send,
	// and never goes on to SSL or TLS 1.3 with it: RFC 5246 §E.2, RFC 6176.
	Legacy = &Policy{
		name: "legacy", date: "2026-11-27",
		purpose: "also TLS 1.0 and 1.1, 3DES, SHA-1 signatures, 1024-bit primes and servers " +
			"without RFC 5746: for old devices only",
		allows: noNULL, groups: withFiniteField(groups), schemes: legacySchemes, minDHBits: 1024,
		minVersion: iana.TLS10, maxVersion: iana.TLS13, secureRenegotiation: Preferred,
		legacyChains: true, laxKeyUsage: true, hello2: true,
	}
)

// The policies before TLS 1.3, which speak it only if Config.MaxVersion names it.
var (
	// Modern20261123 was Modern until 2026-11-27.
	Modern20261123 = &Policy{
		name: "modern", date: "2026-11-23",
		purpose: "forward secrecy and authenticated encryption, nothing deprecated",
		allows:  forwardSecretAEAD, groups: curves, schemes: schemes, minDHBits: 2048,
		minVersion: iana.TLS12, maxVersion: iana.TLS12, secureRenegotiation: Required,
	}

	// Compatible20261126 was Compatible until 2026-11-27.
	Compatible20261126 = &Policy{
		name: "compatible", date: "2026-11-26", purpose: Compatible.purpose,
		allows: noNULLOr3DES, groups: withFiniteField(curves), schemes: schemes, minDHBits: 2048,
		minVersion: iana.TLS12, maxVersion: iana.TLS12, secureRenegotiation: Required,
		laxKeyUsage: true,
	}

	// Legacy20261126 was Legacy until 2026-11-27.
	Legacy20261126 = &Policy{
		name: "legacy", date: "2026-11-26", purpose: Legacy.purpose,
		allows: noNULL, groups: withFiniteField(curves), schemes: legacySchemes, minDHBits: 1024,
		minVersion: iana.TLS10, maxVersion: iana.TLS12, secureRenegotiation: Preferred,
		legacyChains: true, laxKeyUsage: true,
	}
)

// Policies returns the policies of today, strictest first.
func Policies() []*Policy { return []*Policy{Modern, Compatible, Legacy} }

// EarlierPolicies returns the policies that newer ones of the same name have replaced, strictest
// first.
func EarlierPolicies() []*Policy {
	return []*Policy{Modern20261123, Compatible20261126, Legacy20261126}
}

// Name returns the name of the policy, as used on the command line.
func (p *Policy) Name() string { return p.name }

// Date returns the date of the policy, as YYYY-MM-DD.
func (p *Policy) Date() string { return p.date }

// Purpose returns a short description of what the policy is for.
func (p *Policy) Purpose() string { return p.purpose }

// MinVersion returns the lowest version that the policy allows.
func (p *Policy) MinVersion() iana.Version { return p.minVersion }

// MaxVersion returns the highest version that is used if Config.MaxVersion is 0.
func (p *Policy) MaxVersion() iana.Version { return p.maxVersion }

// CipherSuites returns the cipher suites of the policy for versions up to TLS 1.2, in order of
// preference.
func (p *Policy) CipherSuites() []iana.CipherSuite {
	p.sort()
	return slices.Clone(p.suites)
}

// CipherSuites13 returns the cipher suites of the policy for TLS 1.3, in order of preference.
func (p *Policy) CipherSuites13() []iana.CipherSuite {
	p.sort()
	return slices.Clone(p.suites13)
}

func (p *Policy) sort() {
	p.once.Do(func() {
		p.suites = slices.DeleteFunc(suite.Preference(),
			func(id iana.CipherSuite) bool { return !p.allows(suite.ByID(id)) })
		p.suites13 = suite.Preference13()
	})
}

// Groups returns the groups of the policy, in order of preference.
func (p *Policy) Groups() []iana.Group { return slices.Clone(p.groups) }

// MinDHBits returns the length of the shortest prime that the policy takes from a server, in bits.
func (p *Policy) MinDHBits() int { return p.minDHBits }

// SignatureSchemes returns the signature schemes of the policy, in order of preference.
func (p *Policy) SignatureSchemes() []iana.SignatureScheme { return slices.Clone(p.schemes) }

func (p *Policy) orModern() *Policy {
	if p == nil {
		return Modern
	}
	return p
}

// parameters returns the policy's defaults. Their lists belong to the policy and must not be
// changed.
func (p *Policy) parameters() *negotiation.Parameters {
	p.sort()
	return &negotiation.Parameters{
		Policy: p.name + " " + p.date, MinVersion: p.minVersion, MaxVersion: p.maxVersion,
		Suites: p.suites, Suites13: p.suites13, ByMachine13: true, Groups: p.groups,
		Schemes:   p.schemes,
		MinDHBits: p.minDHBits, SecureRenegotiation: p.secureRenegotiation,
		LaxKeyUsage: p.laxKeyUsage, Hello2: p.hello2,
	}
}

func forwardSecretAEAD(s *suite.Suite) bool {
	return s.EllipticCurve() && s.Cipher.AEAD() && s.Cipher.TagLen == 16
}

func noNULL(s *suite.Suite) bool { return s.Cipher != record.NULL }

func noNULLOr3DES(s *suite.Suite) bool { return noNULL(s) && s.Cipher != record.DES_EDE3_CBC }

// groups lists the groups that resist a quantum computer, which only TLS 1.3 has, and then the
// curves, in order of preference.
var groups = append([]iana.Group{iana.X25519MLKEM768, iana.SecP256r1MLKEM768,
	iana.SecP384r1MLKEM1024}, curves...)

// curves lists the elliptic-curve groups in order of preference.
var curves = []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.X448, iana.Secp521r1}

// withFiniteField returns g followed by the finite-field groups that are enabled by default.
// ffdhe6144 and ffdhe8192 cost about two and four times what ffdhe4096 does, so an
// unauthenticated peer may choose them only if Config.CurvePreferences names them.
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

// legacySchemes are schemes followed by those with SHA-224 and SHA-1.
var legacySchemes = append(slices.Clone(schemes), iana.ECDSA_SHA224, iana.RSA_PKCS1_SHA224,
	iana.ECDSA_SHA1, iana.RSA_PKCS1_SHA1)
