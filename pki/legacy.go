package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// maxLegacyDepth bounds a path, and with the chain's own length what a walk may cost.
const maxLegacyDepth = 8

// VerifyLegacy is Verify for chains that crypto/x509 refuses because they are signed with SHA-1: it walks from the leaf to a root
// itself. A chain that crypto/x509 accepts is left to it. roots are certificates that the walk may end at; besides them it ends at
// a certificate of the chain that is in t.Roots, for a pool cannot be listed.
//
// A collision of SHA-1 can be made for some ten thousand dollars, so that whoever the authority signs for can be another: this is
// for old devices, under a policy that names it. Name constraints are not computed: a path that has any is refused.
// See RFC 5280 §6.1 for the checks.
func (c *Chain) VerifyLegacy(from iana.Side, t Trust, roots []*x509.Certificate) ([][]*x509.Certificate, error) {
	paths, err := c.Verify(from, t)
	if err == nil || c.weak() == nil {
		return paths, err
	}
	w := walk{chain: c, trust: t, roots: roots, now: t.Now}
	if w.now.IsZero() {
		w.now = time.Now()
	}
	if err := w.leaf(from); err != nil {
		return nil, alert.Fail(alert.BadCertificate, "RFC 5280 §6.1", "%w", err)
	}
	path := w.up([]*x509.Certificate{c.Leaf()})
	if path == nil {
		return nil, err // crypto/x509's, which says what is weak
	}
	return [][]*x509.Certificate{path}, nil
}

// walk is one search for a path.
type walk struct {
	chain *Chain
	trust Trust
	roots []*x509.Certificate
	now   time.Time
}

// leaf checks what concerns the leaf alone.
func (w *walk) leaf(from iana.Side) error {
	leaf := w.chain.Leaf()
	want := x509.ExtKeyUsageClientAuth
	if from == iana.Server {
		want = x509.ExtKeyUsageServerAuth
		if err := leaf.VerifyHostname(w.trust.Name); err != nil {
			return err
		}
	}
	if len(leaf.ExtKeyUsage) > 0 && !slices.Contains(leaf.ExtKeyUsage, want) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return errors.New("the certificate is for another use")
	}
	return w.each(leaf)
}

// each checks what concerns every certificate of a path.
func (w *walk) each(c *x509.Certificate) error {
	switch {
	case w.now.Before(c.NotBefore) || w.now.After(c.NotAfter):
		return fmt.Errorf("the certificate of %q is valid from %v to %v", c.Subject, c.NotBefore, c.NotAfter)
	case len(c.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("the certificate of %q has critical extensions that are not known", c.Subject)
	case constrained(c):
		return fmt.Errorf("the certificate of %q constrains names, which is not computed here", c.Subject)
	}
	return nil
}

func constrained(c *x509.Certificate) bool {
	return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedIPRanges)+len(c.ExcludedIPRanges)+
		len(c.PermittedEmailAddresses)+len(c.ExcludedEmailAddresses)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0
}

// up extends a path to a root, or gives nil.
func (w *walk) up(path []*x509.Certificate) []*x509.Certificate {
	last := path[len(path)-1]
	for _, root := range w.roots {
		if last.Equal(root) {
			return path
		}
	}
	if trusts(w.trust.Roots, last, w.now) && w.trust.Roots != nil {
		return path
	}
	if len(path) == maxLegacyDepth {
		return nil
	}
	for _, parent := range slices.Concat(w.roots, w.chain.Certs[1:]) {
		if slices.ContainsFunc(path, parent.Equal) || !w.issued(parent, last, len(path)-1) {
			continue
		}
		if found := w.up(append(slices.Clone(path), parent)); found != nil {
			return found
		}
	}
	return nil
}

// issued tells whether parent may have issued, and did sign, child, with below certificates of authorities between it and the leaf.
func (w *walk) issued(parent, child *x509.Certificate, below int) bool {
	switch {
	case !slices.Equal(parent.RawSubject, child.RawIssuer), w.each(parent) != nil:
		return false
	case parent.Version == 3 && (!parent.BasicConstraintsValid || !parent.IsCA):
		return false
	case parent.KeyUsage != 0 && parent.KeyUsage&x509.KeyUsageCertSign == 0:
		return false
	case parent.BasicConstraintsValid && (parent.MaxPathLen > 0 || parent.MaxPathLenZero) && below > parent.MaxPathLen:
		return false
	}
	return signedBy(parent, child) == nil
}

// signedBy checks a signature, also one over SHA-1.
func signedBy(parent, child *x509.Certificate) error {
	digest := sha1.Sum(child.RawTBSCertificate)
	switch key := parent.PublicKey.(type) {
	case *rsa.PublicKey:
		if child.SignatureAlgorithm == x509.SHA1WithRSA {
			return rsa.VerifyPKCS1v15(key, crypto.SHA1, digest[:], child.Signature)
		}
	case *ecdsa.PublicKey:
		if child.SignatureAlgorithm == x509.ECDSAWithSHA1 {
			if !ecdsa.VerifyASN1(key, digest[:], child.Signature) {
				return errors.New("pki: a wrong signature")
			}
			return nil
		}
	}
	return parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
}
