package record

import (
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

// null authenticates records and does not encrypt them: content || MAC. See RFC 5246 §6.2.3.1.
type null struct {
	traits Traits
	mac    *hmac
	prefix prefix
}

func newNull(c *Cipher, m *MAC, p Params) (Protection, error) {
	mac, err := newHMAC(m, p.Keys.MAC)
	if err != nil {
		return nil, err
	}
	return &null{mac: mac, traits: Traits{Name: c.Name + ", " + m.Name, Ref: "RFC 5246 §6.2.3.1",
		Overhead: HeaderLen + m.Len, MaxRecords: c.MaxRecords}}, nil
}

func (c *null) Traits() *Traits { return &c.traits }

func (c *null) Seal(dst []byte, seq uint64, h Header, plain []byte) ([]byte, error) {
	dst, record := extend(dst, HeaderLen)
	h.put(record, len(plain)+c.mac.Len)
	dst = append(dst, plain...)
	return c.mac.sum(dst, c.prefix.put(seq, h, len(plain)), plain), nil
}

func (c *null) Open(seq uint64, h Header, fragment []byte) ([]byte, error) {
	n := len(fragment) - c.mac.Len
	if n < 0 || !c.mac.verify(fragment[n:], c.prefix.put(seq, h, n), fragment[:n]) {
		return refuse(fragment, errBadMAC)
	}
	return fragment[:n], nil
}

func (c *null) Anatomy(seq uint64, h Header, fragment []byte) trace.Anatomy {
	n := len(fragment) - c.mac.Len
	return trace.Anatomy{AAD: slices.Clone(c.prefix.put(seq, h, n)), Ciphertext: fragment[:n],
		MAC: fragment[n:]}
}

// extend makes dst n bytes longer and also returns these bytes, whose contents are arbitrary.
func extend(dst []byte, n int) (all, added []byte) {
	all = slices.Grow(dst, n)[:len(dst)+n]
	return all, all[len(dst):]
}
