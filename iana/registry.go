package iana

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

//go:generate go run registry_gen.go

// row returns the row of s, or an empty one if s is not registered.
func (s CipherSuite) row() registered {
	i, ok := slices.BinarySearchFunc(suites[:], s,
		func(r registered, s CipherSuite) int { return cmp.Compare(r.code, s) })
	if !ok {
		return registered{}
	}
	return suites[i]
}

func (s CipherSuite) String() string {
	if isGREASE(uint16(s)) {
		return "GREASE (" + unknown16(s) + ")"
	}
	if name := s.row().name; name != "" {
		return name
	}
	return unknown16(s)
}

// OpenSSL returns the name of the suite in OpenSSL's cipher strings, or "" if it has none.
func (s CipherSuite) OpenSSL() string { return s.row().openssl }

// CipherSuites returns all registered suites, the signalling values among them, by number.
func CipherSuites() []CipherSuite {
	ids := make([]CipherSuite, len(suites))
	for i, r := range &suites {
		ids[i] = r.code
	}
	return ids
}

// SuiteByName returns the suite with an IANA name, an OpenSSL name or a number such as "0xC02F",
// which need not be registered. Case does not matter.
func SuiteByName(name string) (CipherSuite, bool) {
	for _, r := range &suites {
		if strings.EqualFold(name, r.name) ||
			r.openssl != "" && strings.EqualFold(name, r.openssl) {
			return r.code, true
		}
	}
	return byNumber[CipherSuite](name)
}

// GroupByName returns the group with an IANA name, a name that NIST or ANSI gave its curve, or a
// number such as "0x001D". Case does not matter.
func GroupByName(name string) (Group, bool) {
	if g, ok := groupAliases[strings.ToLower(name)]; ok {
		return g, true
	}
	return byName(name, groups)
}

var groupAliases = map[string]Group{
	"p-256": Secp256r1, "p256": Secp256r1, "prime256v1": Secp256r1,
	"p-384": Secp384r1, "p384": Secp384r1,
	"p-521": Secp521r1, "p521": Secp521r1,
}

// SchemeByName returns the signature scheme with an IANA name or a number such as "0x0804". Case
// does not matter.
func SchemeByName(name string) (SignatureScheme, bool) {
	s, ok := byName(name, signatureSchemes)
	return s, ok && s != MD5_SHA1 // which has no code point
}

func byName[T ~uint16](name string, names map[T]string) (T, bool) {
	for v, n := range names {
		if strings.EqualFold(name, n) {
			return v, true
		}
	}
	return byNumber[T](name)
}

func byNumber[T ~uint16](name string) (T, bool) {
	digits, ok := strings.CutPrefix(strings.ToLower(name), "0x")
	v, err := strconv.ParseUint(digits, 16, 16)
	return T(v), ok && err == nil
}
