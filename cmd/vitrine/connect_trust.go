package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/pki"
)

// explainTrust explains why a certificate is not trusted.
func (c *caller) explainTrust(ctx context.Context, failure *diagnose.Failure, f *failureReport) {
	switch err := failure.Trust.Err.(type) {
	case x509.HostnameError:
		if c.trySNI(ctx, err.Certificate, f) {
			return
		}
	case *pki.WeakError, x509.UnknownAuthorityError:
		for _, p := range c.prove(ctx, failure.Changes(c.config), false) {
			if p.Err == nil {
				f.Proved = "with this change the certificate is trusted"
				f.Works, f.Go, f.Costs = c.line(nil, flagsOf(&p.Change)...), p.Change.Go,
					p.Change.Costs
				return
			}
		}
		if _, weak := err.(*pki.WeakError); weak {
			break // another root does not make the signature better
		}
		f.Try = append(f.Try,
			c.line(nil, flagChange{Name: "ca",
				Value: "roots.pem"})+" # if you have the authority's certificate")
	}
	if text := c.sameName(failure.Trust.UnverifiedCertificates); text != "" {
		f.Inferred = append(f.Inferred, text)
	}
	if leaf := failure.Trust.UnverifiedCertificates; len(leaf) > 0 && selfIssued(leaf[0]) {
		pin := c.line(nil, flagChange{Name: "insecure"},
			flagChange{Name: "pin", Value: pinOf(leaf[0])})
		f.Try = append(f.Try, pin+confirmed)
	}
	look := c.line([]string{"chain-out"}, flagChange{Name: "insecure"},
		flagChange{Name: "chain-out", Value: "chain.pem"})
	f.Try = append(f.Try, look+" # to look, not to trust")
}

// trySNI tries whether the certificate is trusted for a name that it has.
func (c *caller) trySNI(ctx context.Context, cert *x509.Certificate, f *failureReport) bool {
	names := slices.DeleteFunc(diagnose.Names(cert),
		func(n string) bool { return strings.Contains(n, "*") })
	if len(names) == 0 || c.noRetry {
		return false
	}
	c.progress.step("asking for %s", names[0])
	config := c.config.Clone()
	config.ServerName = names[0]
	if _, err := c.try(ctx, config); err != nil {
		return false
	}
	f.Proved = "the certificate is trusted for " + names[0]
	f.Works = c.line(nil, flagChange{Name: "no-sni", Drop: true},
		flagChange{Name: "sni", Value: names[0]})
	f.Go = fmt.Sprintf("ServerName: %q", names[0])
	f.Costs = "nothing, if " + names[0] + " is whom you mean to talk to"
	return true
}

// selfIssued reports whether a certificate names itself as its issuer.
func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// sameName says that a root of --ca has the name that the chain's last issuer has, and another key.
func (c *caller) sameName(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return ""
	}
	last := chain[len(chain)-1]
	for _, root := range c.config.LegacyRoots {
		if bytes.Equal(root.RawSubject, last.RawIssuer) && diagnose.Disowns(last, root) {
			return "a root of that name is trusted here, but with another key: it was replaced, " +
				"or this is another authority"
		}
	}
	return ""
}
