package suite

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// Level is the severity of a concern.
type Level uint8

// The levels, from the least severe.
const (
	Fine       Level = iota // a remark: not a reason to avoid the suite
	Avoided                 // a judgement of this project: off by default
	Deprecated              // deprecated by an RFC: off by default
	Insecure                // broken in practice, or no encryption: off by default
)

func (l Level) String() string {
	return [...]string{"fine", "avoided", "deprecated", "insecure"}[l]
}

// Concern is something to know before using a suite.
type Concern struct {
	Level  Level
	What   string
	Reason string
	Ref    string

	of func(*Suite) bool
}

var concerns = []Concern{
	{Insecure, "NULL cipher", "nothing is encrypted; records are only authenticated",
		"RFC 9325 §4.1",
		func(s *Suite) bool { return s.Cipher == record.NULL }},
	{Insecure, "3DES",
		"blocks of 64 bits collide after some gigabytes under one key, and then give away " +
			"plaintext (Sweet32, CVE-2016-2183)", "RFC 9325 §4.1",
		func(s *Suite) bool { return s.Cipher == record.DES_EDE3_CBC }},
	{Deprecated, "RSA key exchange",
		"not forward secret: who gets the server's key later reads what was recorded; and its " +
			"padding is an oracle waiting for a mistake (Bleichenbacher, ROBOT)", "RFC 10015",
		func(s *Suite) bool { return s.KeyTransport() }},
	{Deprecated, "finite-field Diffie-Hellman",
		"the server alone chooses the group, and the secret's length shows in the timing " +
			"(Raccoon, CVE-2020-1968)", "RFC 10015",
		func(s *Suite) bool { return s.FiniteField() }},
	{Avoided, "pre-shared key alone",
		"not forward secret: who gets the key later reads what was recorded", "RFC 4279 §7.1",
		func(s *Suite) bool { return s.kex == iana.KexPSK }},
	{Avoided, "CBC",
		"without encrypt_then_mac a record is decrypted before it is authenticated, and padding " +
			"has been an oracle time and again (Lucky Thirteen, CVE-2013-0169)",
		"RFC 9113 appendix A",
		func(s *Suite) bool { return s.Cipher.CBC() }},
	{Avoided, "8-byte tag",
		"made for small devices: a forgery succeeds once in 2^64 tries, not in 2^128",
		"RFC 8447 §8",
		shortTag},
	{Fine, "HMAC-SHA1",
		"HMAC needs no collision resistance: SHA-1 is broken for signatures, and not here",
		"RFC 9155 §1",
		func(s *Suite) bool { return s.MAC == record.HMAC_SHA1 }},
}

// Concerns returns the reasons against using s, the most severe first. It is empty for the suites
// that are on by default.
func Concerns(s *Suite) []Concern {
	return slices.DeleteFunc(slices.Clone(concerns), func(c Concern) bool { return !c.of(s) })
}

// Status returns the level of the most severe concern about s, or Fine.
func Status(s *Suite) Level {
	worst := Fine
	for _, c := range Concerns(s) {
		worst = max(worst, c.Level)
	}
	return worst
}
