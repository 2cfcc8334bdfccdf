package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"

	"golang.org/x/crypto/chacha20poly1305"
)

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

func newChaCha(key []byte) (cipher.AEAD, error) { return chacha20poly1305.New(key) }
