package pki

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// ca is an edit that makes an authority of that name.
func ca(name string, edits ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: name}, nil
		c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCertSign
		for _, edit := range edits {
			edit(c)
		}
	}
}

func codeSigning(c *x509.Certificate) {
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
}
func otherUsage(c *x509.Certificate) {
	c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, []int{1, 3, 6, 1, 4, 1, 99999, 1})
}
func expired(c *x509.Certificate)  { c.NotAfter = now.Add(-time.Minute) }
func tooEarly(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }
func lastCA(c *x509.Certificate)   { c.MaxPathLenZero = true }
func elsewhere(c *x509.Certificate) {
	c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"elsewhere.test"}
}
func notHere(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"a.test"} }
func onlyNet10(c *x509.Certificate) {
	c.PermittedIPRanges = []*net.IPNet{{IP: net.IP{10, 0, 0, 0}, Mask: net.CIDRMask(8, 32)}}
}
func unknownCritical(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions,
		pkix.Extension{Id: []int{1, 3, 6, 1, 4, 1, 99999, 2}, Critical: true, Value: []byte{5, 0}})
}
func permitsTest(c *x509.Certificate)   { c.PermittedDNSDomains = []string{"test"} }
func noCA(c *x509.Certificate)          { c.IsCA = false }
func noConstraints(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }
func noCertSign(c *x509.Certificate)    { c.KeyUsage = x509.KeyUsageCRLSign }
func elsewhereByIP(c *x509.Certificate) { c.IPAddresses = []net.IP{{192, 0, 2, 1}} }
func otherName(c *x509.Certificate)     { c.DNSNames = []string{"b.test"} }
func forServers(c *x509.Certificate) {
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// pathCase is a chain, and whether there is a path through it. Roots are listed, and in the pool.
type pathCase struct {
	name   string
	chain  []*node
	roots  []*node
	ok     bool // with Trust.Weak
	strong bool // and without
}

// chains of one root, one intermediate and one leaf, each signed with sig.
type chainOf struct {
	t   testing.TB
	sig sigAlg
	pss bool // the authorities' keys say RSASSA-PSS
	ec  bool // they are of ECDSA, which is quicker, and not of RSA
}

// key returns the key of the root, 0, or of an authority below it, 1.
func (c chainOf) key(i int) crypto.Signer {
	if c.ec {
		return forgeKeys().ecdsa[2+i]
	}
	return forgeKeys().rsa[i]
}

func (c chainOf) form() form { return form{sig: c.sig, pss: c.pss} }

func (c chainOf) root(edits ...func(*x509.Certificate)) *node {
	return issue509(c.t, nil, c.key(0), c.form(), ca("root", edits...))
}

func (c chainOf) under(parent *node, edits ...func(*x509.Certificate)) *node {
	return issue509(c.t, parent, c.key(1), c.form(), ca("intermediate", edits...))
}

func (c chainOf) leaf(parent *node, edits ...func(*x509.Certificate)) *node {
	return c.leafOf(parent, form{sig: sha256ECDSA}, edits...)
}

func (c chainOf) leafOf(parent *node, f form, edits ...func(*x509.Certificate)) *node {
	return issue509(c.t, parent, forgeKeys().ecdsa[1], f, func(c *x509.Certificate) {
		for _, edit := range edits {
			edit(c)
		}
	})
}

// whole is leaf, intermediate, with the root apart.
func (c chainOf) whole(name string, ok bool, root, under, leaf func(*x509.Certificate)) pathCase {
	none := func(*x509.Certificate) {}
	for _, e := range []*func(*x509.Certificate){&root, &under, &leaf} {
		if *e == nil {
			*e = none
		}
	}
	r := c.root(root)
	u := c.under(r, under)
	return pathCase{name: name, chain: []*node{c.leaf(u, leaf), u}, roots: []*node{r}, ok: ok}
}

// signatureCases ask which signatures count.
func signatureCases(t testing.TB) []pathCase {
	keys := forgeKeys()
	direct := func(name string, root *node, ok, strong bool) pathCase {
		return pathCase{name, []*node{chainOf{t: t}.leaf(root)}, []*node{root}, ok, strong}
	}
	root := func(key crypto.Signer, f form) *node { return issue509(t, nil, key, f, ca("root")) }
	byRSA := func(s sigAlg) *node { return root(keys.rsa[0], form{sig: s}) }
	byPSS := func(s sigAlg) *node { return root(keys.rsa[0], form{pss: true, sig: s}) }
	byECDSA := func(s sigAlg) *node { return root(keys.ecdsa[0], form{sig: s}) }
	return []pathCase{
		direct("SHA-1 with RSA", byRSA(sha1RSA), true, false),
		direct("SHA-1 with RSA, the other OID", byRSA(sha1ISO), true, false),
		direct("SHA-224 with RSA, RFC 4055 §5", byRSA(sha224RSA), true, false),
		direct("SHA-1 with ECDSA", byECDSA(sha1ECDSA), true, false),
		direct("SHA-224 with ECDSA, RFC 5758 §3.2", byECDSA(sha224ECDSA), true, false),
		direct("MD5 with RSA", byRSA(md5RSA), false, false),
		direct("PSS with a long salt, by an rsaEncryption key", byRSA(pssLongSalt), true, true),
		direct("PSS with a short salt", byRSA(pssNoSalt), false, false),
		direct("PSS with SHA-1", byRSA(pssSHA1), true, false),
		direct("an RSASSA-PSS key", byPSS(pssSHA256), true, true),
		direct("an RSASSA-PSS key, a long salt", byPSS(pssLongSalt), true, true),
		direct("an RSASSA-PSS key, PKCS #1 v1.5, RFC 4055 §1.2", byPSS(sha256RSA), false, false),
		direct("an RSASSA-PSS key, PKCS #1 v1.5 with SHA-1", byPSS(sha1RSA), false, false),
		direct("an Ed448 key", root(keys.ed448, form{sig: ed448Alg}), true, true),
	}
}

// weakCases have a weak signature on each path, and one more property.
func weakCases(t testing.TB) []pathCase {
	c := chainOf{t: t, sig: sha1RSA}
	leafUnder := func(parent *node) []*node { return []*node{c.leaf(parent), parent} }
	root := c.root()
	mid := c.under(root)
	v1 := issue509(t, root, forgeKeys().rsa[1], form{sig: sha1RSA, v1: true}, ca("device"))
	other := issue509(t, nil, forgeKeys().rsa[1], form{sig: sha1RSA}, ca("root"))
	v1root := issue509(t, nil, forgeKeys().rsa[0], form{sig: sha1RSA, v1: true}, ca("root"))
	plain := c.leaf(root)
	leafCA := &node{cert: plain.cert, key: forgeKeys().ecdsa[1], sig: sha1ECDSA}
	rooted := []*node{root}
	sameName := issue509(t, root, forgeKeys().rsa[1], form{sig: sha1RSA}, ca("root", elsewhere))
	return []pathCase{
		c.whole("with an intermediate", true, nil, nil, nil),
		{"in any order, with others between", []*node{c.leaf(mid), other, root, plain, mid}, rooted,
			true, false},
		{"a root of version 1", []*node{c.leaf(v1root)}, []*node{v1root}, true, false},
		c.whole("path length 0, RFC 5280 §4.2.1.9", true, nil, lastCA, nil),
		c.whole("a constraint that the name fulfils", true, permitsTest, nil, nil),
		{"an intermediate of version 1, RFC 5280 §6.1.4 (k)", leafUnder(v1), rooted, false, false},
		{"the intermediate is a leaf", leafUnder(leafCA), rooted, false, false},
		c.whole("no cA in basicConstraints", false, nil, noCA, nil),
		c.whole("no basicConstraints", false, nil, noConstraints, nil),
		c.whole("no keyCertSign, §6.1.4 (n)", false, nil, noCertSign, nil),
		c.whole("an intermediate for code signing", false, nil, codeSigning, nil),
		c.whole("an intermediate for an unknown usage", false, nil, otherUsage, nil),
		c.whole("a root for code signing", false, codeSigning, nil, nil),
		c.whole("a leaf for an unknown usage, §4.2.1.12", false, nil, nil, otherUsage),
		c.whole("a leaf for clients", false, nil, nil, throwaway.ForClient),
		c.whole("the root's permitted names, §4.2.1.10", false, elsewhere, nil, nil),
		c.whole("the root's excluded names", false, notHere, nil, nil),
		c.whole("the intermediate's permitted names", false, nil, elsewhere, nil),
		c.whole("the intermediate's permitted addresses", false, nil, onlyNet10, elsewhereByIP),
		c.whole("the root's path length", false, lastCA, nil, nil),
		c.whole("the leaf expired", false, nil, nil, expired),
		c.whole("the intermediate expired", false, nil, expired, nil),
		c.whole("the root expired", false, expired, nil, nil),
		c.whole("the intermediate is not valid yet", false, nil, tooEarly, nil),
		c.whole("an unknown critical extension, §4.2", false, nil, unknownCritical, nil),
		c.whole("an unknown critical extension of the root", false, unknownCritical, nil, nil),
		c.whole("another name, RFC 9525 §6", false, nil, nil, otherName),
		{"another authority of the same name", []*node{plain}, []*node{other}, false, false},
		{"no root", []*node{plain, root}, nil, false, false},
		// By their names alone the root could have issued the leaf, and the constraint would not
		// count.
		{"an intermediate of the root's name, with a constraint", leafUnder(sameName), rooted,
			false, false},
	}
}

// mixedCases have weak signatures in the chain, but not where they are needed.
func mixedCases(t testing.TB) []pathCase {
	weak, good := chainOf{t: t, sig: sha1RSA}, chainOf{t: t, sig: sha256RSA}
	unrelated := weak.leaf(weak.root())
	with := func(name string, root, under func(*x509.Certificate)) pathCase {
		c := good.whole(name+", and an unrelated SHA-1 certificate", false, root, under, nil)
		c.chain = append(c.chain, unrelated)
		return c
	}
	return []pathCase{
		with("SHA-256 for code signing", nil, codeSigning),
		with("SHA-256 under an expired intermediate", nil, expired),
		with("SHA-256 against a name constraint", elsewhere, nil),
	}
}

// RFC 5280 §6.1, in the manner of x509-limbo: crypto/x509's verdict holds but for signatures.
func TestAPathIsRefusedForEverythingButItsSignatures(t *testing.T) {
	for _, tt := range append(append(signatureCases(t), weakCases(t)...), mixedCases(t)...) {
		t.Run(tt.name, func(t *testing.T) {
			trust := Trust{Roots: x509.NewCertPool(), Name: "a.test", Now: now}
			chain := new(Chain)
			for _, n := range tt.chain {
				chain.Certs = append(chain.Certs, n.cert)
			}
			for _, n := range tt.roots {
				trust.Roots.AddCert(n.cert)
				trust.Listed = append(trust.Listed, n.cert)
			}
			for _, trust.Weak = range []bool{false, true} {
				want := tt.strong || tt.ok && trust.Weak
				paths, err := chain.Verify(iana.Server, trust)
				if (err == nil) != want || want && len(paths) != 1 {
					t.Errorf("weak %v: got %d paths and %v, expected it to hold: %v",
						trust.Weak, len(paths), err, want)
				}
				_, ok := errors.AsType[*tls.CertificateVerificationError](err)
				if err != nil && !ok {
					t.Errorf("weak %v: got %v, expected another cause", trust.Weak, err)
				}
			}
			if !tt.ok {
				return
			}
			trust.Weak = true
			for i := range chain.Certs { // each signature counts
				bad := flippedIn(chain, i)
				paths, err := bad.Verify(iana.Server, trust)
				if err == nil && slices.Contains(paths[0], bad.Certs[i]) {
					t.Errorf("a flipped bit in signature %d was not noticed", i+1)
				}
			}
		})
	}
}

// flippedIn copies a chain, with one bit changed in the signature of certificate i.
func flippedIn(chain *Chain, i int) *Chain {
	bad := &Chain{Certs: slices.Clone(chain.Certs)}
	c := *bad.Certs[i]
	c.Signature = slices.Clone(c.Signature)
	c.Signature[len(c.Signature)-1] ^= 1
	bad.Certs[i] = &c
	return bad
}

// trusting trusts a listed root and an empty pool.
func trusting(name string, roots ...*x509.Certificate) Trust {
	return Trust{Roots: x509.NewCertPool(), Listed: roots, Name: name, Now: now, Weak: true}
}

// A pool cannot be listed. A root in it is found if a certificate of the chain leads to it.
func TestARootIsFoundInAPool(t *testing.T) {
	weak := chainOf{t: t, sig: sha1RSA}
	strongRoot := issue509(t, nil, forgeKeys().rsa[0], form{sig: sha256RSA}, ca("root"))
	bound := issue509(t, nil, forgeKeys().rsa[0], form{sig: sha256RSA}, ca("root", elsewhere))
	short := issue509(t, nil, forgeKeys().rsa[0], form{sig: sha256RSA}, ca("root", lastCA))
	sha1Root := weak.root()
	under := func(root *node) []*node { m := weak.under(root); return []*node{weak.leaf(m), m} }
	for _, tt := range []struct {
		name  string
		chain []*node
		root  *node
		ok    bool
	}{
		{"it signed with SHA-256, and is not sent", under(strongRoot), strongRoot, true},
		{"its name constraint counts all the same", under(bound), bound, false},
		{"and its path length", append([]*node{}, under(short)...), short, false},
		{"it signed with SHA-1, and is sent", append(under(sha1Root), sha1Root), sha1Root, true},
		{"it signed with SHA-1, and is not sent", under(sha1Root), sha1Root, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chain, pool := new(Chain), x509.NewCertPool()
			for _, n := range tt.chain {
				chain.Certs = append(chain.Certs, n.cert)
			}
			pool.AddCert(tt.root.cert)
			trust := trusting("a.test")
			trust.Roots = pool
			paths, err := chain.Verify(iana.Server, trust)
			if (err == nil) != tt.ok {
				t.Errorf("got %v, expected it to hold: %v", err, tt.ok)
			}
			if err == nil && !paths[0][len(paths[0])-1].Equal(tt.root.cert) {
				t.Errorf("the path ends with %v", paths[0][len(paths[0])-1].Subject)
			}
		})
	}
}

// The reason is crypto/x509's about the path that was found, and its certificate the peer's.
func TestAPathThatFailsHasItsTrueReason(t *testing.T) {
	c := chainOf{t: t, sig: sha1RSA}
	for _, tt := range []struct {
		name string
		pathCase
		reason x509.InvalidReason
		alert  alert.Description
	}{
		{"usage", c.whole("", false, nil, codeSigning, nil), x509.IncompatibleUsage,
			alert.UnsupportedCertificate},
		{"names", c.whole("", false, elsewhere, nil, nil), x509.CANotAuthorizedForThisName,
			alert.BadCertificate},
		{"time", c.whole("", false, nil, expired, nil), x509.Expired, alert.CertificateExpired},
	} {
		chain := &Chain{Certs: []*x509.Certificate{tt.chain[0].cert, tt.chain[1].cert}}
		_, err := chain.Verify(iana.Server, trusting("a.test", tt.roots[0].cert))
		invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
		if !ok || invalid.Reason != tt.reason || alert.Of(err) != tt.alert {
			t.Errorf("%s: got %v (%v)", tt.name, err, alert.Of(err))
			continue
		}
		if !slices.Contains(chain.Certs, invalid.Cert) {
			t.Errorf("%s: the error is about a certificate that the peer did not send", tt.name)
		}
	}
}

// Client certificates take the same way, for another usage and without a name.
func TestAClientsPathIsJudgedForClients(t *testing.T) {
	c := chainOf{t: t, sig: sha1RSA}
	for _, tt := range []struct {
		pathCase
		ok bool
	}{
		{c.whole("for clients", true, nil, nil, throwaway.ForClient), true},
		{c.whole("for servers", true, nil, nil, forServers), false},
	} {
		chain := &Chain{Certs: []*x509.Certificate{tt.chain[0].cert, tt.chain[1].cert}}
		_, err := chain.Verify(iana.Client, trusting("", tt.roots[0].cert))
		if (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// Certificates of one name and key sign one another: n of them make n! paths. Fourteen took hours.
func TestPathsThatMultiplyAreBounded(t *testing.T) {
	stranger := issue509(t, nil, forgeKeys().rsa[1], form{sig: sha1RSA}, ca("maze"))
	for _, sig := range []sigAlg{sha1RSA, sha256RSA} {
		key, f := forgeKeys().rsa[0], form{sig: sig}
		root := issue509(t, nil, key, f, ca("maze"))
		chain := &Chain{Certs: []*x509.Certificate{chainOf{t: t, sig: sig}.leaf(root).cert}}
		for i := range 14 { // another subjectAltName makes another authority
			chain.Certs = append(chain.Certs, issue509(t, root, key, f, ca("maze",
				func(c *x509.Certificate) { c.DNSNames = []string{fmt.Sprint(i, ".test")} })).cert)
		}
		unrelated := chainOf{t: t, sig: sha1RSA}.leaf(stranger).cert
		chain.Certs = append(chain.Certs, unrelated)
		for name, roots := range map[string][]*x509.Certificate{
			"no root":               nil,
			"a root that fits none": {stranger.cert},
			"a root that ends each path with a fault": {
				issue509(t, nil, key, f, ca("maze", elsewhere)).cert,
			},
		} {
			trust := trusting("a.test", roots...)
			begin := time.Now()
			if _, err := chain.Verify(iana.Server, trust); err == nil {
				t.Errorf("%s: it holds", name)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s: took %v", name, took)
			}
			s := &search{chain: chain, trust: trust, left: maxSignatures}
			if s.extend(chain.Certs[:1], false); s.left >= 0 {
				t.Errorf("%s: %d signatures were enough: it is no maze", name, maxSignatures-s.left)
			}
		}
	}
}
