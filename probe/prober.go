package probe

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/bug"
)

// Trust is what the server's certificates are checked against.
type Trust struct {
	Name   string              // a DNS name or an IP address
	Roots  *x509.CertPool      // nil: the system's
	Listed []*x509.Certificate // further roots
	Now    time.Time           // zero: the time of the probe
}

// prober is one run.
type prober struct {
	server *Server
	report *Report
	name   string
	roots  *x509.CertPool
	listed []*x509.Certificate

	mu       sync.Mutex
	greeting *Answer // to the first hello, which is also the first that looks for suites of TLS 1.2

	answers []*Answer // all that were accepted while the suites were found

	first12, first13 func() *spoken // handshakes that several questions look at; made once
	cache12, cache13 vitrine.ClientSessionCache
	together         func() bool // the server accepts all oddities together
}

// note adds the reason why a question was not asked.
func (p *prober) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.report.Problem != "" {
		text = p.report.Problem + "; " + text
	}
	p.report.Problem = text
}

// side runs functions at the same time and waits for all; Server limits the number of simultaneous
// connections.
func side(run ...func()) {
	var all bug.Group
	for _, f := range run {
		all.Go(f)
	}
	all.Wait()
}

// question is something to find out when the versions and their suites are known.
type question struct {
	id, what string
	ask      func(context.Context, *prober) (Told, How, string)
}

// base is the hello that each question changes in one thing: the newest version until TLS 1.2 and
// the suites that the server accepted in it.
func (p *prober) base() *Offer {
	v := p.report.best(iana.TLS12)
	if v == nil {
		return nil
	}
	return &Offer{Version: v.version, Suites: v.ids(), Groups: v.groups(), Schemes: schemes}
}

// base13 is base in TLS 1.3.
func (p *prober) base13() *Offer {
	v := p.report.version(iana.TLS13)
	if v.Told != Yes {
		return nil
	}
	return &Offer{Version: iana.TLS13, Suites: v.ids(), Groups: groups13, Schemes: schemes}
}

// either is the base of the newest version.
func (p *prober) either() *Offer {
	if o := p.base13(); o != nil {
		return o
	}
	return p.base()
}

// sample returns an answer that was accepted in the newest version until most, or nil.
func (p *prober) sample(most iana.Version) *Answer {
	v := p.report.best(most)
	if v == nil || v.version < iana.TLS10 {
		return nil
	}
	for _, a := range p.answers {
		if a.Version == v.version {
			return a
		}
	}
	return nil
}

// fresh returns n random bytes.
func fresh(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
