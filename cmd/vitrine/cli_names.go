package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/suite"
)

// suiteNamed returns the suite that --suite names, and nil if name is empty.
func suiteNamed(name string) (*suite.Suite, error) {
	if name == "" {
		return nil, nil
	}
	id, ok := iana.SuiteByName(name)
	if !ok {
		return nil, noSuite(name)
	}
	s := suite.ByID(id)
	if s == nil {
		return nil, &usageError{fmt.Sprintf("--suite: %v is registered, but Vitrine does not "+
			"speak it", id), "vitrine suites"}
	}
	return s, nil
}

// noSuite is the error of a name that no suite has. It proposes the nearest name, or a word to look
// for.
func noSuite(name string) error {
	problem := fmt.Sprintf("no cipher suite is called %q", name)
	var names []string
	for _, s := range slices.Concat(suite.All13(), suite.All()) {
		names = append(names, s.ID.String())
		if openssl := s.ID.OpenSSL(); openssl != "" {
			names = append(names, openssl)
		}
	}
	if near := nearest(name, names); changes(strings.ToUpper(name), near) <= 3 {
		return &valueError{flag: "suite", got: name, known: []string{near}, says: problem}
	}
	return &usageError{"--suite: " + problem, "vitrine suites" + similar(name)}
}

// similar returns a word of name that vitrine suites can filter by, after a space, or an empty
// string.
func similar(name string) string {
	for _, word := range strings.FieldsFunc(strings.ToUpper(name),
		func(r rune) bool { return r == '_' || r == '-' }) {
		if slices.Contains([]string{"ECDHE", "DHE", "GCM", "CCM", "CBC", "CHACHA20", "NULL",
			"3DES"}, word) {
			return " " + word
		}
	}
	return ""
}

// groupNamed returns the group that --group names, and 0 if name is empty.
func groupNamed(name string) (iana.Group, error) {
	if name == "" {
		return 0, nil
	}
	g, ok := iana.GroupByName(name)
	if ok {
		_, ok = kex.Named(g)
	}
	if !ok {
		return 0, unknownValue("group", name, append(groupNames(), hybridNames()...)...)
	}
	return g, nil
}

// groupNames returns the names of the groups that every version has.
func groupNames() []string {
	return spelled([]iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.Secp521r1,
		iana.X448, iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096, iana.FFDHE6144, iana.FFDHE8192})
}

// hybridNames returns the names of the groups of TLS 1.3 alone. See RFC 10024.
func hybridNames() []string {
	return spelled([]iana.Group{iana.X25519MLKEM768, iana.SecP256r1MLKEM768,
		iana.SecP384r1MLKEM1024})
}

// suiteNames returns the names of the suites with certificates that Vitrine speaks, for completion.
func suiteNames() []string {
	names := spelled(suite.All13())
	for _, s := range suite.Certified() {
		names = append(names, s.ID.String())
	}
	return names
}

func policyNames() []string {
	var names []string
	for _, p := range vitrine.Policies() {
		names = append(names, p.Name())
	}
	for _, p := range vitrine.EarlierPolicies() {
		names = append(names, p.Name()+"-"+p.Date())
	}
	return names
}

// policyNamed returns the policy that --policy names: one of today by its name, an earlier one with
// its date.
func policyNamed(name string) (*vitrine.Policy, bool) {
	i := slices.Index(policyNames(), name)
	if i < 0 {
		return nil, false
	}
	return append(vitrine.Policies(), vitrine.EarlierPolicies()...)[i], true
}

var versions = map[string]iana.Version{"1.0": iana.TLS10, "1.1": iana.TLS11, "1.2": iana.TLS12,
	" 1.0": iana.TLS10, " 1.1": iana.TLS11, " 1.2": iana.TLS12,
	"1.3": iana.TLS13, " 1.3": iana.TLS13}

// highest returns the highest version that a Config allows.
func highest(c *vitrine.Config) iana.Version {
	top := iana.Version(c.MaxVersion)
	if top == 0 {
		top = max(c.Policy.MaxVersion(), iana.Version(c.MinVersion))
	}
	if c.CipherSuites13 != nil && len(c.CipherSuites13) == 0 {
		top = min(top, iana.TLS12)
	}
	return top
}

// spelled returns the registries' names of list.
func spelled[T fmt.Stringer](list []T) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = v.String()
	}
	return names
}
