package pki

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// FuzzVerdicts: whatever is asked about whichever chains, in any order, while pools grow and time
// goes in both directions, the answer from the verdicts that were kept is that of verifying anew. A
// question takes six bytes.
func FuzzVerdicts(f *testing.F) {
	one, root := chainsOf(f, "fuzzed verdicts")
	other, foreign := chainsOf(f, "other fuzzed verdicts")
	leaf := one.Leaf()
	chains := []*Chain{one, other, {Certs: one.Certs[:1]}, {Certs: slices.Concat(one.Certs,
		other.Certs)}, {Certs: slices.Concat(one.Certs[:1], other.Certs[1:])},
		{Certs: []*x509.Certificate{one.Certs[1], one.Certs[0]}}}
	var long []*x509.Certificate
	for range 60 {
		long = append(long, one.Certs...)
	}
	chains = append(chains, &Chain{Certs: long}) // longer than those that are kept
	names := []string{"known.test", "also.test", "", "other.test", "KNOWN.test", "192.0.2.1"}
	times := []time.Time{now, leaf.NotAfter, leaf.NotAfter.Add(1), leaf.NotBefore.Add(-1),
		now.Add(time.Hour), {}}
	listed := [][]*x509.Certificate{nil, other.Certs[1:], one.Certs[1:], one.Certs[:1]}
	honest := []byte{0, 0, 0, 0, 0, 0}
	for at := range honest {
		for what := range byte(7) {
			changed := slices.Clone(honest)
			changed[at] = what
			f.Add(slices.Concat(honest, changed, honest))
		}
	}
	f.Add(slices.Concat(honest, []byte{0, 0, 0, 0, 0, 64}, honest)) // the pool grows between
	f.Add([]byte{6, 4, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		constrained := x509.NewCertPool()
		constrained.AddCertWithConstraint(root.Cert,
			func([]*x509.Certificate) error { return nil })
		pools := []*x509.CertPool{root.Pool(), root.Pool(), foreign.Pool(), x509.NewCertPool(),
			constrained, nil}
		for q := range slices.Chunk(b[:min(len(b), 60)], 6) {
			if len(q) < 6 {
				return
			}
			chain, from := chains[int(q[0])%len(chains)], iana.Server
			if q[4]&1 != 0 {
				from = iana.Client
			}
			pool := pools[int(q[1])%len(pools)]
			trust := Trust{Roots: pool, Name: names[int(q[2])%len(names)],
				Now: times[int(q[3])%len(times)], Weak: q[4]&2 != 0,
				Listed: listed[int(q[4]>>2)%len(listed)]}
			switch q[5] % 7 {
			case 1:
				again, err := ParseChain(chain.Raw()) // the same certificates, read again
				if err != nil {
					return // too many
				}
				chain = again
			case 2:
				if pool != nil {
					trust.Roots = pool.Clone()
				}
			}
			if q[5]&64 != 0 && pool != nil {
				pool.AddCert(one.Certs[1]) // which makes another path
			}
			kept, keptErr := chain.VerifyOnce(from, trust)
			anew, err := chain.Verify(from, trust)
			if (keptErr == nil) != (err == nil) || !slices.EqualFunc(kept, anew, samePath) {
				t.Fatalf("%v: %d paths, %v; anew %d, %v", q, len(kept), keptErr, len(anew), err)
			}
			for _, path := range kept { // a program may change what it got
				clear(path)
			}
		}
		if n := verdicts.order.Len(); n > maxVerdicts || n != len(verdicts.byKey) {
			t.Errorf("%d verdicts are kept, by %d keys", n, len(verdicts.byKey))
		}
	})
}

func samePath(a, b []*x509.Certificate) bool {
	return slices.EqualFunc(a, b, (*x509.Certificate).Equal)
}
