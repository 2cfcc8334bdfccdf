package explain

import (
	"crypto"
	kdf "crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
	"slices"
)

// This file lists the ways to compute something else than the PRF of TLS 1.0 to 1.2 from the right
// secret, label and seed.

// A prfForm computes n bytes from a secret and the label with the seed behind it.
type prfForm func(h crypto.Hash, secret, label, seed []byte, n int) []byte

// A hashVariant is a way to compute the PRF. form is nil if only the hash differs.
type hashVariant struct {
	how string
	crypto.Hash
	form prfForm
}

// aChain is a way to compute P_hash: the first A that is used, the next A, and the block of an A.
// See RFC 5246 §5.
type aChain struct {
	how         string
	first, next func(mac macOf, a, seed []byte) []byte
	block       func(mac macOf, a, seed []byte) []byte
}

// macOf is HMAC under the secret, or what stands in its place.
type macOf func(data []byte) []byte

func usualA(mac macOf, a, _ []byte) []byte     { return mac(a) }
func sameA(_ macOf, a, _ []byte) []byte        { return a }
func usualBlock(mac macOf, a, s []byte) []byte { return mac(slices.Concat(a, s)) }

var aChains = []aChain{
	{"the PRF begins with A(0), which is the seed, in the place of A(1) (RFC 5246 §5)",
		sameA, usualA, usualBlock},
	{"the PRF begins with A(2) in the place of A(1) (RFC 5246 §5)",
		func(mac macOf, a, _ []byte) []byte { return mac(mac(a)) }, usualA, usualBlock},
	{"each block of the PRF is made with A(1): the next has A(2) (RFC 5246 §5)",
		usualA, sameA, usualBlock},
	{
		"the blocks of the PRF are A(1), A(2) and so on: each is HMAC of A(i) and the seed " +
			"(RFC 5246 §5)",
		usualA,
		usualA,
		func(_ macOf, a, _ []byte) []byte { return a },
	},
	{"the blocks of the PRF lack the seed: each is HMAC of A(i) and the seed (RFC 5246 §5)",
		usualA, usualA, func(mac macOf, a, _ []byte) []byte { return mac(a) }},
	{"the blocks of the PRF are HMAC of the seed and A(i): A(i) comes first (RFC 5246 §5)",
		usualA, usualA, func(mac macOf, a, s []byte) []byte { return mac(slices.Concat(s, a)) }},
	{"A(i+1) is HMAC of A(i) and the seed: it is HMAC of A(i) alone (RFC 5246 §5)",
		usualA, usualBlock, usualBlock},
}

// halvings are wrong ways to give MD5 and SHA-1 their halves of the secret in TLS 1.0. A hash that
// gets nil is left out.
var halvings = []struct {
	how string
	cut func(s []byte) (md5, sha1 []byte)
}{
	{"MD5 and SHA-1 both get the whole secret: each gets a half",
		func(s []byte) ([]byte, []byte) { return s, s }},
	{"MD5 gets the second half of the secret, and SHA-1 the first",
		func(s []byte) ([]byte, []byte) {
			first, second := halvesOf(s)
			return second, first
		}},
	{"the output is that of MD5 alone: that of SHA-1 is XORed to it",
		func(s []byte) ([]byte, []byte) {
			first, _ := halvesOf(s)
			return first, nil
		}},
	{"the output is that of SHA-1 alone: that of MD5 is XORed to it",
		func(s []byte) ([]byte, []byte) {
			_, second := halvesOf(s)
			return nil, second
		}},
	{"the middle byte of an odd secret is in neither half: it is in both",
		func(s []byte) ([]byte, []byte) { return s[:len(s)/2], s[(len(s)+1)/2:] }},
	{"the middle byte of an odd secret is in the first half alone: it is in both",
		func(s []byte) ([]byte, []byte) { return s[:(len(s)+1)/2], s[(len(s)+1)/2:] }},
	{"the middle byte of an odd secret is in the second half alone: it is in both",
		func(s []byte) ([]byte, []byte) { return s[:len(s)/2], s[len(s)/2:] }},
}

// halvesOf returns the halves of a secret as TLS 1.0 makes them.
func halvesOf(s []byte) (md5, sha1 []byte) {
	n := (len(s) + 1) / 2
	return s[:n], s[len(s)-n:]
}

// forms returns the wrong forms of the PRF with h.
func forms(h crypto.Hash) (list []hashVariant) {
	add := func(how string, f prfForm) { list = append(list, hashVariant{how, h, f}) }
	for _, c := range aChains {
		add(c.how, inHalves(hmacUnder, c))
	}
	usual := aChain{"", usualA, usualA, usualBlock}
	add("key and data of HMAC have changed places: the secret is the key (RFC 5246 §5)",
		inHalves(hmacOver, usual))
	add("the hash of the secret and the data stands in the place of HMAC (RFC 5246 §5)",
		inHalves(hashOf, usual))
	const not13 = " is used in the place of the PRF: TLS 1.3 begins with it (RFC 8446 §7.1)"
	add("HKDF-Expand"+not13, hkdfForm(func(_ crypto.Hash, secret []byte) []byte { return secret },
		bareInfo))
	add("HKDF, with HKDF-Extract,"+not13, hkdfForm(extracted, bareInfo))
	add(
		"HKDF-Expand-Label"+not13,
		hkdfForm(func(_ crypto.Hash, secret []byte) []byte { return secret },
			labelInfo),
	)
	if h == crypto.MD5SHA1 {
		for _, c := range halvings {
			add(c.how+" (RFC 2246 §5)", outOf(c.cut, hmacUnder, usual))
		}
	}
	return list
}

// Ways to combine a secret with data, for a hash.

func hmacUnder(h crypto.Hash, secret []byte) macOf {
	m := hmac.New(h.New, secret)
	return func(data []byte) []byte {
		m.Reset()
		m.Write(data)
		return m.Sum(nil)
	}
}

func hmacOver(h crypto.Hash, secret []byte) macOf {
	return func(data []byte) []byte { return hmacUnder(h, data)(secret) }
}

func hashOf(h crypto.Hash, secret []byte) macOf {
	return func(data []byte) []byte { return digest(h, slices.Concat(secret, data)) }
}

// inHalves computes P_hash, or in TLS 1.0 both, each with its half of the secret. See RFC 2246 §5.
func inHalves(mac func(crypto.Hash, []byte) macOf, c aChain) prfForm {
	return outOf(halvesOf, mac, c)
}

func outOf(cut func([]byte) (md5, sha1 []byte), mac func(crypto.Hash, []byte) macOf,
	c aChain) prfForm {
	return func(h crypto.Hash, secret, label, seed []byte, n int) []byte {
		seed = slices.Concat(label, seed)
		if h != crypto.MD5SHA1 {
			return c.expand(mac(h, secret), seed, n)
		}
		first, second := cut(secret)
		out := make([]byte, n)
		if first != nil {
			subtle.XORBytes(out, out, c.expand(mac(crypto.MD5, first), seed, n))
		}
		if second != nil {
			subtle.XORBytes(out, out, c.expand(mac(crypto.SHA1, second), seed, n))
		}
		return out
	}
}

func (c *aChain) expand(mac macOf, seed []byte, n int) (out []byte) {
	for a := c.first(mac, seed, seed); len(out) < n; a = c.next(mac, a, seed) {
		out = append(out, c.block(mac, a, seed)...)
	}
	return out[:n]
}

// hkdfForm is HKDF with a key and an info. TLS 1.0 has no hash for it, so that it is SHA-256 there.
func hkdfForm(key func(crypto.Hash, []byte) []byte,
	info func(label, seed []byte, n int) []byte) prfForm {
	return func(h crypto.Hash, secret, label, seed []byte, n int) []byte {
		if h == crypto.MD5SHA1 {
			h = crypto.SHA256
		}
		// no more than 255 blocks: nothing that is looked for is longer
		out, err := kdf.Expand(h.New, key(h, secret), string(info(label, seed, n)),
			min(n, 255*h.Size()))
		if err != nil {
			return make([]byte, n)
		}
		return append(out, make([]byte, n-len(out))...)
	}
}

func extracted(h crypto.Hash, secret []byte) []byte {
	key, err := kdf.Extract(h.New, secret, nil)
	if err != nil {
		return secret
	}
	return key
}

func bareInfo(label, seed []byte, _ int) []byte { return slices.Concat(label, seed) }

// labelInfo is the HkdfLabel of RFC 8446 §7.1.
func labelInfo(label, seed []byte, n int) []byte {
	return slices.Concat(binary.BigEndian.AppendUint16(nil, uint16(n)),
		[]byte{byte(len("tls13 ") + len(label))}, []byte("tls13 "), label, []byte{byte(len(seed))},
		seed)
}

// uncounted is HKDF-Expand without its counter. See RFC 5869 §2.3.
func uncounted(h crypto.Hash, secret, info []byte, n int) (out []byte) {
	mac := hmacUnder(h, secret)
	for last := []byte(nil); len(out) < n; out = append(out, last...) {
		last = mac(slices.Concat(last, info))
	}
	return out[:n]
}

// extractedFirst is HKDF with HKDF-Extract.
func extractedFirst(h crypto.Hash, secret, info []byte, n int) []byte {
	out, err := kdf.Expand(h.New, extracted(h, secret), string(info), n)
	if err != nil {
		return make([]byte, n)
	}
	return out
}
