package record

import (
	"crypto/aes"
	"crypto/cipher"
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// cbc is IV || encrypted(content || MAC || padding), or with encrypt-then-MAC IV ||
// encrypted(content || padding) || MAC. From TLS 1.1 on each record carries its IV; in TLS 1.0 the
// IV is the last block of the previous record (BEAST). See RFC 5246 §6.2.3.2 and RFC 7366 §3.
type cbc struct {
	traits   Traits
	block    int // of the cipher, in bytes
	explicit int // length of the IV in a record: block, or 0 in TLS 1.0
	enc, dec chain
	mac      *hmac
	rand     io.Reader
	prefix   prefix
	iv, next [aes.BlockSize]byte // of the last record; in TLS 1.0, of the next one
	etm      bool
	unknown  bool // TLS 1.0: next is not known, because an observer lost a record
}

// chain is a CBC mode whose IV can be set, as those of the standard library can.
type chain interface {
	cipher.BlockMode
	SetIV([]byte)
}

func newCBC(c *Cipher, m *MAC, p Params) (Protection, error) {
	block, err := c.block(p.Keys.Key)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "", "%s: %w", c.Name, err)
	}
	mac, err := newHMAC(m, p.Keys.MAC)
	if err != nil {
		return nil, err
	}
	x := &cbc{block: c.BlockSize, mac: mac, rand: p.Rand, etm: p.EncryptThenMAC}
	zero := make([]byte, c.BlockSize)
	var ok, too bool
	x.enc, ok = cipher.NewCBCEncrypter(block, zero).(chain)
	x.dec, too = cipher.NewCBCDecrypter(block, zero).(chain)
	if !ok || !too {
		return nil, alert.Fail(alert.InternalError, "",
			"%s: the IV of this build's CBC cannot be set", c.Name)
	}
	if p.Version > iana.TLS10 {
		x.explicit = x.block
	}
	copy(x.next[:], p.Keys.IV)
	x.traits = Traits{
		Name: c.Name + ", " + m.Name + ", MAC-then-encrypt", Ref: "RFC 5246 §6.2.3.2",
		Overhead: HeaderLen + x.explicit + m.Len + x.block, MaxRecords: c.MaxRecords,
	}
	if x.etm {
		x.traits.Name, x.traits.Ref = c.Name+", "+m.Name+", encrypt-then-MAC", "RFC 7366 §3"
	}
	return x, nil
}

func (c *cbc) Traits() *Traits { return &c.traits }

// Seal pads to the next full block only: longer padding would hide little of the length.
func (c *cbc) Seal(dst []byte, seq uint64, h Header, plain []byte) ([]byte, error) {
	padded, trailer := len(plain)+c.mac.Len, 0
	if c.etm {
		padded, trailer = len(plain), c.mac.Len
	}
	padding := c.block - padded%c.block
	end := HeaderLen + c.explicit + padded + padding
	out, record := extend(dst, end+trailer)
	h.put(record, len(record)-HeaderLen)
	if c.explicit > 0 {
		if _, err := io.ReadFull(c.rand, c.next[:c.block]); err != nil {
			return dst, alert.Fail(alert.InternalError, "RFC 5246 §6.2.3.2", "random IV: %w",
				err)
		}
		copy(record[HeaderLen:], c.next[:c.block])
	}
	body := record[HeaderLen+c.explicit : end]
	n := copy(body, plain)
	if !c.etm {
		c.mac.sum(body[:n], c.prefix.put(seq, h, n), plain)
	}
	for i := padded; i < len(body); i++ {
		body[i] = byte(padding - 1)
	}
	c.iv = c.next
	c.enc.SetIV(c.iv[:c.block])
	c.enc.CryptBlocks(body, body)
	copy(c.next[:], body[len(body)-c.block:])
	if c.etm {
		c.mac.sum(record[:end], c.prefix.put(seq, h, end-HeaderLen), record[HeaderLen:end])
	}
	return out, nil
}

func (c *cbc) Open(seq uint64, h Header, fragment []byte) ([]byte, error) {
	sealed, inner := fragment, c.mac.Len
	if c.etm {
		n := len(fragment) - c.mac.Len
		if n < 0 || !c.mac.verify(fragment[n:], c.prefix.put(seq, h, n), fragment[:n]) {
			c.unknown = true
			return refuse(fragment, errBadCBC)
		}
		sealed, inner = fragment[:n], 0
	}
	n := len(sealed) - c.explicit
	if n <= inner || n%c.block != 0 { // lengths are public
		return refuse(fragment, errBadCBC)
	}
	body := sealed[c.explicit:]
	copy(c.next[:], sealed[:c.explicit])
	c.iv = c.next
	copy(c.next[:], body[n-c.block:])
	if unknown := c.unknown; c.explicit == 0 && unknown {
		c.unknown = false
		// encrypt-then-MAC would not authenticate its first block
		return refuse(fragment, errBadCBC)
	}
	c.dec.SetIV(c.iv[:c.block])
	c.dec.CryptBlocks(body, body)
	n, good := unpad(body, inner)
	if !c.etm {
		good &= c.mac.verifyHidden(&c.prefix, seq, h, body, n)
	}
	if good != 1 {
		return refuse(fragment, errBadCBC)
	}
	return body[:n], nil
}

func (c *cbc) Anatomy(seq uint64, h Header, fragment []byte) trace.Anatomy {
	a := trace.Anatomy{IV: slices.Clone(c.iv[:c.block])}
	end := len(fragment)
	if c.etm {
		end -= c.mac.Len
		a.MAC = fragment[end:]
		a.AAD = slices.Clone(c.prefix.put(seq, h, end))
	}
	a.Ciphertext = fragment[c.explicit:end]
	body := slices.Clone(a.Ciphertext)
	c.dec.SetIV(c.iv[:c.block])
	c.dec.CryptBlocks(body, body)
	n := len(body) - int(body[len(body)-1]) - 1
	a.Padding = trace.Hex(body[n:])
	if !c.etm {
		a.MAC = trace.Hex(body[n-c.mac.Len : n])
		a.AAD = slices.Clone(c.prefix.put(seq, h, n-c.mac.Len))
	}
	return a
}

// ChainsIVs reports whether a record takes its IV from the record before it. See RFC 2246
// §6.2.3.2.
func ChainsIVs(v iana.Version, c *Cipher) bool { return v <= iana.TLS10 && c.CBC() }
