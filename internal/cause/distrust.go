package cause

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
)

// Distrust says why the certificate chain of a server was not trusted.
func Distrust(err error, chain []*x509.Certificate, now time.Time) string {
	return DistrustOf(iana.Server, err, chain, now)
}

// DistrustOf says why the certificate chain of a side was not trusted.
func DistrustOf(peer iana.Side, err error, chain []*x509.Certificate, now time.Time) string {
	return (&distrust{peer, chain, now}).of(err)
}

// distrust is a chain that was not trusted.
type distrust struct {
	peer  iana.Side // whose it is
	chain []*x509.Certificate
	now   time.Time
}

func (d *distrust) of(err error) string {
	switch err := err.(type) {
	case x509.HostnameError:
		names := Names(err.Certificate)
		if len(names) == 0 {
			return fmt.Sprintf("the certificate is not for %s: it has no name at all that counts "+
				"(subjectAltName)", err.Host)
		}
		return fmt.Sprintf("the certificate is for %s, not for %s",
			strings.Join(names, ", "), err.Host)
	case x509.CertificateInvalidError:
		return d.invalid(err)
	case x509.UnknownAuthorityError:
		return d.unknownAuthority()
	case *pki.Fault:
		says, _ := FaultOf(err.Err)
		return fmt.Sprintf("certificate %d of %d is refused as it is: %s; whoever issued it must "+
			"issue another one", err.Index+1, err.Of, says)
	case *pki.WeakError:
		accepts := "only policy legacy accepts"
		if err.Cert.SignatureAlgorithm == x509.MD5WithRSA {
			accepts = "no policy accepts"
		}
		return fmt.Sprintf("the certificate %q is signed with %s, which %s",
			err.Cert.Subject.String(),
			err.Signature, accepts)
	case x509.SystemRootsError:
		return "this machine has no trusted roots: install ca-certificates, or name a file of roots"
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

// invalid is Distrust for a certificate that is not valid, which may be that of an issuer.
func (d *distrust) invalid(err x509.CertificateInvalidError) string {
	chain, now := d.chain, d.now
	who := "the certificate"
	day := "2006-01-02"
	if len(chain) > 0 && err.Cert != nil && !err.Cert.Equal(chain[0]) {
		who = "the issuer's certificate (" + err.Cert.Subject.CommonName + ")"
	}
	if c := err.Cert; c != nil && (now.Sub(c.NotAfter).Abs() < 48*time.Hour ||
		now.Sub(c.NotBefore).Abs() < 48*time.Hour) {
		day = "2006-01-02 15:04 MST" // of two like days one learns nothing
		now = now.UTC()
	}
	switch {
	case err.Reason == x509.Expired && err.Cert != nil && now.Before(err.Cert.NotBefore):
		return fmt.Sprintf("%s is not valid before %s: look at this machine's clock, which "+
			"says %s; if it is right, whoever issued it had a wrong one, or it was installed too "+
			"early", who, err.Cert.NotBefore.Format(day), now.Format(day))
	case err.Reason == x509.Expired && err.Cert != nil:
		return fmt.Sprintf("%s expired on %s, %s ago: whoever runs the %v must renew it, "+
			"unless this machine's clock is wrong, which says %s", who,
			err.Cert.NotAfter.Format(day), Age(now.Sub(err.Cert.NotAfter)), d.peer, now.Format(day))
	case err.Reason == x509.NotAuthorizedToSign:
		signer := "a certificate in the chain"
		if err.Cert != nil {
			signer = fmt.Sprintf("the certificate %q", err.Cert.Subject.String())
		}
		return signer + " signs another one of the chain, and is not that of an authority"
	case err.Reason == x509.IncompatibleUsage:
		return fmt.Sprintf("the certificate is not meant for a %v: its extended key usage says "+
			"otherwise", d.peer)
	case err.Reason == x509.TooManyIntermediates:
		return "the chain has more intermediates than one of its authorities allows"
	case err.Reason == x509.CANotAuthorizedForExtKeyUsage:
		return fmt.Sprintf("an authority in the chain may not issue certificates for a %v: its "+
			"extended key usage says otherwise", d.peer)
	case err.Reason == x509.NameMismatch:
		return "a certificate of the chain names another issuer than the authority that signed it"
	case err.Reason == x509.TooManyConstraints:
		return "an authority in the chain has more name constraints than can be checked"
	case err.Reason == x509.UnconstrainedName:
		return "a name in the certificate has a kind that an authority in the chain does not limit"
	case err.Reason == x509.CANotAuthorizedForThisName,
		err.Reason == x509.NameConstraintsWithoutSANs:
		return "an authority in the chain may not vouch for this name"
	}
	return who + " is invalid: " + strings.TrimPrefix(err.Error(), "x509: ")
}

// unknownAuthority is Distrust for a chain without a path to a trusted root.
func (d *distrust) unknownAuthority() string {
	chain := d.chain
	switch {
	case len(chain) > 0 && selfSigned(chain[0]):
		return "the certificate is self-signed: nobody but itself vouches for it"
	case len(chain) == 1 && bytes.Equal(chain[0].RawSubject, chain[0].RawIssuer):
		return fmt.Sprintf("another key signed the certificate than its own, although its issuer "+
			"has the same name, %q: no authority of that name and key is trusted here",
			chain[0].Issuer.CommonName)
	case len(chain) == 1:
		return fmt.Sprintf("nobody trusted has signed the certificate; its issuer is %q: no "+
			"root that is trusted here, and the %v sent no certificate of it%s",
			chain[0].Issuer.CommonName, d.peer, d.fetchable(chain[0]))
	case len(chain) > 1:
		return d.unrooted()
	}
	return "nobody trusted has signed the certificate"
}

// fetchable says where the certificate of a certificate's issuer is, if it says so. See RFC 5280
// §4.2.2.1.
func (d *distrust) fetchable(c *x509.Certificate) string {
	if len(c.IssuingCertificateURL) == 0 {
		return fmt.Sprintf(": if it is an intermediate, the %v must send it", d.peer)
	}
	return fmt.Sprintf(": it is found at %s, by what the certificate says, and if it is an "+
		"intermediate, the %v must send it", strings.Join(c.IssuingCertificateURL, ", "), d.peer)
}

// selfSigned reports whether a certificate has its own name as its issuer, and is not known to be
// signed by another key.
func selfSigned(c *x509.Certificate) bool {
	if !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return false
	}
	err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	_, weak := errors.AsType[x509.InsecureAlgorithmError](err)
	return err == nil || weak || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// unrooted is unknownAuthority for the path from the leaf through the certificates that were sent.
func (d *distrust) unrooted() string {
	chain := d.chain
	last := chain[0]
	for range chain {
		i := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
			return c != last && bytes.Equal(c.RawSubject, last.RawIssuer)
		})
		if i < 0 || bytes.Equal(last.RawSubject, last.RawIssuer) {
			break
		}
		if Disowns(last, chain[i]) {
			return fmt.Sprintf("%q did not sign %q, although it is named as its issuer: another "+
				"authority of the same name has", chain[i].Subject.CommonName,
				last.Subject.CommonName)
		}
		last = chain[i]
	}
	if bytes.Equal(last.RawSubject, last.RawIssuer) {
		return fmt.Sprintf("the chain ends with the root %q, which is not trusted here",
			last.Subject.CommonName)
	}
	return fmt.Sprintf("the chain ends with %q, whose issuer %q is no root that is trusted here, "+
		"and the %v sent no certificate of it%s", last.Subject.CommonName,
		last.Issuer.CommonName, d.peer, d.fetchable(last))
}

// Disowns reports whether an authority has not signed a certificate that names it as the issuer. A
// signature that crypto/x509 does not compute, such as one with SHA-1, says nothing.
func Disowns(c, authority *x509.Certificate) bool {
	err := c.CheckSignatureFrom(authority)
	_, weak := errors.AsType[x509.InsecureAlgorithmError](err)
	_, limited := errors.AsType[x509.ConstraintViolationError](err)
	return err != nil && !weak && !limited && !errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// Names returns the DNS names and IP addresses of a certificate.
func Names(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Age formats a duration in days, or in hours below two days.
func Age(d time.Duration) string {
	if d < 48*time.Hour {
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}
