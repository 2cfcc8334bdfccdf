package pki

import (
	"crypto/x509"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// A verifier is a way to a verdict on a chain. Rules that do not depend on signatures have the same
// verdict in all: see TestEveryVerifierHasTheSameRules.
type verifier struct {
	name string
	form chainOf // how the authorities sign
	// Config.Policy Legacy, with Config.LegacyRoots: only then other than crypto/x509's signatures
	// with SHA-1 are looked at
	weak bool
}

var verifiers = []verifier{
	{"crypto/x509's path", chainOf{sig: sha256ECDSA, ec: true}, false},
	{"our path, keys of RSASSA-PSS", chainOf{sig: pssSHA256, pss: true}, false},
	{"our path, SHA-1", chainOf{sig: sha1ECDSA, ec: true}, true},
}

// verify returns what v says of a chain of raw certificates from a side.
func (v verifier) verify(
	raw [][]byte,
	from iana.Side,
	name string,
	roots []*x509.Certificate,
) error {
	chain, err := ReadChain(raw)
	if err != nil {
		return err
	}
	trust := Trust{Roots: x509.NewCertPool(), Listed: roots, Now: now, Weak: v.weak}
	if from == iana.Server {
		trust.Name = name
	}
	for _, root := range roots {
		trust.Roots.AddCert(root)
	}
	paths, err := chain.Verify(from, trust)
	if err != nil {
		return err
	}
	return stillHolds(paths, trust)
}

// stillHolds returns an error if what was verified would not be resumed. See RFC 8446 §4.6.1.
func stillHolds(paths [][]*x509.Certificate, t Trust) error {
	if from := t.Name; from != "" && len(Still(paths, t)) == 0 {
		return errNotResumed
	}
	return nil
}

// standard returns crypto/x509's own verdict, asked as crypto/tls asks.
func standard(raw [][]byte, from iana.Side, name string, roots []*x509.Certificate) error {
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if from == iana.Server {
		opts.DNSName, opts.KeyUsages = name, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, root := range roots {
		opts.Roots.AddCert(root)
	}
	var leaf *x509.Certificate
	for i, der := range raw {
		c, err := x509.ParseCertificate(der)
		switch {
		case err != nil:
			return err
		case i == 0:
			leaf = c
		default:
			opts.Intermediates.AddCert(c)
		}
	}
	_, err := leaf.Verify(opts)
	return err
}

// A rule is a chain, and who may use it: a server that was asked for by name, "a.test" unless ask
// says another, and a client. Its name ends with the section that says so.
type rule struct {
	name           string
	ask            string
	server, client bool
	build          func(c chainOf) (chain, roots []*node)
	differs        string // where crypto/x509 has another verdict, why ours is better
}

// Every verifier has the same rules, and they are crypto/x509's. x509-limbo and BetterTLS, from
// which the kinds of cases are, can be run besides: see TestOthersSuites.
func TestEveryVerifierHasTheSameRules(t *testing.T) {
	var rules []rule
	for _, table := range [][]rule{nameRules(), addressRules(), constraintRules(), usageRules(),
		lengthRules(), loopRules(), crossRules(), encodingRules()} {
		rules = append(rules, table...)
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.name] {
			t.Errorf("two rules are called %q", r.name)
		}
		seen[r.name] = true
		if r.ask == "" {
			r.ask = "a.test"
		}
		for _, v := range verifiers {
			v.form.t = t
			chain, roots := r.build(v.form)
			raw, listed := ders(chain), certs(roots)
			for from, holds := range map[iana.Side]bool{iana.Server: r.server,
				iana.Client: r.client} {
				if err := v.verify(raw, from, r.ask, listed); (err == nil) != holds {
					t.Errorf("%s: %s of a %v: it holds: %v, expected %v (%v)", r.name, v.name, from,
						err == nil, holds, err)
				}
				if v.name != verifiers[0].name {
					continue // crypto/x509 has no verdict on these signatures
				}
				err := standard(raw, from, r.ask, listed)
				if same := (err == nil) == holds; same == (r.differs != "") {
					t.Errorf("%s: crypto/x509 says %v of a %v; differs: %q", r.name, err, from,
						r.differs)
				}
			}
		}
	}
	t.Logf("%d rules, %d verifiers, both sides", len(rules), len(verifiers))
}

func ders(chain []*node) (raw [][]byte) {
	for _, n := range chain {
		raw = append(raw, n.cert.Raw)
	}
	return raw
}

func certs(nodes []*node) (all []*x509.Certificate) {
	for _, n := range nodes {
		all = append(all, n.cert)
	}
	return all
}
