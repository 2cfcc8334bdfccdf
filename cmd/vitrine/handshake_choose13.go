package main

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// speaks13 reports whether the flags ask for TLS 1.3: --tls says so or, where it is not given, a
// flag or a value that no other version has. by is the flag that asks for it.
func (w *wishes) speaks13() (yes bool, by string, err error) {
	for _, f := range []struct {
		set  bool
		flag string
	}{
		{w.hrr, "--hrr"}, {w.resume, "--resume"}, {w.keyUpdate, "--key-update"},
		{w.earlyData, "--early-data"}, {w.lateAuth, "--post-handshake-auth"},
		{is13(w.suite), "--suite " + w.suite}, {isHybrid(w.group), "--group " + w.group},
	} {
		if f.set && by == "" {
			by = f.flag
		}
	}
	switch w.tls {
	case "":
		return by != "", by, nil
	case "1.3":
		return true, "--tls 1.3", nil
	case "1.2":
		if by != "" {
			return false, "", contradiction("--tls 1.2", by, "only TLS 1.3 has it",
				"vitrine handshake --tls 1.3 "+by)
		}
		return false, "", nil
	}
	return false, "", unknownValue("tls", w.tls, "1.2", "1.3")
}

func is13(name string) bool {
	id, ok := iana.SuiteByName(name)
	return ok && suite.ByID13(id) != nil
}

func isHybrid(name string) bool {
	g, ok := iana.GroupByName(name)
	return ok && g.Hybrid()
}

// choose13 returns options for TLS 1.3 in accordance with all flags.
func (w *wishes) choose13(by string) (demo.Options, error) {
	o := demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
		Group: iana.X25519, Auth: throwaway.ECDSA, Data: w.data, Seed: w.seed, Retry: w.hrr,
		Resume: w.resume || w.earlyData, KeyUpdate: w.keyUpdate, EarlyData: w.earlyData,
		LateAuth: w.lateAuth}
	if w.hrr && w.earlyData {
		return o, contradiction("--hrr", "--early-data", "a server that asks again rejects it",
			"vitrine handshake --early-data")
	}
	if w.earlyData && len(w.data) == 0 {
		return o, contradiction("--early-data", "--data ''", "there is nothing to send early",
			"vitrine handshake --early-data")
	}
	for _, f := range []struct {
		set    bool
		flag   string
		reason string
	}{
		{w.kx != "" && w.kx != "ecdhe" && w.kx != "dhe", "--kx " + w.kx,
			"TLS 1.3 has no such key exchange"},
		{w.ems != nil, "--ems", "TLS 1.3 always hashes the whole handshake into its keys"},
		{w.etm != nil, "--etm", "every suite of TLS 1.3 is an AEAD"},
	} {
		if f.set {
			return o, contradiction(by, f.flag, f.reason, "vitrine handshake "+by)
		}
	}
	if w.kx == "dhe" {
		o.Group = iana.FFDHE2048
	}
	if w.suite != "" {
		id, ok := iana.SuiteByName(w.suite)
		if !ok || suite.ByID13(id) == nil {
			if _, err := suiteNamed(w.suite); err != nil {
				return o, err
			}
			return o, contradiction(by, "--suite "+w.suite, "TLS 1.3 has suites of its own",
				"vitrine handshake "+by)
		}
		o.Suite = id
	}
	if w.group != "" {
		g, err := groupNamed(w.group)
		if err != nil {
			return o, err
		}
		if w.kx != "" && (w.kx == "dhe") != g.FiniteField() {
			return o, contradiction("--kx "+w.kx, "--group "+w.group, "it is of another kind",
				"vitrine handshake "+by+" --group "+w.group)
		}
		o.Group = g
	}
	if w.auth != "" {
		if _, known := auths[w.auth]; !known {
			return o, unknownValue("auth", w.auth, "rsa", "ecdsa", "ed25519")
		}
		o.Auth = throwaway.Kind(w.auth)
	}
	var err error
	if o.ClientAuth, err = w.wantedClientAuth(); err != nil {
		return o, err
	}
	o.Tamper, err = parseTampers(w.tamper)
	return o, err
}

// suiteNames13 returns the names of the suites of TLS 1.3.
func suiteNames13() (names []string) {
	for _, s := range suite.All13() {
		names = append(names, s.ID.String())
	}
	slices.Sort(names)
	return names
}
