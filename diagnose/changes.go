package diagnose

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// Change is one thing to do otherwise.
type Change struct {
	Flags []Flag // of `vitrine connect`
	Go    string // the fields of vitrine.Config
	Costs string // what is lost by it

	when  func(*Failure, *vitrine.Config) bool
	apply func(*vitrine.Config)
	// what it comes down to, once it is known what the server took
	narrow func(Change, vitrine.ConnectionState) Change
}

// Flag is a flag of `vitrine connect` with its value. Drop takes it away.
type Flag struct {
	Name, Value string
	Drop        bool
}

func (c *Change) String() string {
	var words []string
	for _, f := range c.Flags {
		switch {
		case f.Drop:
			words = append(words, "without --"+f.Name)
		case f.Value == "":
			words = append(words, "--"+f.Name)
		default:
			words = append(words, "--"+f.Name+" "+f.Value)
		}
	}
	return strings.Join(words, " ")
}

// maxChanges bounds what is tried after one failure.
const maxChanges = 8

// Changes are what may help a client, the mildest first.
func (f *Failure) Changes(c *vitrine.Config) []Change {
	var fit []Change
	if f.misused() && (c.Policy == nil || c.Policy == vitrine.Modern) {
		fit = append(fit, lax(f.Answered.CipherSuite))
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
		Flags: []Flag{{Name: "alpn", Drop: true}}, Go: "NextProtos: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.NextProtos != nil && (f.heard(alert.NoApplicationProtocol) || f.early())
		},
		apply: func(c *vitrine.Config) { c.NextProtos = nil },
	},
	{
		Flags: []Flag{{Name: "suite", Drop: true}}, Go: "CipherSuites: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CipherSuites != nil && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.CipherSuites = nil },
	},
	{
		Flags: []Flag{{Name: "group", Drop: true}}, Go: "CurvePreferences: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CurvePreferences != nil && f.unsuited()
		},
		apply: func(c *vitrine.Config) { c.CurvePreferences = nil },
	},
	{
		Flags: []Flag{{Name: "min", Drop: true}, {Name: "max", Drop: true}},
		Go:    "MinVersion: 0, MaxVersion: 0",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.MinVersion|c.MaxVersion != 0 && f.unsuited()
		},
		apply: func(c *vitrine.Config) { c.MinVersion, c.MaxVersion = 0, 0 },
	},
	{
		Flags: []Flag{{Name: "policy", Value: "compatible"}}, Go: "Policy: vitrine.Compatible",
		Costs: "no forward secrecy, or records that are encrypted before they are authenticated",
		when: func(f *Failure, c *vitrine.Config) bool {
			return stricter(c, vitrine.Compatible) && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.Policy = vitrine.Compatible },
	},
	{
		Flags: []Flag{{Name: "policy", Value: "legacy"}}, Go: "Policy: vitrine.Legacy",
		Costs: "what has been broken in practice: TLS 1.0, 3DES, SHA-1, short primes; only for a " +
			"device that has nothing else, in a network that is yours",
		when: func(f *Failure, c *vitrine.Config) bool {
			return stricter(c, vitrine.Legacy) && (f.unsuited() ||
				f.Trust != nil && slices.ContainsFunc(f.Trust.UnverifiedCertificates, weaklySigned))
		},
		apply: func(c *vitrine.Config) { c.Policy = vitrine.Legacy },
	},
	{
		Flags: []Flag{{Name: "suite", Value: "NULL"}}, Go: "CipherSuites: …NULL",
		Costs: "encryption: everybody on the way can read along",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CipherSuites == nil && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.CipherSuites = insecure() },
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			id := iana.CipherSuite(s.CipherSuite)
			change.Flags = []Flag{{Name: "suite", Value: id.String()}}
			change.Go = fmt.Sprintf("CipherSuites: []uint16{0x%04X}", s.CipherSuite)
			return change
		},
	},
	{
		Flags: []Flag{{Name: "without", Value: "ocsp,sct,etm,ems,tickets"}},
		Go: "StatusRequest: vitrine.Off, Timestamps: vitrine.Off, EncryptThenMAC: " +
			"vitrine.Off, ExtendedMasterSecret: vitrine.Off, SessionTicketsDisabled: true",
		Costs: "what those extensions protect from: see vitrine explain extended_master_secret",
		when: func(f *Failure, c *vitrine.Config) bool {
			return f.early() && c.ExtendedMasterSecret != vitrine.Off
		},
		apply: func(c *vitrine.Config) {
			c.StatusRequest, c.Timestamps, c.EncryptThenMAC, c.ExtendedMasterSecret = vitrine.Off,
				vitrine.Off, vitrine.Off, vitrine.Off
			c.SessionTicketsDisabled = true
		},
	},
	{
		Flags: []Flag{{Name: "group", Value: "secp256r1"}},
		Go:    "CurvePreferences: []tls.CurveID{tls.CurveP256}",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CurvePreferences == nil && f.early()
		},
		apply: func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
	},
	{
		Flags: []Flag{{Name: "policy", Value: "legacy"}, {Name: "max", Value: "1.0"}},
		Go:    "Policy: vitrine.Legacy, MaxVersion: tls.VersionTLS10",
		Costs: "what has been broken in practice: TLS 1.0 above all",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.MaxVersion == 0 && c.CipherSuites == nil && f.early()
		},
		apply: func(c *vitrine.Config) { c.Policy, c.MaxVersion = vitrine.Legacy, tls.VersionTLS10 },
	},
	{
		Flags: []Flag{{Name: "no-sni"}},
		Go:    "InsecureSkipVerify: true, VerifyConnection: … // see the example",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.ServerName != "" && !c.InsecureSkipVerify &&
				(f.heard(alert.UnrecognizedName, alert.HandshakeFailure, alert.AccessDenied) ||
					f.early())
		},
		apply: WithoutSNI,
	},
}

// misused reports whether the server chose a suite for which its certificate's KeyUsage leaves out
// what the key must do.
func (f *Failure) misused() bool {
	return f.Answered != nil && f.said(alert.IllegalParameter) && f.Said.Ref == "RFC 5280 §4.2.1.3"
}

// lax keeps to the suite that the server chose, and takes its certificate for it.
func lax(id iana.CipherSuite) Change {
	return Change{
		Flags: []Flag{{Name: "policy", Value: "compatible"}, {Name: "suite", Value: id.String()}},
		Go:    fmt.Sprintf("Policy: vitrine.Compatible, CipherSuites: []uint16{0x%04X}", uint16(id)),
		Costs: "a certificate used against its KeyUsage, as crypto/tls, curl and OpenSSL take it",
		apply: func(c *vitrine.Config) {
			c.Policy, c.CipherSuites = vitrine.Compatible, []uint16{uint16(id)}
		},
	}
}

// early: the server broke off at the hello, as those do that fail at something in it.
func (f *Failure) early() bool {
	return f.Answered == nil &&
		(f.Gone != NotGone ||
			f.heard(alert.DecodeError, alert.IllegalParameter, alert.InternalError,
				alert.UnexpectedMessage,
				alert.HandshakeFailure, alert.UnsupportedExtension))
}

// choiceless: the server may have found no suite.
func (f *Failure) choiceless() bool {
	return f.Trust == nil && f.Answered == nil && (f.early() || f.heard(alert.InsufficientSecurity))
}

// unsuited: a suite, a version, a group or a signature does not suit one of us.
func (f *Failure) unsuited() bool {
	return f.Trust == nil &&
		(f.choiceless() ||
			f.heard(alert.ProtocolVersion, alert.InsufficientSecurity, alert.HandshakeFailure) ||
			f.said(alert.ProtocolVersion, alert.HandshakeFailure, alert.InsufficientSecurity,
				alert.IllegalParameter, alert.BadCertificate))
}

// stricter reports whether a Config allows less than a policy would.
func stricter(c *vitrine.Config, p *vitrine.Policy) bool {
	policies := vitrine.Policies()
	now := c.Policy
	if now == nil {
		now = vitrine.Modern
	}
	return c.CipherSuites == nil && slices.Index(policies, now) < slices.Index(policies, p)
}

// insecure are the suites that no policy turns on.
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

// WithoutSNI makes a client that asks for no name, and still expects one.
func WithoutSNI(c *vitrine.Config) {
	name, roots, skip := c.ServerName, c.RootCAs, c.InsecureSkipVerify
	c.ServerName, c.InsecureSkipVerify = "", true
	if skip {
		return
	}
	also := c.VerifyPeerCertificate
	c.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		chain, err := pki.ReadChain(raw) // Verify tells what is wrong with it
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
