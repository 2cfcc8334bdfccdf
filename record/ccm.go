package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ccm is the CCM mode of NIST SP 800-38C and RFC 3610, as a cipher.AEAD that does not allocate. In
// TLS (RFC 6655) its nonce has 12 bytes and its tag 16 or 8. Payloads and additional data must be
// shorter than 2^16 bytes; those of a record are.
//
// In CBC-MAC each block depends on the one before, in CTR none does. So their blocks are encrypted
// alternately, which lets the processor overlap them: both together take little longer than the MAC
// alone.
type ccm struct {
	block         cipher.Block
	nonce, tag    int
	mac, mask     [aes.BlockSize]byte // CBC-MAC's chain; S_0, which hides the tag
	counter       [aes.BlockSize]byte
	stream        [32 * aes.BlockSize]byte
	authenticator [aes.BlockSize]byte
}

var errCCM = errors.New("record: CCM authentication failed")

func newCCM16(key []byte) (cipher.AEAD, error) { return newCCM(key, nonceLen, 16) }
func newCCM8(key []byte) (cipher.AEAD, error)  { return newCCM(key, nonceLen, 8) }

func newCCM(key []byte, nonce, tag int) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &ccm{block: b, nonce: nonce, tag: tag}, nil
}

func (c *ccm) NonceSize() int { return c.nonce }
func (c *ccm) Overhead() int  { return c.tag }

func (c *ccm) Seal(dst, nonce, plain, additional []byte) []byte {
	dst, out := extend(dst, len(plain)+c.tag)
	c.start(nonce, additional, len(plain))
	for rest := plain; len(rest) > 0; {
		n := min(len(rest), len(c.stream))
		c.encrypt(c.count(n), rest[:n])
		subtle.XORBytes(out, rest[:n], c.stream[:])
		rest, out = rest[n:], out[n:]
	}
	subtle.XORBytes(out, c.mac[:c.tag], c.mask[:])
	return dst
}

// Open runs the MAC one stretch behind the key stream, since the plaintext of a stretch must exist
// before it can be authenticated.
func (c *ccm) Open(dst, nonce, sealed, additional []byte) ([]byte, error) {
	n := len(sealed) - c.tag
	if n < 0 {
		return nil, errCCM
	}
	dst, out := extend(dst, n)
	copy(c.authenticator[:], sealed[n:])
	c.start(nonce, additional, n)
	var before []byte
	for rest, to := sealed[:n], out; len(rest) > 0; {
		n := min(len(rest), len(c.stream))
		c.encrypt(c.count(n), before)
		subtle.XORBytes(to, rest[:n], c.stream[:])
		before, rest, to = to[:n], rest[n:], to[n:]
	}
	c.encrypt(nil, before)
	subtle.XORBytes(c.mac[:], c.mac[:], c.mask[:])
	if subtle.ConstantTimeCompare(c.mac[:c.tag], c.authenticator[:c.tag]) != 1 {
		clear(out)
		return nil, errCCM
	}
	return dst, nil
}

// start authenticates what precedes the payload of n bytes, B_0 and the additional data, and sets
// the counter to 0 and mask to S_0. See RFC 3610 §2.2 and §2.3.
func (c *ccm) start(nonce, additional []byte, n int) {
	lenLen := byte(aes.BlockSize - 1 - c.nonce)
	c.counter = [aes.BlockSize]byte{lenLen - 1}
	copy(c.counter[1:], nonce)
	c.mask = c.counter
	c.block.Encrypt(c.mask[:], c.mask[:])

	c.mac = c.counter
	c.mac[0] |= byte(c.tag-2) / 2 << 3
	binary.BigEndian.PutUint16(c.mac[aes.BlockSize-2:], uint16(n))
	if len(additional) > 0 {
		c.mac[0] |= 1 << 6
	}
	c.block.Encrypt(c.mac[:], c.mac[:])
	if len(additional) > 0 {
		var length [2]byte
		binary.BigEndian.PutUint16(length[:], uint16(len(additional)))
		subtle.XORBytes(c.mac[:], c.mac[:], length[:])
		first := min(len(additional), aes.BlockSize-2)
		subtle.XORBytes(c.mac[2:], c.mac[2:], additional[:first])
		c.block.Encrypt(c.mac[:], c.mac[:])
		c.encrypt(nil, additional[first:])
	}
}

// count puts as many counter blocks into stream as n bytes take and returns them. Encrypted, they
// are the key stream.
func (c *ccm) count(n int) []byte {
	n = (n + aes.BlockSize - 1) &^ (aes.BlockSize - 1)
	ctr := binary.BigEndian.Uint64(c.counter[8:])
	for b := c.stream[:n]; len(b) > 0; b = b[aes.BlockSize:] {
		ctr++ // never carries into the nonce: payloads have less than 2^16 bytes
		copy(b, c.counter[:8])
		binary.BigEndian.PutUint64(b[8:], ctr)
	}
	binary.BigEndian.PutUint64(c.counter[8:], ctr)
	return c.stream[:n]
}

// encrypt turns the counter blocks of stream into key stream and adds text, padded with zeros, to
// the MAC, alternating between the two.
func (c *ccm) encrypt(stream, text []byte) {
	for len(stream) > 0 || len(text) > 0 {
		if len(stream) > 0 {
			c.block.Encrypt(stream, stream)
			stream = stream[aes.BlockSize:]
		}
		if len(text) > 0 {
			n := subtle.XORBytes(c.mac[:], c.mac[:], text)
			c.block.Encrypt(c.mac[:], c.mac[:])
			text = text[n:]
		}
	}
}
