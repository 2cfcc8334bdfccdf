package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// chainsOf returns a leaf's chain with its intermediate, and the root's authority.
func chainsOf(t testing.TB, seed string) (chain *Chain, root *throwaway.CA) {
	t.Helper()
	root = newCA(t, seed)
	between, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := between.Issue(throwaway.ECDSA, []string{"known.test", "also.test"})
	if err != nil {
		t.Fatal(err)
	}
	if chain, err = ParseChain(leaf.Certificate); err != nil {
		t.Fatal(err)
	}
	return chain, root
}

// A verdict serves for the same question alone: RFC 5280 §6.1's inputs, and the name.
func TestAVerdictHoldsForTheSameQuestionOnly(t *testing.T) {
	chain, root := chainsOf(t, "verdicts")
	other, _ := chainsOf(t, "other verdicts")
	pool, grown := root.Pool(), root.Pool()
	asked := Trust{Roots: pool, Name: "known.test", Now: now}
	leaf := chain.Leaf()
	for _, c := range []struct {
		what string
		edit func(*Trust, *iana.Side, **Chain)
		want bool
	}{
		{"the same", func(*Trust, *iana.Side, **Chain) {}, true},
		{"parsed again", func(_ *Trust, _ *iana.Side, c **Chain) {
			*c, _ = ParseChain(chain.Raw())
		}, true},
		{"an hour later", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Now = leaf.NotAfter.Add(-1)
		}, true},
		{"expired", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Now = leaf.NotAfter.Add(1)
		}, false},
		{"not valid yet", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Now = leaf.NotBefore.Add(-1)
		}, false},
		{"another name of the certificate", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Name = "also.test"
		}, false},
		{"the other side", func(_ *Trust, s *iana.Side, _ **Chain) { *s = iana.Client }, false},
		{"other rules", func(t *Trust, _ *iana.Side, _ **Chain) { t.Weak = true }, false},
		{"a listed root", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Listed = other.Certs[1:]
		}, false},
		{"another pool with the same root", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Roots = root.Pool()
		}, false},
		{"the system's roots", func(t *Trust, _ *iana.Side, _ **Chain) { t.Roots = nil }, false},
		{"the same pool with a root more", func(t *Trust, _ *iana.Side, _ **Chain) {
			t.Roots = grown
			grown.AddCert(other.Certs[1])
		}, false},
		{"without the intermediate", func(_ *Trust, _ *iana.Side, c **Chain) {
			*c = &Chain{Certs: chain.Certs[:1]}
		}, false},
		{"with a certificate more", func(_ *Trust, _ *iana.Side, c **Chain) {
			*c = &Chain{Certs: slices.Concat(chain.Certs, other.Certs)}
		}, false},
	} {
		for _, r := range []*x509.CertPool{pool, grown} {
			asked.Roots = r
			if paths, err := chain.VerifyOnce(iana.Server, asked); err != nil || len(paths) != 1 {
				t.Fatalf("%s: %d paths, %v", c.what, len(paths), err)
			}
			if c.what != "the same pool with a root more" {
				break
			}
		}
		trust, from, of := asked, iana.Server, chain
		c.edit(&trust, &from, &of)
		if found := verdicts.find(of.verdictKey(from, trust), trust) != nil; found != c.want {
			t.Errorf("%s: the verdict holds: %v, expected %v", c.what, found, c.want)
		}
	}
}

// A chain whose fault was excused is not accepted later because of the earlier verdict.
func TestAnExcusedChainHasNoVerdict(t *testing.T) {
	chain, root := chainsOf(t, "excused verdicts")
	trust := Trust{Roots: root.Pool(), Name: "known.test", Now: now}
	if _, err := chain.VerifyOnce(iana.Server, trust); err != nil {
		t.Fatal(err)
	}
	again, err := ParseChain(chain.Raw())
	if err != nil {
		t.Fatal(err)
	}
	misuse := alert.Fail(alert.IllegalParameter, keyUsageRef, "used otherwise")
	if err := again.Excuse(misuse); err != nil {
		t.Fatal(err)
	}
	if _, err := again.VerifyOnce(iana.Server, trust); alert.Of(err) != alert.BadCertificate {
		t.Errorf("got %v, expected the excused fault", err)
	}
}

// What VerifyOnce returns is Verify's, each time, and the caller may change it.
func TestAVerdictIsVerifysAndOnesOwn(t *testing.T) {
	chain, root := chainsOf(t, "own verdicts")
	trust := Trust{Roots: root.Pool(), Name: "known.test", Now: now}
	want, err := chain.Verify(iana.Server, trust)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := chain.VerifyOnce(iana.Server, trust)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal[[]*x509.Certificate]) {
			t.Fatalf("got %v, %v", got, err)
		}
		got[0][0] = nil
	}
	trust.Name = "foreign.test"
	for range 2 { // a refusal is never a verdict
		if _, err := chain.VerifyOnce(iana.Server, trust); err == nil {
			t.Error("another name is accepted")
		}
	}
	trust.Name, trust.Now = "known.test", chain.Leaf().NotAfter.Add(1)
	if _, err := chain.VerifyOnce(iana.Server, trust); err == nil {
		t.Error("a verdict outlives its certificates")
	}
}

func TestVerdictsAreBounded(t *testing.T) {
	k := newKept()
	chain, root := chainsOf(t, "many verdicts")
	trust := Trust{Roots: root.Pool(), Name: "known.test", Now: now}
	paths := [][]*x509.Certificate{chain.Certs}
	first := chain.verdictKey(iana.Server, trust)
	k.keep(first, trust.Roots, paths)
	for i := range 2 * maxVerdicts {
		other := trust
		other.Name = fmt.Sprint(i)
		k.keep(chain.verdictKey(iana.Server, other), trust.Roots, paths)
		if i == maxVerdicts/2 && k.find(first, trust) == nil {
			t.Error("a verdict is gone before there are too many")
		}
	}
	if len(k.byKey) != maxVerdicts || k.order.Len() != maxVerdicts {
		t.Errorf("%d verdicts and %d in order, expected %d", len(k.byKey), k.order.Len(),
			maxVerdicts)
	}
	if k.find(first, trust) != nil {
		t.Error("the one that was used the longest ago is still there")
	}
	long := &Chain{Certs: slices.Repeat(chain.Certs, 20)}
	if long.keeps(trust) {
		t.Error("the verdict about a chain of any length is kept")
	}
}

// A constraint of a root, which may answer differently each time, is asked for each chain. Of all
// other pools verdicts are kept, which fails should crypto/x509 change how it keeps constraints.
func TestConstraintsAreAskedForEachChain(t *testing.T) {
	chain, root := chainsOf(t, "constraints")
	if hasConstraints(root.Pool()) || hasConstraints(nil) {
		t.Error("a pool without constraints is said to have one")
	}
	asked, refuse := 0, error(nil)
	pool := x509.NewCertPool()
	pool.AddCertWithConstraint(root.Cert, func(path []*x509.Certificate) error {
		asked++
		return refuse
	})
	trust := Trust{Roots: pool, Name: "known.test", Now: now}
	for i := range 3 {
		if _, err := chain.VerifyOnce(iana.Server, trust); err != nil || asked != i+1 {
			t.Errorf("asked %d times for %d chains: %v", asked, i+1, err)
		}
	}
	refuse = errors.New("refused")
	if _, err := chain.VerifyOnce(iana.Server, trust); err == nil {
		t.Error("a constraint that refuses is not obeyed")
	}
	became := root.Pool() // with the same root, and then with its constraint
	trust.Roots = became
	for range 2 {
		if _, err := chain.VerifyOnce(iana.Server, trust); err != nil {
			t.Error(err)
		}
	}
	*became = *pool
	if _, err := chain.VerifyOnce(iana.Server, trust); err == nil {
		t.Error("the constraint of a pool that took another one's place is not obeyed")
	}
}
