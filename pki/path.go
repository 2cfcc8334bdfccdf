package pki

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// maxSignatures bounds the signatures that one chain makes us verify, as crypto/x509 bounds them:
// certificates of one name and key can be arranged in as many paths as there are permutations.
const maxSignatures = 100

// A search looks for a path that crypto/x509 refuses for one reason only: it does not compute one
// of the path's signatures. The search itself compares names and verifies signatures, nothing else.
// Everything that RFC 5280 §6.1 and RFC 9525 demand besides is left to crypto/x509, which is given
// each path that was found in the form of copies signed with Ed25519: see judge.
type search struct {
	chain *Chain
	trust Trust
	opts  x509.VerifyOptions // for the leaf
	left  int                // signatures that may still be verified
	err   error              // why crypto/x509 refused the first path that was found, or nil
}

// find returns a path from the leaf to a root, or nil. Roots are the certificates of trust.Listed
// and those that can be told to be in trust.Roots: certificates of the chain, and the issuers of
// those that crypto/x509 can verify.
func (c *Chain) find(t Trust, opts x509.VerifyOptions) ([]*x509.Certificate, error) {
	s := &search{chain: c, trust: t, opts: opts, left: maxSignatures}
	return s.extend([]*x509.Certificate{c.Leaf()}, false), s.err
}

// foreign reports whether the chain or a listed root has anything that crypto/x509 does not
// compute.
func (c *Chain) foreign(t Trust) bool {
	return slices.ContainsFunc(c.Certs, func(cert *x509.Certificate) bool {
		return cert.PublicKey == nil || foreignSignature(cert)
	}) || slices.ContainsFunc(t.Listed, func(root *x509.Certificate) bool {
		return root.PublicKey == nil
	})
}

// extend returns the first path that begins with path and that judge accepts, or nil. needed says
// that crypto/x509 cannot verify a signature of path. Without one, the verdict of crypto/x509 is
// final.
func (s *search) extend(path []*x509.Certificate, needed bool) []*x509.Certificate {
	last := path[len(path)-1]
	roots, anchored := s.roots(last)
	if anchored && needed && s.judge(path) {
		return path
	}
	for i, parent := range append(roots, s.chain.Certs[1:]...) {
		if !slices.Equal(parent.RawSubject, last.RawIssuer) ||
			slices.ContainsFunc(
				path,
				func(c *x509.Certificate) bool { return sameEntity(c, parent) },
			) {
			continue
		}
		if s.left--; s.left < 0 {
			return nil
		}
		ours, ok := signedBy(parent, last, s.trust.Weak)
		if !ok {
			continue
		}
		longer := append(slices.Clip(path), parent)
		if i >= len(roots) {
			if found := s.extend(longer, needed || ours); found != nil {
				return found
			}
		} else if (needed || ours) && s.judge(longer) {
			return longer
		}
	}
	return nil
}

// sameEntity reports whether two certificates are of one holder with one key, as crypto/x509 sees
// it: a path does not contain it twice. Otherwise authorities that sign one another would multiply
// the paths.
func sameEntity(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) &&
		bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) &&
		bytes.Equal(extensionOf(a, oidSubjectAltName), extensionOf(b, oidSubjectAltName))
}

// extensionOf returns the value of an extension, or nil.
func extensionOf(c *x509.Certificate, id asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}

// roots lists the roots that may have issued c, and reports whether c is a root itself. A pool
// cannot be listed, but crypto/x509 returns what it finds there: a path of c alone if c is in the
// pool, and c with its issuer if that is and has signed c in a way that crypto/x509 computes.
func (s *search) roots(c *x509.Certificate) (issuers []*x509.Certificate, isRoot bool) {
	issuers, isRoot = slices.Clone(s.trust.Listed), slices.ContainsFunc(s.trust.Listed, c.Equal)
	paths, _ := c.Verify(x509.VerifyOptions{Roots: s.trust.Roots, CurrentTime: s.trust.Now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	for _, path := range paths {
		switch len(path) {
		case 1:
			isRoot = true
		case 2:
			issuers = append(issuers, path[1])
		}
	}
	return issuers, isRoot
}

// judge reports whether crypto/x509 accepts a path whose signatures were verified. Each certificate
// is replaced by a copy with a key of its own for this one purpose, signed by the next one's: so
// crypto/x509 can only find this very path, and applies all its other checks to it.
func (s *search) judge(path []*x509.Certificate) bool {
	if s.left -= len(path); s.left < 0 { // it computes as many
		return false
	}
	copies, keys := make([]*x509.Certificate, len(path)), make([]ed25519.PrivateKey, len(path))
	for i, c := range path {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return false
		}
		cert := *c
		cert.PublicKeyAlgorithm, cert.PublicKey = x509.Ed25519, public
		copies[i], keys[i] = &cert, private
	}
	opts := s.opts
	opts.Roots, opts.Intermediates = x509.NewCertPool(), x509.NewCertPool()
	for i, c := range copies {
		signer := keys[min(i+1, len(keys)-1)]
		c.SignatureAlgorithm = x509.PureEd25519
		c.Signature = ed25519.Sign(signer, c.RawTBSCertificate)
		if i == len(copies)-1 {
			opts.Roots.AddCert(c)
		} else if i > 0 {
			opts.Intermediates.AddCert(c)
		}
	}
	found, err := copies[0].Verify(opts)
	if err != nil && s.err == nil {
		if e, ok := err.(x509.CertificateInvalidError); ok { // name the peer's, not our copy
			e.Cert = path[max(slices.Index(copies, e.Cert), 0)]
			err = e
		}
		s.err = err
	}
	return err == nil && len(found) == 1 && slices.Equal(found[0], copies)
}
