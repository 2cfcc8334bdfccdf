package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	_ "github.com/vitrine-tls/vitrine/compression" // brotli and zstd
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// choices are the flags that say what may be negotiated. connect and serve share them.
type choices struct {
	policy               string
	suites, groups, alpn []string
	schemes              []string
	min, max             string
	without              []string
	compress             []string
	pad                  int
	grease               bool
	password             string
	opened               *string // the password itself
	pskChoices
}

func (c *choices) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(
		&c.policy,
		"policy",
		"modern",
		"what may be negotiated: modern, compatible or legacy (see vitrine policies); an earlier "+
			"one with its date: modern-2026-11-23",
	)
	f.StringSliceVar(&c.suites, "suite", nil,
		"exactly these cipher suites, best first, by IANA or OpenSSL names (see vitrine suites); "+
			"versions without one of them are off")
	f.StringSliceVar(&c.groups, "group", nil,
		"exactly these groups, best first: x25519, secp256r1, … (see vitrine groups)")
	f.StringSliceVar(&c.schemes, "scheme", nil,
		"exactly these signature schemes for the handshake, best first: ed25519, "+
			"rsa_pss_rsae_sha256, …")
	f.StringSliceVar(&c.alpn, "alpn", nil, "application protocols, best first: http/1.1, …")
	f.StringVar(&c.min, "min", "",
		"lowest version: 1.0, 1.1, 1.2 or 1.3 (default that of the policy)")
	f.StringVar(&c.max, "max", "", "highest version: 1.0, 1.1, 1.2 or 1.3 (default 1.3)")
	f.StringSliceVar(&c.without, "without", nil,
		"what to leave out: the extensions ems, etm, ocsp, sct and tickets; record-split, the "+
			"record of one byte before data with CBC in TLS 1.0")
	c.pskChoices.addTo(cmd)
	f.StringVar(&c.password, "password", "", passwordUsage)
	f.StringSliceVar(&c.compress, "compress-cert", nil,
		"algorithms that may compress certificates in TLS 1.3, best first: zlib, brotli, zstd")
	f.IntVar(&c.pad, "pad", 0,
		"pad records of TLS 1.3 to a multiple of this many bytes, up to 16384")
	f.BoolVar(&c.grease, "grease", false,
		"also offer reserved values, which the peer must ignore (RFC 8701)")
	complete(cmd, "policy", policyNames()...)
	complete(cmd, "suite", suiteNames()...)
	complete(cmd, "group", append(groupNames(), hybridNames()...)...)
	complete(cmd, "scheme", schemeNames()...)
	complete(cmd, "min", "1.0", "1.1", "1.2", "1.3")
	complete(cmd, "max", "1.0", "1.1", "1.2", "1.3")
	complete(cmd, "without", withouts()...)
	complete(cmd, "compress-cert", compressions()...)
}

// schemeNames are the values of --scheme.
func schemeNames() (names []string) {
	for _, x := range pki.KnownSchemes() {
		names = append(names, x.String())
	}
	return names
}

// leaveOut has a function that turns the extension off, for each value of --without.
var leaveOut = map[string]func(*vitrine.Config){
	"ems":     func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off },
	"etm":     func(c *vitrine.Config) { c.EncryptThenMAC = vitrine.Off },
	"ocsp":    func(c *vitrine.Config) { c.StatusRequest = vitrine.Off },
	"sct":     func(c *vitrine.Config) { c.Timestamps = vitrine.Off },
	"tickets": func(c *vitrine.Config) { c.SessionTicketsDisabled = true },

	"record-split": func(c *vitrine.Config) { c.RecordSplitDisabled = true },
}

// withouts are the values of --without.
func withouts() []string { return []string{"ems", "etm", "ocsp", "sct", "tickets", "record-split"} }

// compressions are the values of --compress-cert, by their code points from 1 on.
func compressions() []string { return []string{"zlib", "brotli", "zstd"} }

// config returns the Config for the flags. example is a command line that works, which errors
// suggest with the right flag.
func (c *choices) config(example string) (*vitrine.Config, error) {
	config := &vitrine.Config{NextProtos: c.alpn}
	wrong := func(flag, got string, known ...string) error {
		return &usageError{fmt.Sprintf("%s takes one of %s, got %q", flag,
			strings.Join(known, ", "), got), example + " " + flag + " " + nearest(got, known)}
	}
	var ok bool
	if config.Policy, ok = policyNamed(c.policy); !ok {
		return nil, wrong("--policy", c.policy, policyNames()...)
	}
	if err := c.nameSuites(config); err != nil {
		return nil, err
	}
	for _, name := range c.groups {
		g, err := groupNamed(name)
		if err != nil {
			return nil, wrong("--group", name, append(groupNames(), hybridNames()...)...)
		}
		config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(g))
	}
	for _, name := range c.schemes {
		x, ok := iana.SchemeByName(strings.ToLower(name))
		if !ok || !slices.Contains(pki.KnownSchemes(), x) {
			return nil, wrong("--scheme", name, schemeNames()...)
		}
		config.SignatureSchemes = append(config.SignatureSchemes, tls.SignatureScheme(x))
	}
	for _, name := range c.alpn {
		if name == "" || len(name) > 255 {
			return nil, &usageError{"--alpn takes names of 1 to 255 bytes",
				example + " --alpn http/1.1"}
		}
	}
	for _, name := range c.without {
		off, ok := leaveOut[name]
		if !ok {
			return nil, wrong("--without", name, withouts()...)
		}
		off(config)
	}
	config.GREASE = c.grease
	if c.pad < 0 || c.pad > 1<<14 {
		return nil, &usageError{fmt.Sprintf("--pad takes 1 to 16384 bytes, got %d", c.pad),
			example + " --pad 256"}
	}
	if c.pad > 0 {
		config.RecordPadding = vitrine.PadTo(c.pad)
	}
	for _, name := range c.compress {
		i := slices.Index(compressions(), name)
		if i < 0 {
			return nil, wrong("--compress-cert", name, compressions()...)
		}
		config.CertificateCompression = append(config.CertificateCompression,
			iana.CertificateCompressionAlgorithm(i+1))
	}
	for _, v := range []struct {
		flag, text string
		into       *uint16
	}{{"--min", c.min, &config.MinVersion}, {"--max", c.max, &config.MaxVersion}} {
		if v.text == "" {
			continue
		}
		version, ok := versions[strings.TrimPrefix(strings.ToLower(v.text), "tls")]
		if !ok {
			return nil, wrong(v.flag, v.text, "1.0", "1.1", "1.2", "1.3")
		}
		*v.into = uint16(version)
	}
	return config, c.coherent(config, example)
}

// nameSuites sets the suites of --suite: those of TLS 1.3 have a list of their own.
func (c *choices) nameSuites(config *vitrine.Config) error {
	if len(c.suites) == 0 {
		return nil
	}
	config.CipherSuites, config.CipherSuites13 = []uint16{}, []uint16{}
	for _, name := range c.suites {
		if id, ok := iana.SuiteByName(name); ok && suite.ByID13(id) != nil {
			config.CipherSuites13 = append(config.CipherSuites13, uint16(id))
			continue
		}
		s, err := suiteNamed(name)
		if err != nil {
			return err
		}
		config.CipherSuites = append(config.CipherSuites, uint16(s.ID))
	}
	return nil
}

// coherent returns an error if no version is left between --min and --max, or no suite for the
// highest version.
func (c *choices) coherent(config *vitrine.Config, example string) error {
	top := highest(config)
	if low := iana.Version(config.MinVersion); low > top {
		return contradiction("--min "+c.min, "--max "+c.max, "the lowest is above the highest",
			example+" --min "+c.max)
	}
	ids := config.Policy.CipherSuites()
	by, wayOut := "--policy "+c.policy, example+" --policy legacy --max "+c.max
	if config.CipherSuites != nil {
		ids = nil
		for _, id := range config.CipherSuites {
			ids = append(ids, iana.CipherSuite(id))
		}
		by, wayOut = "--suite "+strings.Join(c.suites, ","),
			example+" --suite "+strings.Join(c.suites, ",")
	}
	if top < iana.TLS13 && !slices.ContainsFunc(ids,
		func(id iana.CipherSuite) bool { return suite.ByID(id).MinVersion() <= top }) {
		return contradiction("--max "+c.max, by, "its suites are all for later versions", wayOut)
	}
	return nil
}
