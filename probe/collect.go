package probe

import (
	"context"
	"crypto/tls"
	"math/big"
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/pki"
)

// collect makes groups, primes, schemes and chains of the answers.
func (p *prober) collect(ctx context.Context) {
	for _, a := range p.answers {
		if a.Keys != nil && a.Keys.P != nil {
			p.prime(ctx, a)
		} else if a.Group != 0 {
			p.group(a.Group, a.Version)
		}
		if a.Scheme != 0 {
			p.scheme(a.Scheme, iana.TLS12)
		}
		p.chain(a.Chain, a.Staple != nil, a.Hello.Extensions.Has(iana.ExtSCT))
	}
}

func (p *prober) group(g iana.Group, v iana.Version) {
	name := max(v, iana.TLS12).String()
	for _, old := range p.report.Groups {
		if old.id == g && old.Version == name {
			return
		}
	}
	p.report.Groups = append(p.report.Groups, Group{g.String(), name, g.Hybrid(), g})
}

func (p *prober) scheme(x iana.SignatureScheme, v iana.Version) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, old := range p.report.Schemes {
		if old.id == x && old.Version == v.String() {
			return
		}
	}
	p.report.Schemes = append(p.report.Schemes, Scheme{x.String(), v.String(), x})
}

// maxPrimes bounds the primes of a server, each of which takes a second to test if it is long and a
// hostile one could send another in each answer.
const maxPrimes = 8

// prime adds a prime to the report, once.
func (p *prober) prime(ctx context.Context, a *Answer) {
	prime := new(big.Int).SetBytes(a.Keys.P)
	if len(p.report.Primes) == maxPrimes || slices.ContainsFunc(p.report.Primes,
		func(old Prime) bool { return old.p.Cmp(prime) == 0 }) {
		return
	}
	row := Prime{Bits: prime.BitLen(), Suite: a.Suite.String(), p: prime}
	id, name := kex.NameOf(a.Keys.P, a.Keys.G)
	if id != 0 ||
		name != "" && slices.ContainsFunc([]byte(name), func(b byte) bool { return b == '(' }) {
		row.Known, row.Safe = name, true
	} else if ctx.Err() != nil {
		return // there is no time to test it
	} else if row.Bits <= 8192 { // a longer one takes seconds
		half := new(big.Int).Rsh(prime, 1)
		row.Safe = prime.ProbablyPrime(0) && half.ProbablyPrime(0) // see kex.FiniteField
	}
	p.report.Primes = append(p.report.Primes, row)
}

// schemes13 finds the schemes that the server signs with in TLS 1.3, and its certificates: each
// handshake leaves out the scheme of the one before.
func (p *prober) schemes13(ctx context.Context) {
	left := pki.KnownSchemes()
	left = slices.DeleteFunc(slices.Clone(left), func(x iana.SignatureScheme) bool {
		return !slices.Contains(signing13, x)
	})
	for len(left) > 0 {
		sp := p.server.speak(ctx, 0, func(c *vitrine.Config) {
			only(iana.TLS13)(c)
			for _, x := range left {
				c.SignatureSchemes = append(c.SignatureSchemes, tls.SignatureScheme(x))
			}
		})
		verify := sp.message(iana.CertificateVerify)
		if verify == nil || len(verify.Raw) < 6 {
			if len(left) == len(signing13) && sp.err != nil {
				p.note("the certificates of TLS 1.3 were not told: " + words(sp.err))
			}
			return
		}
		x := iana.SignatureScheme(uint16(verify.Raw[4])<<8 | uint16(verify.Raw[5]))
		if !slices.Contains(left, x) {
			return
		}
		p.scheme(x, iana.TLS13)
		p.take13(sp)
		left = slices.DeleteFunc(left, func(y iana.SignatureScheme) bool { return x == y })
	}
}

// signing13 are the schemes with which TLS 1.3 signs. See RFC 8446 §4.2.3.
var signing13 = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384,
	iana.ECDSA_SECP521R1_SHA512, iana.ED25519, iana.ED448, iana.RSA_PSS_RSAE_SHA256,
	iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_RSAE_SHA512, iana.RSA_PSS_PSS_SHA256,
	iana.RSA_PSS_PSS_SHA384, iana.RSA_PSS_PSS_SHA512}

// take13 takes the chain of a handshake of TLS 1.3, with what is stapled to it.
func (p *prober) take13(sp *spoken) {
	if c := sp.certificate(); c != nil {
		p.chain(c.Chain, c.Leaf().Has(iana.ExtStatusRequest), c.Leaf().Has(iana.ExtSCT))
	}
}
