package pki_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/pki"
)

func TestResumptionChecksTheChainAgain(t *testing.T) {
	now := time.Now()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	other, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	chain, err := pki.ParseChain(cert.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := chain.Verify(iana.Server,
		pki.Trust{Roots: ca.Pool(), Name: "vitrine.test", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		trust pki.Trust
		paths [][]*x509.Certificate
		want  int
	}{
		{"as it was", pki.Trust{Roots: ca.Pool(), Name: "vitrine.test", Now: now}, paths, 1},
		{"now", pki.Trust{Roots: ca.Pool(), Name: "vitrine.test"}, paths, 1},
		{"expired", pki.Trust{Roots: ca.Pool(), Name: "vitrine.test", Now: now.AddDate(5, 0, 0)},
			paths, 0},
		{"not yet valid",
			pki.Trust{Roots: ca.Pool(), Name: "vitrine.test", Now: now.AddDate(-5, 0, 0)}, paths,
			0},
		{"another name", pki.Trust{Roots: ca.Pool(), Name: "other.test", Now: now}, paths, 0},
		{"a root that is trusted no more",
			pki.Trust{Roots: other.Pool(), Name: "vitrine.test", Now: now}, paths, 0},
		{"nothing was verified", pki.Trust{Roots: ca.Pool(), Name: "vitrine.test", Now: now}, nil,
			0},
	} {
		if got := pki.Still(tt.paths, tt.trust); len(got) != tt.want {
			t.Errorf("%s: %d paths hold, expected %d", tt.name, len(got), tt.want)
		}
	}
}
