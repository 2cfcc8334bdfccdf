package keys

import (
	"crypto"
	"crypto/hmac"
	_ "crypto/md5"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/subtle"
	"iter"
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

// PRF is the pseudorandom function of a connection. Hash is that of the cipher suite, SHA-256 or
// SHA-384, in TLS 1.2, and crypto.MD5SHA1 below it. See RFC 5246 §5 and RFC 2246 §5.
type PRF struct {
	Hash crypto.Hash
	Log  *trace.Log // sees every derivation; may be nil
}

// expand is PRF(secret, label, seed): n bytes.
func (p PRF) expand(secret []byte, label string, seed []byte, n int) []byte {
	if p.Hash == SSL30 {
		return expand30(secret, seed, n)
	}
	labelled := slices.Concat([]byte(label), seed)
	out := make([]byte, n)
	for _, h := range p.halves(secret) {
		rest := out
		for _, block := range pHash(h.Hash, h.secret, labelled) {
			// out starts as zeros and TLS 1.0 XORs its two halves, so one operation serves both
			// versions.
			rest = rest[subtle.XORBytes(rest, rest, block):]
			if len(rest) == 0 {
				break
			}
		}
	}
	return out
}

// half is one P_hash of a PRF: all of it in TLS 1.2, MD5's or SHA-1's share of it before.
type half struct {
	crypto.Hash
	secret []byte
}

// halves gives MD5 the first half of the secret and SHA-1 the second; of an odd length both get the
// byte in the middle. See RFC 2246 §5.
func (p PRF) halves(secret []byte) []half {
	if p.Hash != crypto.MD5SHA1 {
		return []half{{p.Hash, secret}}
	}
	n := (len(secret) + 1) / 2
	return []half{{crypto.MD5, secret[:n]}, {crypto.SHA1, secret[len(secret)-n:]}}
}

// pHash is P_hash: it goes on for ever, each turn giving A(i), from A(1), and HMAC_hash(secret,
// A(i) + seed). Both are overwritten by the next turn.
func pHash(h crypto.Hash, secret, seed []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(a, block []byte) bool) {
		mac := hmac.New(h.New, secret)
		n := mac.Size()
		both := make([]byte, 2*n)
		a, block := both[:n:n], both[n:]
		mac.Write(seed) // A(0)
		for {
			a = mac.Sum(a[:0])
			mac.Reset()
			mac.Write(a)
			mac.Write(seed)
			block = mac.Sum(block[:0])
			if !yield(a, block) {
				return
			}
			mac.Reset()
			mac.Write(a)
		}
	}
}

// Expansion is one P_hash taken apart. Output is the concatenation of HMAC_hash(Secret, A[i] +
// label + seed).
type Expansion struct {
	Hash   string
	Secret trace.Secret
	A      []trace.Secret // A(1), A(2), …
	Output []trace.Secret // as many, uncut
}

// Chain shows how the PRF comes to n bytes: in one expansion for TLS 1.2, and below it in MD5's and
// SHA-1's, whose outputs are combined by exclusive or. It is for showing, and logs nothing. See RFC
// 5246 §5.
func (p PRF) Chain(secret []byte, label string, seed []byte, n int) []Expansion {
	var out []Expansion
	if p.Hash == SSL30 {
		return nil // it has no P_hash
	}
	labelled := slices.Concat([]byte(label), seed)
	for _, h := range p.halves(secret) {
		e := Expansion{Hash: h.Hash.String(), Secret: append(trace.Secret{}, h.secret...)}
		have := 0
		for a, block := range pHash(h.Hash, h.secret, labelled) {
			if have >= n {
				break
			}
			e.A = append(e.A, append(trace.Secret{}, a...))
			e.Output = append(e.Output, append(trace.Secret{}, block...))
			have += len(block)
		}
		out = append(out, e)
	}
	return out
}

// hashName spells the hash as the events do.
func (p PRF) hashName() string {
	switch p.Hash {
	case crypto.MD5SHA1:
		return "MD5+SHA-1"
	case SSL30:
		return "MD5(SHA-1)"
	}
	return p.Hash.String()
}
