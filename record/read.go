package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/rc4"
	"math"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// This file serves observers of old captures only. An observer sends no answer, so what it does can
// be no oracle, and type old is not constant in time.

// Ciphers and a MAC that only an observer uses. The ciphers' MaxRecords is 0.
var (
	RC4_128  = &Cipher{"RC4_128", 16, 0, 0, 0, 0, 0, nil, nil}
	DES_CBC  = &Cipher{"DES_CBC", 8, 0, 8, 8, 0, 0, des.NewCipher, nil}
	HMAC_MD5 = &MAC{"HMAC-MD5", md5.Size, md5.BlockSize, 8, md5.New}
)

// NewReader returns a Protection that opens records, also those of SSL 3.0 and of RC4, whose Seal
// always fails. For all others it returns what New does. Its errors are internal_error.
func NewReader(c *Cipher, m *MAC, p Params) (Protection, error) {
	if p.Version != iana.SSL30 && c != RC4_128 {
		return New(c, m, p)
	}
	switch {
	case m == nil || p.EncryptThenMAC:
		return nil, alert.Fail(alert.InternalError, "RFC 6101 §5.2.3",
			"got %s with %v, expected a cipher with a MAC", c.Name, p.Version)
	case len(p.Keys.MAC) != m.Len || len(p.Keys.Key) != c.KeyLen ||
		len(p.Keys.IV) != c.IVLen(p.Version):
		return nil, alert.Fail(alert.InternalError, "RFC 6101 §6.2.2",
			"%s: got MAC key, key and IV of %d, %d and %d bytes",
			c.Name, len(p.Keys.MAC), len(p.Keys.Key), len(p.Keys.IV))
	}
	return newOld(c, m, p)
}

// old opens content || MAC || padding as RC4 (without padding) and CBC in SSL 3.0 encrypt it.
// Neither starts afresh with each record: the keystream, or the last block of ciphertext, continues
// from the record before.
type old struct {
	traits Traits
	mac    *hmac
	stream *rc4.Cipher
	chain  chain               // CBC
	next   [aes.BlockSize]byte // the IV of the next record
	ssl    bool                // SSL 3.0
	prefix prefix
}

func newOld(c *Cipher, m *MAC, p Params) (*old, error) {
	o := &old{ssl: p.Version == iana.SSL30}
	o.traits = Traits{Name: c.Name + ", " + m.Name + ", MAC-then-encrypt",
		Ref: "RFC 5246 §6.2.3.1", Overhead: HeaderLen + m.Len + c.BlockSize}
	var err error
	if o.mac, err = newHMAC(m, p.Keys.MAC); err != nil {
		return nil, err
	}
	if o.ssl {
		o.traits.Name, o.traits.Ref = c.Name+", SSL 3.0's MAC with "+m.Name[len("HMAC-"):],
			"RFC 6101 §5.2.3"
		if err := o.mac.ssl30(p.Keys.MAC); err != nil {
			return nil, err
		}
	}
	switch {
	case c == RC4_128:
		o.stream, err = rc4.NewCipher(p.Keys.Key)
	case c.CBC():
		var block cipher.Block
		if block, err = c.block(p.Keys.Key); err == nil {
			o.chain = cipher.NewCBCDecrypter(block, p.Keys.IV).(chain)
			copy(o.next[:], p.Keys.IV)
		}
	}
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "", "%s: %w", c.Name, err)
	}
	return o, nil
}

// ssl30 makes x the MAC of SSL 3.0, the predecessor of HMAC: the pads follow the key instead of
// being XORed with it. See RFC 6101 §5.2.3.1.
func (x *hmac) ssl30(key []byte) (err error) {
	pads := 40 // for SHA
	if x.Len == md5.Size {
		pads = 48
	}
	for _, pad := range []struct {
		with  byte
		state *[]byte
	}{{0x36, &x.inner}, {0x5c, &x.outer}} {
		x.h.Reset()
		x.h.Write(key)
		x.h.Write(slices.Repeat([]byte{pad.with}, pads))
		if *pad.state, err = x.h.AppendBinary(nil); err != nil {
			return alert.Fail(alert.InternalError, "", "%s: %w", x.Name, err)
		}
	}
	return nil
}

func (o *old) Traits() *Traits { return &o.traits }

func (o *old) Seal(dst []byte, _ uint64, _ Header, _ []byte) ([]byte, error) {
	return dst, alert.Fail(alert.InternalError, "", "%s can only be read", o.traits.Name)
}

func (o *old) Open(seq uint64, h Header, fragment []byte) ([]byte, error) {
	n := len(fragment) - o.mac.Len
	switch {
	case o.stream != nil:
		o.stream.XORKeyStream(fragment, fragment)
	case o.chain != nil:
		b := o.chain.BlockSize()
		if len(fragment) == 0 || len(fragment)%b != 0 {
			return refuse(fragment, errBadMAC)
		}
		o.chain.SetIV(o.next[:b])
		copy(o.next[:], fragment[len(fragment)-b:])
		o.chain.CryptBlocks(fragment, fragment)
		padding := int(fragment[len(fragment)-1]) + 1
		// RFC 6101 §5.2.3.2: the other bytes of the padding are arbitrary, which enables POODLE.
		if padding > o.chain.BlockSize() {
			return refuse(fragment, errBadMAC)
		}
		n -= padding
	}
	if n < 0 || !o.mac.verify(fragment[n:n+o.mac.Len], o.aad(seq, h, n), fragment[:n]) {
		return refuse(fragment, errBadMAC)
	}
	return fragment[:n], nil
}

// aad returns what the MAC covers besides the content. SSL 3.0 omits the version.
func (o *old) aad(seq uint64, h Header, n int) []byte {
	p := o.prefix.put(seq, h, n)
	if o.ssl {
		p = append(p[:9], p[11:]...)
	}
	return p
}

func (o *old) Anatomy(_ uint64, _ Header, fragment []byte) trace.Anatomy {
	return trace.Anatomy{Ciphertext: fragment}
}

// chained is implemented by protections whose records depend on the one before.
type chained interface {
	// pass skips a fragment of n bytes that ends in tail.
	pass(n int, tail []byte)
	// mark returns a function that takes back what was opened and passed since.
	mark() (back func())
}

func (o *old) pass(n int, tail []byte) {
	switch {
	case o.stream != nil:
		lost := make([]byte, n)
		o.stream.XORKeyStream(lost, lost)
	case o.chain != nil:
		if b := o.chain.BlockSize(); len(tail) >= b {
			copy(o.next[:], tail[len(tail)-b:])
		}
	}
}

func (o *old) mark() func() {
	next, stream := o.next, rc4.Cipher{}
	if o.stream != nil {
		stream = *o.stream
	}
	return func() {
		o.next = next
		if o.stream != nil {
			*o.stream = stream
		}
	}
}

func (c *cbc) pass(_ int, tail []byte) {
	n := len(tail)
	if c.etm {
		n -= c.mac.Len
	}
	if c.unknown = n < c.block; !c.unknown {
		copy(c.next[:], tail[n-c.block:n])
	}
}

func (c *cbc) mark() func() {
	next, unknown := c.next, c.unknown
	return func() { c.next, c.unknown = next, unknown }
}

// Pass skips a record of n bytes that is not wholly available, so that the next one opens: an
// observer continues where a peer must stop. tail is the end of its fragment, as far as it is
// available.
func (h *Half) Pass(n int, tail []byte) {
	if c, ok := h.protection.(chained); ok {
		c.pass(n, tail)
	}
	h.Seek(h.seq + 1)
}

// Chains reports whether a record opens only after the one before it, as in SSL 3.0, with RC4, and
// with CBC in TLS 1.0. Others open in any order, once Seek has set their number.
func (h *Half) Chains() bool {
	switch p := h.protection.(type) {
	case *old:
		return true
	case *cbc:
		return p.explicit == 0
	}
	return false
}

// Mark returns a function that takes back what was opened since, but for the numbers: an observer
// tries another copy of a record that did not authenticate. It is nil if nothing has to be taken
// back, because records do not chain.
func (h *Half) Mark() (back func()) {
	if !h.Chains() {
		return nil
	}
	return h.protection.(chained).mark()
}

// Seek sets the sequence number of the next record, after some were lost.
func (h *Half) Seek(seq uint64) { h.seq = min(seq, math.MaxUint64-1) }

// SetNumber sets how many records were counted. See Arrived.
func (h *Half) SetNumber(n uint64) { h.number = n }

// AllowCompressed lets a plaintext be as long as compression may make it, MaxPlaintext + 1024
// bytes. See RFC 3749 §2.
func (h *Half) AllowCompressed() { h.fragment = MaxPlaintext + 1024 }
