package pki

import (
	"crypto/x509"
	"slices"
	"time"
)

// Still gives those of the paths of an earlier validation that hold today: every certificate in its time, the root still trusted,
// the leaf still for the name. Signatures do not change and are not computed again, which is what makes resuming cheap.
func Still(paths [][]*x509.Certificate, t Trust) (holding [][]*x509.Certificate) {
	now := t.Now
	if now.IsZero() {
		now = time.Now()
	}
	for _, path := range paths {
		timely := !slices.ContainsFunc(path, func(c *x509.Certificate) bool { return now.Before(c.NotBefore) || now.After(c.NotAfter) })
		if timely && path[0].VerifyHostname(t.Name) == nil && trusts(t.Roots, path[len(path)-1], now) {
			holding = append(holding, path)
		}
	}
	return holding
}

// trusts: crypto/x509 finds a certificate that is in the pool itself without looking at its signature.
func trusts(roots *x509.CertPool, root *x509.Certificate, now time.Time) bool {
	_, err := root.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}
