package pki

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Verify returns the paths from the leaf to a root. It checks that the leaf may be used by from,
// the side that sent it, and the name of a server. Paths are found and judged by crypto/x509. If
// there is none, Verify looks for one that needs signatures of RSASSA-PSS or Ed448 keys or, with
// t.Weak, with SHA-1 or SHA-224; crypto/x509 judges it in all respects but the signatures. The
// error's cause is a *tls.CertificateVerificationError, as in crypto/tls. See RFC 5246 §7.2.2 for
// the alerts, RFC 5280 §6 and RFC 9525 §6 for the checks.
func (c *Chain) Verify(from iana.Side, t Trust) ([][]*x509.Certificate, error) {
	leaf := c.Leaf()
	if leaf == nil {
		return nil, alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
			"got an empty certificate chain, expected a leaf")
	}
	if err := c.Sound(); err != nil {
		return nil, err
	}
	opts := x509.VerifyOptions{Roots: t.Roots, CurrentTime: t.Now,
		Intermediates: x509.NewCertPool()}
	switch from {
	case iana.Server:
		if t.Name == "" { // crypto/x509 would check no name at all
			return nil, alert.Fail(alert.InternalError, "RFC 9525 §6",
				"no name to check the server's certificate for")
		}
		opts.DNSName, opts.KeyUsages = t.Name, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	default:
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, cert := range c.Certs[1:] {
		opts.Intermediates.AddCert(cert)
	}
	paths, err := leaf.Verify(opts)
	if err != nil && otherPath(err, leaf) && c.foreign(t) {
		path, because := c.find(t, opts)
		switch {
		case path != nil:
			return [][]*x509.Certificate{path}, nil
		case because != nil:
			err = because
		}
	}
	if err != nil {
		return nil, c.refuse(err, t)
	}
	return paths, nil
}

// otherPath reports whether another path may exist after an error of crypto/x509: not if the error
// is about the leaf itself.
func otherPath(err error, leaf *x509.Certificate) bool {
	if e, ok := err.(x509.CertificateInvalidError); ok {
		return !e.Cert.Equal(leaf)
	}
	_, unknown := err.(x509.UnknownAuthorityError)
	return unknown
}

// refuse returns the alert for a failed validation. For a name that does not match it is
// bad_certificate, as in OpenSSL and rustls: the RFC names no alert for it. A broken signature
// cannot be told from another authority with the same name, so it is unknown_ca.
func (c *Chain) refuse(err error, t Trust) error {
	cause := &tls.CertificateVerificationError{UnverifiedCertificates: c.Certs, Err: err}
	d := alert.CertificateUnknown
	switch err := err.(type) {
	case x509.CertificateInvalidError:
		switch err.Reason {
		case x509.Expired: // or not yet valid
			d = alert.CertificateExpired
		case x509.IncompatibleUsage:
			d = alert.UnsupportedCertificate
		default:
			d = alert.BadCertificate
		}
	case x509.HostnameError:
		d = alert.BadCertificate
	case x509.UnhandledCriticalExtension:
		d = alert.UnsupportedCertificate
	case x509.SystemRootsError:
		d = alert.InternalError // the fault of this side, not of the peer
	case x509.UnknownAuthorityError:
		d = alert.UnknownCA
		// the better reason: crypto/x509 just finds no path through it
		for _, cert := range c.Certs {
			name, accepted := WeakSignature(cert), t.Weak &&
				cert.SignatureAlgorithm != x509.MD5WithRSA
			if name != "" && !accepted {
				cause.Err = &WeakError{cert, name, err}
				return &alert.Error{Alert: alert.BadCertificate, Ref: "RFC 8446 §4.4.2.4",
					Reason: cause.Err.Error(), Cause: cause}
			}
		}
	}
	return alert.Fail(d, "RFC 5280 §6", "%w", cause)
}
