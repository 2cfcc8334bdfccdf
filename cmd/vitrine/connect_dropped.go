package main

import (
	"cmp"
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/probe"
)

// wantsBareHello reports whether the server answered no hello but those without extensions. It adds
// which hellos were dropped. none reports that no version was found.
func (c *caller) wantsBareHello(s *probe.Server, none bool, f *failureReport) bool {
	d := s.Dropped()
	if d.Seen != "" {
		f.Seen = append(f.Seen, d.Seen)
	}
	switch {
	case d.Bare:
		f.Inferred = nil
		f.hopeless = "the server, or something on the way to it, drops every hello that has an " +
			"extension, and all of Vitrine's have some"
		f.Found = append(f.Found, f.hopeless)
	case none && !d.All && d.Seen != "":
		f.Inferred = nil
		f.fails = "something is there that answers hellos, and not ours: it is too long, or has " +
			"an extension that is not liked"
		f.Found = append(f.Found, f.fails)
	}
	return d.Bare
}

// allowsVersion reports whether our policy allows a version that the server may have.
func (c *caller) allowsVersion(k *probe.Sketch) bool {
	p := cmp.Or(c.config.Policy, vitrine.Modern)
	return slices.ContainsFunc([]iana.Version{iana.TLS13, iana.TLS12, iana.TLS11, iana.TLS10},
		func(v iana.Version) bool {
			return v >= p.MinVersion() && v <= p.MaxVersion() && k.Has(v)
		})
}
