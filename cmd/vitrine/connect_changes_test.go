package main

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
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

// What a user's flags leave out is told apart: a suite that the server has is not called missing if
// it lacks the group or the signature scheme, and the change is of the flag that is to blame.
func TestTheFlagToBlameIsNamed(t *testing.T) {
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", &vitrine.Config{
		Certificates:     []vitrine.Certificate{rig.Certificate(t, throwaway.RSA)},
		CurvePreferences: []vitrine.CurveID{vitrine.CurveID(iana.FFDHE2048), vitrine.X25519},
		Policy:           vitrine.Legacy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go answerAll(l)
	const (
		dhe, ecdhe = "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"
		noSuite    = "the server has none of the suites of TLS 1.2 that were offered; it has "
		ccm        = "TLS_AES_128_CCM_SHA256"
	)
	for _, c := range []struct{ flags, says, tried string }{
		{"--max 1.2 --suite " + dhe + " --group ffdhe8192",
			"the server wants the group ffdhe2048, which was not offered",
			"without --group: works"},
		{"--max 1.2 --suite " + ecdhe + " --group secp384r1",
			"the server wants the group x25519, which was not offered", "without --group: works"},
		{"--max 1.2 --scheme ed25519 --suite " + ecdhe,
			"the server signs with rsa_pss_rsae_sha256, which was not offered",
			"--scheme rsa_pss_rsae_sha256: works"},
		{"--scheme ed25519", "the server signs with rsa_pss_rsae_sha256, which was not offered",
			"--scheme rsa_pss_rsae_sha256: works"},
		{"--max 1.2 --suite ECDHE-ECDSA-AES128-GCM-SHA256 --group secp384r1",
			noSuite + "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "without --suite: works"},
		{"--suite " + ccm + " --group secp521r1", "the server has neither the suites of TLS 1.3 " +
			"nor the groups that were offered; it has TLS_AES_128_GCM_SHA256 with ffdhe2048",
			"--suite TLS_AES_128_GCM_SHA256 --group ffdhe2048: works"},
	} {
		code, stdout, stderr := command(t, append([]string{"connect", l.Addr().String(), "-k",
			"-i=false", "--policy", "legacy", "--sni", rig.ServerName},
			strings.Fields(c.flags)...)...)
		text := strings.Join(strings.Fields(stdout+stderr), " ")
		if code != exitFailed || !strings.Contains(text, c.says) ||
			!strings.Contains(text, c.tried) {
			t.Errorf("%s: exit code %d, want %q and %q:\n%s", c.flags, code, c.says, c.tried,
				stdout+stderr)
		}
	}
}

// A suite is tried without the --max that leaves its version out: with it nothing could work.
func TestASuiteOfALaterVersionLiftsTheMaximum(t *testing.T) {
	for _, c := range []struct {
		version      uint16
		flags, works string
	}{
		{vitrine.VersionTLS13, "--max 1.2 --suite ECDHE-RSA-AES128-GCM-SHA256",
			"--suite TLS_AES_128_GCM_SHA256"},
		{vitrine.VersionTLS12, "--max 1.1 --suite ECDHE-RSA-AES128-SHA",
			"--suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
	} {
		l, err := vitrine.Listen("tcp", "127.0.0.1:0", &vitrine.Config{
			Certificates: []vitrine.Certificate{rig.Certificate(t, throwaway.RSA)},
			MinVersion:   c.version, MaxVersion: c.version,
			CipherSuites: []uint16{uint16(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go answerAll(l)
		code, stdout, stderr := command(t, append([]string{"connect", l.Addr().String(), "-k",
			"-i=false", "--policy", "legacy", "--sni", rig.ServerName},
			strings.Fields(c.flags)...)...)
		line := worksWith.FindStringSubmatch(stdout + stderr)
		if code != exitFailed || line == nil || !strings.Contains(line[1], c.works) ||
			strings.Contains(line[1], "--max") {
			t.Fatalf("%s: exit code %d, expected a line with %s and without --max:\n%s", c.flags,
				code, c.works, stdout+stderr)
		}
		args := append(strings.Fields(line[1]), "-i=false")
		if code, _, stderr := command(t, args...); code != exitOK {
			t.Errorf("%q: exit code %d\n%s", line[1], code, stderr)
		}
	}
}
