package keys

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/sha1"
	"hash"

	"github.com/vitrine-tls/vitrine/iana"
)

// SSL 3.0 has predecessors of the PRF and of HMAC. They are here to read old captures.

// SSL30 is the PRF.Hash of SSL 3.0, MD5 over SHA-1, which package crypto does not have.
const SSL30 crypto.Hash = 0

// ssl30 returns the step of SSL 3.0, which has no labels.
func (s step) ssl30() step {
	s.label = ""
	if s.ref = "RFC 6101 §6.1"; s.name == keyExpansion.name {
		s.ref = "RFC 6101 §6.2.2"
	}
	return s
}

// expand30 returns the first n bytes of MD5(secret + SHA("A" + secret + seed)) + MD5(secret +
// SHA("BB" + secret + seed)) + …. See RFC 6101 §6.1 and §6.2.2.
func expand30(secret, seed []byte, n int) []byte {
	var out []byte
	for i := 1; len(out) < n; i++ {
		inner := sha1.New()
		inner.Write(bytes.Repeat([]byte{byte('A' + i - 1)}, i))
		inner.Write(secret)
		inner.Write(seed)
		outer := md5.New()
		outer.Write(secret)
		outer.Write(inner.Sum(nil))
		out = outer.Sum(out)
	}
	return out[:n]
}

// VerifyData30 returns the 36 bytes of a Finished of SSL 3.0, MD5's and SHA-1's. Both hashes have
// consumed the transcript, and are changed. See RFC 6101 §5.6.9.
func (m Master) VerifyData30(from iana.Side, md5, sha hash.Hash) []byte {
	sender := "CLNT"
	if from == iana.Server {
		sender = "SRVR"
	}
	var out []byte
	for _, h := range []struct {
		hash.Hash
		pads int
	}{{md5, 48}, {sha, 40}} {
		h.Write([]byte(sender))
		h.Write(m.secret())
		h.Write(bytes.Repeat([]byte{0x36}, h.pads))
		inner := h.Sum(nil)
		h.Reset()
		h.Write(m.secret())
		h.Write(bytes.Repeat([]byte{0x5c}, h.pads))
		h.Write(inner)
		out = h.Sum(out)
	}
	m.prf.Log.Derived(from.String()+"_verify_data", "MD5 and SHA-1", m.prf.hashName(), "",
		m.secret(), []byte(sender), out, "RFC 6101 §5.6.9")
	return out
}
