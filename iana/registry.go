package iana

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

//go:generate go run registry_gen.go

// CipherSuite is the code point of a cipher suite, or one of the two signalling values that travel
// among them. See RFC 5246 §7.4.1.2, RFC 5746 §3.3 and RFC 7507 §2.
type CipherSuite uint16

// registered is a row of registry.tsv. The rows are sorted by code.
type registered struct {
	code          CipherSuite
	name, openssl string
}

// row is empty for what the registry does not know.
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

// OpenSSL is the name by which OpenSSL's cipher strings call the suite, or empty.
func (s CipherSuite) OpenSSL() string { return s.row().openssl }

// SuiteByName finds a suite by its IANA name, its OpenSSL name or its number ("0xC02F", which need
// not be registered). Case does not matter.
func SuiteByName(name string) (CipherSuite, bool) {
	for _, r := range &suites {
		if strings.EqualFold(name, r.name) ||
			r.openssl != "" && strings.EqualFold(name, r.openssl) {
			return r.code, true
		}
	}
	return byNumber[CipherSuite](name)
}

// GroupByName finds a group by its IANA name, by the names that NIST and ANSI gave its curve, or by
// its number ("0x001D"). Case does not matter.
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

// SchemeByName finds a signature scheme by its IANA name or its number ("0x0804"). Case does not
// matter.
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
