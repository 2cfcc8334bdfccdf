package suite

import (
	"cmp"
	"slices"

	"golang.org/x/sys/cpu"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// Rule is one reason to prefer a suite to another.
type Rule struct {
	Prefer string // what comes first
	Reason string
	Ref    string // or empty, where nothing but our judgement says so

	rank func(*Suite) int // the lower comes first
}

// Rules are the rules that make the order of preference on this machine. Of two suites the first
// rule that tells them apart decides.
func Rules() []Rule { return rules(fastest()) }

// The order of the rules is a judgement too. What keeps the connection secret comes before what
// makes it fast. AEAD comes before elliptic curves, although DHE is the one that an RFC deprecates:
// a forged record can be tried again and again, where a fresh private key for each handshake leaves
// Raccoon a single try.
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
			func(s *Suite) int { return last(s.Kex.FiniteField()) }},
		{fast.says, fast.reason, "",
			func(s *Suite) int { return slices.Index(fast.order, s.Cipher) }},
		{"SHA-2 in the MAC", "HMAC-SHA1 is not broken: this is to be rid of SHA-1", "RFC 9155 §1",
			func(s *Suite) int { return slices.Index(macs, s.MAC) }},
		{"128-bit keys", "nobody searches those either, and they are faster", "",
			func(s *Suite) int { return s.Cipher.KeyLen }},
		{"ECDSA", "a signature costs the server less than with RSA, and the chain is shorter", "",
			func(s *Suite) int { return last(s.Auth != iana.AuthECDSA) }},
	}
}

var (
	// the rest, at -1, comes before them
	weakest = []*record.Cipher{record.DES_EDE3_CBC, record.NULL}
	macs    = []*record.MAC{nil, record.HMAC_SHA256, record.HMAC_SHA384, record.HMAC_SHA1}
)

// aead is the order of the AEADs by speed, of which there are two.
type aead struct {
	says, reason string
	order        []*record.Cipher
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

// Preference is every suite of the registry, the best for this machine first. It depends on the
// machine's instructions for AES: what must be the same everywhere names its suites. Concerns tells
// which of them to offer.
func Preference() []iana.CipherSuite { return preference(fastest()) }

func preference(fast aead) []iana.CipherSuite {
	rules := rules(fast)
	suites := slices.SortedStableFunc(slices.Values(registry), func(a, b *Suite) int {
		for _, r := range rules {
			if c := cmp.Compare(r.rank(a), r.rank(b)); c != 0 {
				return c
			}
		}
		return 0 // by ID, as they were
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
