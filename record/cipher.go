package record

import (
	"crypto/cipher"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/iana"
)

// A Cipher is the BulkCipherAlgorithm of a suite with its CipherType: sizes in bytes and a
// constructor. See RFC 5246 §6.1 and appendix C.
type Cipher struct {
	Name        string // as in the names of suites
	KeyLen      int    // of client_write_key and of server_write_key
	FixedIVLen  int    // AEAD: of client_write_IV in TLS 1.2. See also IVLen
	RecordIVLen int    // in the clear in each record: CBC's IV (not TLS 1.0), or explicit nonce
	BlockSize   int    // CBC; else 0
	TagLen      int    // AEAD; else 0
	MaxRecords  uint64 // how many records one key may seal. See limits.go

	block func(key []byte) (cipher.Block, error) // CBC
	aead  func(key []byte) (cipher.AEAD, error)  // AEAD
}

const nonceLen = 12 // of every AEAD of TLS

// AEAD reports whether the cipher authenticates by itself and takes no MAC. See RFC 5246 §6.2.3.3.
func (c *Cipher) AEAD() bool { return c.TagLen > 0 }

// NewAEAD returns the AEAD under a key, for computing a record by hand. It fails for another kind
// of cipher, and for a key of another length.
func (c *Cipher) NewAEAD(key []byte) (cipher.AEAD, error) {
	if c.aead == nil {
		return nil, fmt.Errorf("record: %s is not an AEAD", c.Name)
	}
	return c.aead(key)
}

// CBC reports whether the cipher is a block cipher in CBC mode. See RFC 5246 §6.2.3.2.
func (c *Cipher) CBC() bool { return c.BlockSize > 0 }

// IVLen returns how many bytes client_write_IV and server_write_IV each take in version v. With CBC
// only SSL 3.0 and TLS 1.0 take any; later each record carries its own IV. In TLS 1.3 write_iv has
// the length of the nonce. See RFC 5246 §6.3 and RFC 8446 §5.3.
func (c *Cipher) IVLen(v iana.Version) int {
	if c.AEAD() && v == iana.TLS13 {
		return nonceLen
	}
	if c.CBC() && v <= iana.TLS10 {
		return c.BlockSize
	}
	return c.FixedIVLen
}

// A MAC is the MACAlgorithm of a suite: HMAC over a hash. See RFC 5246 §6.1.
type MAC struct {
	Name string
	Len  int // bytes, of the MAC and of its key

	blockSize int // of the hash's compression function
	countLen  int // of the bit count that ends what is hashed
	hash      func() hash.Hash
}

// The MACs. With an AEAD the MAC is nil.
var (
	HMAC_SHA1   = &MAC{"HMAC-SHA1", sha1.Size, sha1.BlockSize, 8, sha1.New}
	HMAC_SHA256 = &MAC{"HMAC-SHA256", sha256.Size, sha256.BlockSize, 8, sha256.New}
	HMAC_SHA384 = &MAC{"HMAC-SHA384", sha512.Size384, sha512.BlockSize, 16, sha512.New384}
)
