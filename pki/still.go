package pki

import (
	"crypto/x509"
	"slices"
	"time"
)

// Still returns those paths of an earlier validation that are valid now: every certificate is
// within its validity period, the root is still trusted, and the leaf has the name. Signatures are
// not verified again, which makes resumption cheap.
func Still(paths [][]*x509.Certificate, t Trust) (holding [][]*x509.Certificate) {
	now := t.Now
	if now.IsZero() {
		now = time.Now()
	}
	for _, path := range paths {
		if timely(path, now) && path[0].VerifyHostname(t.Name) == nil &&
			trusts(t.Roots, path[len(path)-1], now) {
			holding = append(holding, path)
		}
	}
	return holding
}

// timely reports whether every certificate of a path is valid at this time.
func timely(path []*x509.Certificate, now time.Time) bool {
	return !slices.ContainsFunc(path, func(c *x509.Certificate) bool {
		return now.Before(c.NotBefore) || now.After(c.NotAfter)
	})
}

// trusts reports whether a root is in a pool. crypto/x509 accepts a certificate that is in the pool
// without looking at its signature.
func trusts(roots *x509.CertPool, root *x509.Certificate, now time.Time) bool {
	_, err := root.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}
