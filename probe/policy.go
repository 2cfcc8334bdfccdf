package probe

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
)

// Policy is a published recommendation, or one of Vitrine's own policies, as far as a probe can
// compare a server with it.
type Policy struct {
	Name   string
	Dated  string
	Source string

	least   iana.Version
	suites  []iana.CipherSuite // until TLS 1.2; nil: not judged
	groups  []iana.Group       // nil: not judged
	rsaBits int                // of a certificate's key; 0: RSA is not recommended
	life    time.Duration      // of a certificate; 0: not judged
}

// The suites until TLS 1.2 of TLSRef's guideline 5.8, "intermediate".
var intermediate = []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	iana.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}

const day = 24 * time.Hour

// policies are the policies by name. Those of Mozilla are TLSRef's guideline 5.8 of 2026-04-06; its
// 6.0 of the same day differs in what it calls "old" alone.
var policies = sync.OnceValue(func() []*Policy {
	tlsref := "TLSRef guideline 5.8 (Mozilla's recommendations)"
	all := []*Policy{
		{Name: "mozilla-modern", Dated: "2026-04-06", Source: tlsref, least: iana.TLS13,
			suites: []iana.CipherSuite{}, groups: mozillaGroups, life: 90 * day},
		{Name: "mozilla-intermediate", Dated: "2026-04-06", Source: tlsref, least: iana.TLS12,
			suites: intermediate, groups: mozillaGroups, rsaBits: 2048, life: 366 * day},
		{Name: "rfc9325", Dated: "2022-11", Source: "RFC 9325", least: iana.TLS12,
			suites: intermediate[:4], rsaBits: 2048},
	}
	for _, p := range vitrine.Policies() {
		ours := &Policy{Name: p.Name(), Dated: p.Date(), Source: "Vitrine's policy " + p.Name(),
			least: iana.Version(p.MinVersion()), suites: []iana.CipherSuite{}, rsaBits: 2048}
		ours.suites = append(ours.suites, p.CipherSuites()...)
		all = append(all, ours)
	}
	return all
})

var mozillaGroups = []iana.Group{iana.X25519MLKEM768, iana.X25519, iana.Secp256r1, iana.Secp384r1}

// PolicyNames returns the names of the policies.
func PolicyNames() (names []string) {
	for _, p := range policies() {
		names = append(names, p.Name)
	}
	return names
}

// PolicyByName returns a policy, or nil.
func PolicyByName(name string) *Policy {
	for _, p := range policies() {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Judge adds a finding for each difference from a policy.
func (r *Report) Judge(p *Policy) {
	say := func(id, what, seen string) {
		if seen != "" {
			r.Findings = append(r.Findings, Finding{ID: "policy_" + id, Severity: Warn,
				What: p.Name + ": " + what, Seen: seen, Ref: p.Source,
				Why: "the policy of " + p.Dated + " allows less"})
		}
	}
	var old, weak []string
	for _, v := range r.Versions {
		if v.Told == Yes && v.version < p.least {
			old = append(old, v.Name)
		}
		for _, x := range v.Suites {
			if v.version <= iana.TLS12 && p.suites != nil && !slices.Contains(p.suites, x.id) &&
				!slices.Contains(weak, x.Name) {
				weak = append(weak, x.Name)
			}
		}
	}
	say("version", "versions", strings.Join(old, ", "))
	say("suite", "cipher suites", few(weak))
	var groups []string
	for _, g := range r.Groups {
		if p.groups != nil && !slices.Contains(p.groups, g.id) && !slices.Contains(groups, g.Name) {
			groups = append(groups, g.Name)
		}
	}
	say("group", "groups", few(groups))
	for _, c := range r.Chains {
		switch {
		case c.Key.Type == "RSA" && p.rsaBits == 0:
			say("key", "the kind of a certificate's key", "RSA")
		case c.Key.Type == "RSA" && c.Key.Bits < p.rsaBits:
			say("key", "the length of a certificate's key", fmt.Sprintf("RSA %d", c.Key.Bits))
		}
		if life := c.NotAfter.Sub(c.NotBefore); p.life > 0 && life > p.life+day {
			say("life", "how long a certificate is valid", fmt.Sprintf("%d days, and %d at most",
				life/day, p.life/day))
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return b.Severity.Weight() - a.Severity.Weight()
	})
}
