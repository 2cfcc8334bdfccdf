package main

import (
	"testing"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
)

// Every change that package diagnose proposes has flags, and connect has these flags.
func TestEveryChangeHasFlags(t *testing.T) {
	flags := newConnect().Flags()
	for _, k := range diagnose.Kinds() {
		list := flagsOf(&diagnose.Change{Kind: k})
		if len(list) == 0 {
			t.Errorf("change %d has no flags", k)
		}
		for _, f := range list {
			if flags.Lookup(f.Name) == nil {
				t.Errorf("connect has no flag --%s", f.Name)
			}
		}
	}
	if len(changeFlags) != len(diagnose.Kinds()) {
		t.Errorf("flags for %d kinds of change, expected %d", len(changeFlags),
			len(diagnose.Kinds()))
	}
}

func TestEachChangeIsWrittenAsFlags(t *testing.T) {
	const null = iana.TLS_RSA_WITH_NULL_SHA256
	for _, c := range []struct {
		change diagnose.Change
		want   string
	}{
		{diagnose.Change{Kind: diagnose.DefaultVersions}, "without --min without --max"},
		{diagnose.Change{Kind: diagnose.NoServerName}, "--no-sni"},
		{diagnose.Change{Kind: diagnose.NullSuites}, "--suite NULL"},
		{diagnose.Change{Kind: diagnose.NullSuites, Suite: null},
			"--suite TLS_RSA_WITH_NULL_SHA256"},
		{diagnose.Change{Kind: diagnose.IgnoreKeyUsage, Suite: null},
			"--policy compatible --suite TLS_RSA_WITH_NULL_SHA256"},
		{diagnose.Change{Kind: diagnose.DefaultSuites, Suite: null}, "without --suite"},
	} {
		if got := flagText(flagsOf(&c.change)); got != c.want {
			t.Errorf("got %q, expected %q", got, c.want)
		}
	}
}
