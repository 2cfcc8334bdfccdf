package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/iana"
	"golang.org/x/crypto/chacha20poly1305"
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

// The ciphers: key, fixed IV, record IV, block, tag; limit; constructor.
var (
	NULL              = &Cipher{"NULL", 0, 0, 0, 0, 0, seqLimit, nil, nil}
	DES_EDE3_CBC      = &Cipher{"3DES_EDE_CBC", 24, 0, 8, 8, 0, desLimit, newTripleDES, nil}
	AES_128_CBC       = &Cipher{"AES_128_CBC", 16, 0, 16, 16, 0, seqLimit, aes.NewCipher, nil}
	AES_256_CBC       = &Cipher{"AES_256_CBC", 32, 0, 16, 16, 0, seqLimit, aes.NewCipher, nil}
	AES_128_GCM       = &Cipher{"AES_128_GCM", 16, 4, 8, 0, 16, gcmLimit, nil, newGCM}
	AES_256_GCM       = &Cipher{"AES_256_GCM", 32, 4, 8, 0, 16, gcmLimit, nil, newGCM}
	AES_128_CCM       = &Cipher{"AES_128_CCM", 16, 4, 8, 0, 16, ccmLimit, nil, newCCM16}
	AES_256_CCM       = &Cipher{"AES_256_CCM", 32, 4, 8, 0, 16, ccmLimit, nil, newCCM16}
	AES_128_CCM_8     = &Cipher{"AES_128_CCM_8", 16, 4, 8, 0, 8, ccmLimit, nil, newCCM8}
	AES_256_CCM_8     = &Cipher{"AES_256_CCM_8", 32, 4, 8, 0, 8, ccmLimit, nil, newCCM8}
	CHACHA20_POLY1305 = &Cipher{"CHACHA20_POLY1305", 32, 12, 0, 0, 16, seqLimit, nil, newChaCha}
)

func newTripleDES(key []byte) (cipher.Block, error) { return des.NewTripleDESCipher(key) }
func newChaCha(key []byte) (cipher.AEAD, error)     { return chacha20poly1305.New(key) }

// AEAD reports whether the cipher authenticates by itself and takes no MAC. See RFC 5246 §6.2.3.3.
func (c *Cipher) AEAD() bool { return c.TagLen > 0 }

// NewAEAD returns the AEAD under a key, for computing a record by hand. It fails for another kind
// of cipher, and for a key of another length.
func (c *Cipher) NewAEAD(key []byte) (cipher.AEAD, error) {
	if c.aead == nil {
		return nil, fmt.Errorf("record: %s is no AEAD", c.Name)
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
