package playground

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// identities are the certificates of a run. They follow from a few values of its Setup, and nothing
// changes them.
type identities struct {
	roots          *x509.CertPool
	server, client tls.Certificate // the client's is empty if it has none
}

// issue is what identities follow from.
type issue struct {
	seed   string
	kind   throwaway.Kind
	flaw   Flaw
	client bool
}

// issued has the identities of the run before. To issue certificates takes as long as a handshake,
// and the runs of a page mostly differ by their acts.
var issued struct {
	sync.Mutex
	what issue
	last *identities
}

// identities returns those of the run.
func (p *plan) identities() (*identities, error) {
	issued.Lock()
	defer issued.Unlock()
	what := issue{p.Seed, p.kind(), p.Flaw, p.ClientCertificate}
	if issued.last != nil && issued.what == what {
		return issued.last, nil
	}
	c, err := p.issue()
	if err != nil {
		return nil, err
	}
	issued.what, issued.last = what, c
	return c, nil
}

// issue issues the certificates.
func (p *plan) issue() (*identities, error) {
	ca, err := throwaway.New(throwaway.Options{Seed: p.source("certificates")})
	if err != nil {
		return nil, err
	}
	c := &identities{roots: ca.Pool()}
	if c.server, err = p.flawed(ca); err != nil || !p.ClientCertificate {
		return c, err
	}
	c.client, err = ca.Issue(p.kind(), []string{"client." + Name}, throwaway.ForClient)
	return c, err
}

// flawed issues the server's certificate, with the flaw that it is to have.
func (p *plan) flawed(ca *throwaway.CA) (c tls.Certificate, err error) {
	name := Name
	var edits []func(*x509.Certificate)
	const day = 24 * time.Hour
	switch p.Flaw {
	case WrongName:
		name = "other." + Name
	case Expired:
		edits = append(edits, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = ca.Now.Add(-30*day), ca.Now.Add(-day)
		})
	case NotYet:
		edits = append(edits, func(c *x509.Certificate) { c.NotBefore = ca.Now.Add(day) })
	case UnknownRoot:
		ca, err = throwaway.New(throwaway.Options{Seed: p.source("another authority")})
	case NoPath:
		ca, err = ca.Intermediate()
	case WrongUsage:
		edits = append(edits, throwaway.ForClient)
	}
	if err != nil {
		return c, err
	}
	if c, err = ca.Issue(p.kind(), []string{name}, edits...); p.Flaw == NoPath {
		c.Certificate = c.Certificate[:1]
	}
	return c, err
}

// source returns a stream of bytes that is derived from the seed, a different one for each purpose.
func (p *plan) source(purpose string) io.Reader {
	return rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "vitrine playground\x00%s\x00%s",
		purpose, p.Seed)))
}
