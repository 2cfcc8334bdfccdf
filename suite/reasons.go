package suite

import (
	"cmp"
	"slices"

	"golang.org/x/sys/cpu"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// Rule is a reason to prefer some suites to others.
type Rule struct {
	Prefer string // the property of the suites that are preferred
	Reason string
	Ref    string // empty if the rule is a judgement of this project

	rank func(*Suite) int // suites with a lower rank come first
}

// Rules returns the rules behind Preference on this machine. The first rule that ranks two suites
// differently decides between them.
func Rules() []Rule { return rules(fastest()) }

// The order of the rules is a judgement as well. Secrecy comes before speed. AEAD comes before
// elliptic curves, although it is finite-field DHE that an RFC deprecates: record forgery can be
// retried without limit, while a fresh key for each handshake leaves Raccoon a single attempt.
func rules(fast aead) []Rule {
	return []Rule{
		{"encryption, in blocks of 128 bits or more",
			"NULL hides nothing; blocks of 64 bits soon collide (Sweet32)", "RFC 9325 §4.1",
			func(s *Suite) int { return slices.Index(weakest, s.Cipher) }},
		{"forward secrecy", "a stolen server key must not open what was recorded before",
			"RFC 9325 §4.1",
			func(s *Suite) int { return last(!s.ForwardSecret()) }},
		{"AEAD", "CBC with MAC-then-encrypt must be opened in constant time, an AEAD is only " +
			"verified", "RFC 9325 §4.2",
			func(s *Suite) int { return last(!s.AEAD()) }},
		{"a whole tag", "it is what a forger has to guess", "RFC 8447 §8",
			func(s *Suite) int { return last(shortTag(s)) }},
		{"elliptic curves",
			"the group is negotiated, and the length of the secret is not one itself", "RFC 10015",
			func(s *Suite) int { return last(s.FiniteField()) }},
		{fast.prefer, fast.reason, "",
			func(s *Suite) int { return slices.Index(fast.order, s.Cipher) }},
		{"SHA-2 in the MAC", "HMAC-SHA1 is not broken: this is to be rid of SHA-1", "RFC 9155 §1",
			func(s *Suite) int { return slices.Index(macs, s.MAC) }},
		{"128-bit keys", "nobody searches those either, and they are faster", "",
			func(s *Suite) int { return s.Cipher.KeyLen }},
		{"ECDSA", "a signature costs the server less than with RSA, and the chain is shorter", "",
			func(s *Suite) int { return last(s.auth != iana.AuthECDSA) }},
	}
}

var (
	// Ciphers that are not listed have rank -1 and come first.
	weakest = []*record.Cipher{record.DES_EDE3_CBC, record.NULL}
	macs    = []*record.MAC{nil, record.HMAC_SHA256, record.HMAC_SHA384, record.HMAC_SHA1}
)

// aead is an order of the AEADs by speed. Machines have one of two.
type aead struct {
	prefer, reason string
	order          []*record.Cipher
}

var (
	gcmFirst = aead{"AES-GCM",
		"this machine has instructions for it; CCM encrypts everything twice", []*record.Cipher{
			record.AES_128_GCM, record.AES_256_GCM, record.CHACHA20_POLY1305, record.AES_128_CCM,
			record.AES_256_CCM}}
	chachaFirst = aead{"ChaCha20-Poly1305",
		"this machine has no instructions for AES, which without them looks secrets up in tables",
		[]*record.Cipher{
			record.CHACHA20_POLY1305, record.AES_128_GCM, record.AES_256_GCM, record.AES_128_CCM,
			record.AES_256_CCM}}
)

func fastest() aead {
	if cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL ||
		cpu.S390X.HasAESGCM {
		return gcmFirst
	}
	return chachaFirst
}

// Preference returns all suites that Vitrine can negotiate, most preferred first. The order depends
// on whether this machine has instructions for AES, so configurations that must not vary between
// machines list their suites. Which suites are offered by default is decided by policies, with
// Concerns.
func Preference() []iana.CipherSuite { return preference(fastest()) }

func preference(fast aead) []iana.CipherSuite {
	rules := rules(fast)
	suites := slices.SortedStableFunc(slices.Values(registry), func(a, b *Suite) int {
		for _, r := range rules {
			if c := cmp.Compare(r.rank(a), r.rank(b)); c != 0 {
				return c
			}
		}
		return 0 // keeps the order of the IDs
	})
	ids := make([]iana.CipherSuite, len(suites))
	for i, s := range suites {
		ids[i] = s.ID
	}
	return ids
}

func last(b bool) int {
	if b {
		return 1
	}
	return 0
}

func shortTag(s *Suite) bool { return s.AEAD() && s.Cipher.TagLen < 16 }
