package keys

import (
	"crypto"
	_ "crypto/md5"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/subtle"
	"iter"

	"github.com/vitrine-tls/vitrine/trace"
)

// PRF is the pseudorandom function of a connection. Hash is the cipher suite's, SHA-256 or SHA-384,
// in TLS 1.2, crypto.MD5SHA1 in TLS 1.0 and 1.1, and SSL30 in SSL 3.0. See RFC 5246 §5 and RFC 2246
// §5.
type PRF struct {
	Hash crypto.Hash
	Log  *trace.Log // receives every derivation; may be nil
}

// expand returns the first n bytes of PRF(secret, label, seed).
func (p PRF) expand(secret []byte, label string, seed []byte, n int) []byte {
	if p.Hash == SSL30 {
		return expand30(secret, seed, n)
	}
	out := make([]byte, n)
	for _, h := range p.halves(secret) {
		rest := out
		for _, block := range pHash(h.Hash, h.secret, label, seed) {
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

// half is one P_hash of a PRF: the only one in TLS 1.2, that of MD5 or SHA-1 before.
type half struct {
	crypto.Hash
	secret []byte
}

// halves gives MD5 the first half of the secret and SHA-1 the second; if the length is odd, both
// get the middle byte. See RFC 2246 §5.
func (p PRF) halves(secret []byte) []half {
	if p.Hash != crypto.MD5SHA1 {
		return []half{{p.Hash, secret}}
	}
	n := (len(secret) + 1) / 2
	return []half{{crypto.MD5, secret[:n]}, {crypto.SHA1, secret[len(secret)-n:]}}
}

// pHash iterates over P_hash without end. Each iteration yields A(i), from A(1) on, and
// HMAC_hash(secret, A(i) + label + seed). The next iteration overwrites both.
func pHash(h crypto.Hash, secret []byte, label string, seed []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(a, block []byte) bool) {
		m := newMAC(h, secret)
		defer m.free(h)
		m.info = append(append(m.info[:0], label...), seed...)
		m.begin()
		m.Write(m.info) // A(0)
		for {
			m.a = m.sum(m.a[:0])
			m.begin()
			m.Write(m.a)
			m.Write(m.info)
			m.block = m.sum(m.block[:0])
			if !yield(m.a, m.block) {
				return
			}
			m.begin()
			m.Write(m.a)
		}
	}
}

// Expansion shows the steps of one P_hash, whose output is the concatenation of Output.
type Expansion struct {
	Hash   string
	Secret trace.Secret
	A      []trace.Secret // A(1), A(2), …
	Output []trace.Secret // HMAC_hash(Secret, A(i) + label + seed), not truncated
}

// Chain returns the steps by which the PRF computes n bytes: one expansion in TLS 1.2; before, one
// of MD5 and one of SHA-1, whose outputs are XORed. SSL 3.0 has none. Chain logs nothing. See RFC
// 5246 §5.
func (p PRF) Chain(secret []byte, label string, seed []byte, n int) []Expansion {
	var out []Expansion
	if p.Hash == SSL30 {
		return nil // it has no P_hash
	}
	for _, h := range p.halves(secret) {
		e := Expansion{Hash: h.Hash.String(), Secret: append(trace.Secret{}, h.secret...)}
		have := 0
		for a, block := range pHash(h.Hash, h.secret, label, seed) {
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

// hashName returns the name of the hash in events.
func (p PRF) hashName() string {
	switch p.Hash {
	case crypto.MD5SHA1:
		return "MD5+SHA-1"
	case SSL30:
		return "MD5(SHA-1)"
	}
	return p.Hash.String()
}
