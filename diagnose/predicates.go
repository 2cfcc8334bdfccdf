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

// ignoreKeyUsage returns a change that accepts the suite that the server chose, in spite of the
// certificate's KeyUsage.
func ignoreKeyUsage(id iana.CipherSuite) Change {
	older, newer := []uint16{uint16(id)}, []uint16{}
	fields := "CipherSuites: []uint16{0x%04X}"
	if suite.ByID13(id) != nil {
		older, newer = newer, older
		fields = "CipherSuites13: []uint16{0x%04X}"
	}
	return Change{
		Kind: IgnoreKeyUsage, Suite: id,
		Go:    fmt.Sprintf("Policy: vitrine.Compatible, "+fields, uint16(id)),
		Cause: "the certificate's KeyUsage does not allow what the server uses it for",
		Costs: "a certificate used against its KeyUsage, as crypto/tls, curl and OpenSSL take it",
		apply: func(c *vitrine.Config) {
			c.Policy, c.CipherSuites, c.CipherSuites13 = vitrine.Compatible, older, newer
		},
	}
}

// early reports whether the server ended the handshake after the ClientHello, as servers do that
// cannot handle something in it.
func (f *Failure) early() bool {
	return f.Answered == nil && !f.known().KeyRefused() &&
		(f.Gone != NotGone ||
			f.known().HasReceived(alert.DecodeError, alert.IllegalParameter, alert.InternalError,
				alert.UnexpectedMessage, alert.HandshakeFailure, alert.UnsupportedExtension))
}

// BrokenOff reports whether the server began to answer, and its ServerHello did not come whole:
// what fails is not the hello.
func (f *Failure) BrokenOff() bool { return f.known().BrokenOff() }

// OwnCertificate reports whether the failure is about our own certificate: a server asked for one,
// and has got none that it accepts.
func (f *Failure) OwnCertificate() bool {
	return f.known().CertificateWanted() || f.known().CertificateRefused()
}

// OtherType reports whether one side refused the type of the other's certificates: X.509 or raw
// public keys.
func (f *Failure) OtherType() bool {
	return f.Answered == nil && f.known().HasReceived(alert.UnsupportedCertificate) ||
		f.Sent != nil && f.Sent.Alert == alert.UnsupportedCertificate &&
			f.Sent.Ref == "RFC 7250 §4.2"
}

// choiceless reports whether the failure may mean that the server found no common suite.
func (f *Failure) choiceless() bool {
	return f.Trust == nil && f.Answered == nil &&
		(f.early() || f.known().HasReceived(alert.InsufficientSecurity))
}

// unsuited reports whether the failure may mean that one side did not accept a suite, a version, a
// group or a signature of the other. What is about our certificate is not that.
func (f *Failure) unsuited() bool {
	return f.Trust == nil && !f.OwnCertificate() &&
		(f.choiceless() ||
			f.known().HasReceived(alert.ProtocolVersion, alert.InsufficientSecurity,
				alert.HandshakeFailure) ||
			f.known().HasSent(alert.ProtocolVersion, alert.HandshakeFailure,
				alert.InsufficientSecurity, alert.IllegalParameter, alert.BadCertificate))
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

// ShortPrime reports whether we refused the server's Diffie-Hellman prime because it is too short.
func (f *Failure) ShortPrime() bool {
	return f.Answered != nil && f.known().HasSent(alert.InsufficientSecurity)
}
