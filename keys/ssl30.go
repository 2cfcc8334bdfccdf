package keys

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/sha1"
)

// SSL 3.0 has predecessors of the PRF and of HMAC. They are here to read old captures.

// SSL30 is the PRF.Hash of SSL 3.0, MD5 over SHA-1, which package crypto does not have.
const SSL30 crypto.Hash = 0

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
