package diagnose

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// Kind identifies a change, so that a program can show it in its own terms, such as flags.
type Kind uint8

// The kinds of change.
const (
	NoProtocols      Kind = iota // offer no application protocols
	DefaultSuites                // offer the suites of the policy instead of a list
	DefaultGroups                // offer the groups of the policy instead of a list
	DefaultVersions              // offer the versions of the policy
	CompatiblePolicy             // use vitrine.Compatible
	LegacyPolicy                 // use vitrine.Legacy
	NullSuites                   // offer the suites without encryption
	IgnoreKeyUsage               // use vitrine.Compatible and the suite that the server chose
	FewerExtensions              // leave out the extensions that can be turned off
	OnlyP256                     // offer the group secp256r1 alone
	OnlyTLS10                    // use vitrine.Legacy and TLS 1.0
	NoServerName                 // send no server_name
	OnlyTLS12                    // leave out TLS 1.3
	NoHybrids                    // leave out the groups that resist a quantum computer
	AllGroups                    // offer every group
	AllSuites13                  // offer every suite of TLS 1.3
	NoPreSharedKey               // do without the pre-shared key
	NotAwaiting                  // do not wait for the server's first record
	OneSuite                     // offer one suite and version that the server is known to have
	kinds            = iota
)

// Kinds returns all kinds of change.
func Kinds() []Kind {
	var list []Kind
	for k := range Kind(kinds) {
		list = append(list, k)
	}
	return list
}

// Change is a change of a Config that may make a handshake succeed.
type Change struct {
	Kind Kind
	// Suite is that of IgnoreKeyUsage, and of NullSuites and AllSuites13 once one was negotiated.
	Suite   iana.CipherSuite
	Version iana.Version // of OneSuite, if the Config does not have it already
	Group   iana.Group   // of AllGroups, once one was negotiated
	Go      string       // the fields of vitrine.Config
	Costs   string       // what is lost by it

	when   func(*Failure, *vitrine.Config) bool
	apply  func(*vitrine.Config)
	narrow func(Change, vitrine.ConnectionState) Change // to what was negotiated; may be nil
}

func (c *Change) String() string { return c.Go }

// maxChanges limits how many changes are proposed after one failure.
const maxChanges = 12

// Changes returns the changes that may help a client with the Config c, the one that gives up least
// first.
func (f *Failure) Changes(c *vitrine.Config) []Change {
	var fit []Change
	if f.keyUsageViolated() && rank(policyOf(c)) == rank(vitrine.Modern) {
		fit = append(fit, ignoreKeyUsage(f.Answered.CipherSuite))
	}
	for _, change := range changes {
		if change.when(f, c) && len(fit) < maxChanges {
			fit = append(fit, change)
		}
	}
	return fit
}

var changes = []Change{
	{
		Kind: NotAwaiting, Go: "AwaitServer: false",
		Costs: "that a refused certificate is noticed before anything is sent",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.AwaitServer && f.awaitsInVain()
		},
		apply: func(c *vitrine.Config) { c.AwaitServer = false },
	},
	{
		Kind: NoPreSharedKey, Go: "GetPSK: nil",
		Costs: "the proof by a key that both sides hold: the server is known by its certificate then",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.GetPSK != nil &&
				(f.keyRefused() || f.received(alert.UnknownPSKIdentity) || f.early())
		},
		apply: func(c *vitrine.Config) { c.GetPSK = nil },
	},
	{
		Kind: NoProtocols, Go: "NextProtos: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.NextProtos != nil && (f.received(alert.NoApplicationProtocol) || f.early())
		},
		apply: func(c *vitrine.Config) { c.NextProtos = nil },
	},
	{
		Kind: DefaultSuites, Go: "CipherSuites: nil, CipherSuites13: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return (c.CipherSuites != nil || c.CipherSuites13 != nil) &&
				(f.choiceless() || f.received(alert.ProtocolVersion))
		},
		apply: func(c *vitrine.Config) { c.CipherSuites, c.CipherSuites13 = nil, nil },
	},
	{
		Kind: DefaultGroups, Go: "CurvePreferences: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CurvePreferences != nil && f.unsuited()
		},
		apply: func(c *vitrine.Config) { c.CurvePreferences = nil },
	},
	{
		Kind: DefaultVersions, Go: "MinVersion: 0, MaxVersion: 0",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.MinVersion|c.MaxVersion != 0 && f.unsuited()
		},
		apply: func(c *vitrine.Config) { c.MinVersion, c.MaxVersion = 0, 0 },
	},
	{
		Kind: AllGroups,
		when: func(f *Failure, c *vitrine.Config) bool { return speaks13(c) && f.choiceless() },
		apply: func(c *vitrine.Config) {
			c.CurvePreferences = []tls.CurveID{tls.CurveID(iana.FFDHE6144),
				tls.CurveID(iana.FFDHE8192)}
			for _, g := range vitrine.Compatible.Groups() {
				c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(g))
			}
		},
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			change.Group = s.Group
			change.Go = fmt.Sprintf("CurvePreferences: []tls.CurveID{0x%04X}", uint16(s.Group))
			return change
		},
		Go: "CurvePreferences: …",
	},
	{
		Kind: AllSuites13, Go: "CipherSuites13: …CCM",
		when: func(f *Failure, c *vitrine.Config) bool { return speaks13(c) && f.choiceless() },
		apply: func(c *vitrine.Config) {
			c.CipherSuites13 = nil
			for _, s := range suite.All13() {
				c.CipherSuites13 = append(c.CipherSuites13, uint16(s.ID))
			}
		},
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			change.Suite = iana.CipherSuite(s.CipherSuite)
			change.Go = fmt.Sprintf("CipherSuites13: []uint16{0x%04X}", s.CipherSuite)
			return change
		},
	},
	{
		Kind: CompatiblePolicy, Go: "Policy: vitrine.Compatible",
		Costs: "no forward secrecy, or records that are encrypted before they are authenticated",
		when: func(f *Failure, c *vitrine.Config) bool {
			return stricter(c, vitrine.Compatible) && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.Policy = vitrine.Compatible },
	},
	{
		Kind: LegacyPolicy, Go: "Policy: vitrine.Legacy",
		Costs: "what has been broken in practice: TLS 1.0, 3DES, SHA-1, short primes; only for a " +
			"device that has nothing else, in a network that is yours",
		when: func(f *Failure, c *vitrine.Config) bool {
			return stricter(c, vitrine.Legacy) && (f.unsuited() || f.weak())
		},
		apply: func(c *vitrine.Config) { c.Policy = vitrine.Legacy },
	},
	{
		Kind: NullSuites, Go: "CipherSuites: …NULL",
		Costs: "encryption: everybody on the way can read along",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CipherSuites == nil && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.CipherSuites = insecure() },
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			change.Suite = iana.CipherSuite(s.CipherSuite)
			change.Go = fmt.Sprintf("CipherSuites: []uint16{0x%04X}", s.CipherSuite)
			return change
		},
	},
	{
		Kind:  NoHybrids,
		Go:    "CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}",
		Costs: "secrecy from a quantum computer that reads recordings of today",
		when: func(f *Failure, c *vitrine.Config) bool {
			return speaks13(c) && c.CurvePreferences == nil && f.early()
		},
		apply: func(c *vitrine.Config) {
			c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}
		},
	},
	{
		Kind: OnlyTLS12, Go: "MaxVersion: tls.VersionTLS12",
		Costs: "TLS 1.3: certificates go over the wire in the clear",
		when: func(f *Failure, c *vitrine.Config) bool {
			return speaks13(c) && c.MinVersion < tls.VersionTLS13 && f.early()
		},
		apply: func(c *vitrine.Config) { c.MaxVersion = tls.VersionTLS12 },
	},
	{
		Kind: FewerExtensions,
		Go: "StatusRequest: vitrine.Off, Timestamps: vitrine.Off, EncryptThenMAC: " +
			"vitrine.Off, ExtendedMasterSecret: vitrine.Off, SessionTicketsDisabled: true",
		Costs: "what those extensions protect from, such as the triple handshake (RFC 7627)",
		when: func(f *Failure, c *vitrine.Config) bool {
			return f.early() && c.ExtendedMasterSecret != vitrine.Off
		},
		apply: func(c *vitrine.Config) {
			c.StatusRequest, c.Timestamps = vitrine.Off, vitrine.Off
			c.EncryptThenMAC, c.ExtendedMasterSecret = vitrine.Off, vitrine.Off
			c.SessionTicketsDisabled = true
		},
	},
	{
		Kind: OnlyP256, Go: "CurvePreferences: []tls.CurveID{tls.CurveP256}",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CurvePreferences == nil && f.early()
		},
		apply: func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
	},
	{
		Kind:  OnlyTLS10,
		Go:    "Policy: vitrine.Legacy, MaxVersion: tls.VersionTLS10",
		Costs: "what has been broken in practice: TLS 1.0 above all",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.MaxVersion == 0 && c.CipherSuites == nil && f.early()
		},
		apply: func(c *vitrine.Config) {
			c.Policy, c.MaxVersion = vitrine.Legacy, tls.VersionTLS10
		},
	},
	{
		Kind: NoServerName, Go: "diagnose.WithoutSNI(config)",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.ServerName != "" && !c.InsecureSkipVerify &&
				(f.received(alert.UnrecognizedName, alert.HandshakeFailure, alert.AccessDenied) ||
					f.early())
		},
		apply: WithoutSNI,
	},
}

// keyUsageViolated reports whether the server chose a suite that the KeyUsage of its certificate
// does not allow.
func (f *Failure) keyUsageViolated() bool {
	return f.Answered != nil && f.sent(alert.IllegalParameter) && f.Sent.Ref == "RFC 5280 §4.2.1.3"
}

// ignoreKeyUsage returns a change that accepts the suite that the server chose, in spite of the
// certificate's KeyUsage.
func ignoreKeyUsage(id iana.CipherSuite) Change {
	return Change{
		Kind: IgnoreKeyUsage, Suite: id,
		Go: fmt.Sprintf("Policy: vitrine.Compatible, CipherSuites: []uint16{0x%04X}",
			uint16(id)),
		Costs: "a certificate used against its KeyUsage, as crypto/tls, curl and OpenSSL take it",
		apply: func(c *vitrine.Config) {
			c.Policy, c.CipherSuites = vitrine.Compatible, []uint16{uint16(id)}
		},
	}
}

// awaitsInVain reports whether a client waits for the server's first record after a handshake in
// which it was asked for a certificate, and nothing comes. See vitrine.Config.AwaitServer.
func (f *Failure) awaitsInVain() bool {
	return f.Side == iana.Client && f.Asked && f.Offered == nil && f.Answered != nil &&
		f.Gone == Silent
}

// keyRefused reports whether the server refused the binder of a pre-shared key: by decrypt_error,
// or as OpenSSL does by illegal_parameter. See RFC 8446 §4.2.11.
func (f *Failure) keyRefused() bool {
	return f.Offered != nil && f.Offered.Extensions.Has(iana.ExtPreSharedKey) &&
		f.Answered == nil && f.received(alert.DecryptError, alert.IllegalParameter)
}

// early reports whether the server ended the handshake after the ClientHello, as servers do that
// cannot handle something in it.
func (f *Failure) early() bool {
	return f.Answered == nil && !f.keyRefused() &&
		(f.Gone != NotGone ||
			f.received(alert.DecodeError, alert.IllegalParameter, alert.InternalError,
				alert.UnexpectedMessage, alert.HandshakeFailure, alert.UnsupportedExtension))
}

// choiceless reports whether the server may have found no suite.
func (f *Failure) choiceless() bool {
	return f.Trust == nil && f.Answered == nil &&
		(f.early() || f.received(alert.InsufficientSecurity))
}

// unsuited reports whether one side may not accept a suite, a version, a group or a signature of
// the other.
func (f *Failure) unsuited() bool {
	return f.Trust == nil &&
		(f.choiceless() ||
			f.received(alert.ProtocolVersion, alert.InsufficientSecurity, alert.HandshakeFailure) ||
			f.sent(alert.ProtocolVersion, alert.HandshakeFailure, alert.InsufficientSecurity,
				alert.IllegalParameter, alert.BadCertificate))
}

// weak reports whether a signature on a certificate was too weak.
func (f *Failure) weak() bool {
	if f.Trust == nil {
		return false
	}
	_, weak := errors.AsType[*pki.WeakError](f.Trust.Err)
	return weak
}

// stricter reports whether c allows less than the policy p would.
func stricter(c *vitrine.Config, p *vitrine.Policy) bool {
	return c.CipherSuites == nil && rank(policyOf(c)) < rank(p)
}

// rank is the place of a policy, or of the one that replaced it, among those of today.
func rank(p *vitrine.Policy) int {
	return slices.IndexFunc(vitrine.Policies(),
		func(q *vitrine.Policy) bool { return q.Name() == p.Name() })
}

func policyOf(c *vitrine.Config) *vitrine.Policy {
	if c.Policy == nil {
		return vitrine.Modern
	}
	return c.Policy
}

// speaks13 reports whether a client with the Config c offers TLS 1.3.
func speaks13(c *vitrine.Config) bool {
	if c.CipherSuites13 != nil && len(c.CipherSuites13) == 0 {
		return false
	}
	highest := cmp.Or(c.MaxVersion, max(c.MinVersion, uint16(policyOf(c).MaxVersion())))
	return highest >= tls.VersionTLS13
}

// insecure returns the suites that are insecure and that no policy enables.
func insecure() []uint16 {
	var ids []uint16
	for _, s := range suite.Certified() {
		if suite.Status(s) == suite.Insecure &&
			!slices.Contains(vitrine.Legacy.CipherSuites(), s.ID) {
			ids = append(ids, uint16(s.ID))
		}
	}
	return ids
}

// WithoutSNI changes the Config of a client so that it sends no server name, but still verifies
// that the certificate is for that name, unless it skips verification.
func WithoutSNI(c *vitrine.Config) {
	name, roots, skip := c.ServerName, c.RootCAs, c.InsecureSkipVerify
	c.ServerName, c.InsecureSkipVerify = "", true
	if skip {
		return
	}
	also := c.VerifyPeerCertificate
	c.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		chain, err := pki.ReadChain(raw) // Verify reports what is wrong with it
		if err != nil {
			return err
		}
		t := pki.Trust{Roots: roots, Name: name}
		if c.Time != nil {
			t.Now = c.Time()
		}
		verified, err := chain.Verify(iana.Server, t)
		if err == nil && also != nil {
			err = also(raw, verified)
		}
		return err
	}
}
