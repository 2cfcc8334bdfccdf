package record

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Half is one direction of a connection: its protection and its sequence number. Who holds the Half
// of its own direction seals, who holds the other's opens; an observer opens both. The zero Half is
// the client's, in the clear and unseen. It is not safe for concurrent use.
type Half struct {
	From iana.Side
	Log  *trace.Log

	protection Protection // nil: in the clear
	seq        uint64
	fragment   int // the most plaintext in a record; 0 is MaxPlaintext
}

// Protect installs new keys; nil is in the clear. The sequence number starts at 0 again. See RFC
// 5246 §6.1.
func (h *Half) Protect(p Protection) { h.protection, h.seq = p, 0 }

func (h *Half) traits() Traits {
	if h.protection == nil {
		return Traits{"", "RFC 5246 §6.2.1", HeaderLen, seqLimit, false}
	}
	return h.protection.Traits()
}

// Protected tells whether records are protected.
func (h *Half) Protected() bool { return h.protection != nil }

// SeqNum is the sequence number of the next record.
func (h *Half) SeqNum() uint64 { return h.seq }

// SetMaxFragment sets the most plaintext bytes in a record of this direction, sealed or opened; a
// number that is not between 1 and MaxPlaintext means MaxPlaintext. See RFC 6066 §4 and RFC 8449
// §4.
func (h *Half) SetMaxFragment(n int) {
	h.fragment = 0
	if n > 0 && n < MaxPlaintext {
		h.fragment = n
	}
}

// MaxFragment returns the most plaintext bytes in a record of this direction.
func (h *Half) MaxFragment() int {
	if h.fragment == 0 {
		return MaxPlaintext
	}
	return h.fragment
}

// Left is how many records can still be sealed under the key.
func (h *Half) Left() uint64 { return h.traits().MaxRecords - min(h.seq, h.traits().MaxRecords) }

// SealedLen is the most bytes that sealing n bytes takes on the wire, headers included.
func (h *Half) SealedLen(n int) int { return n + h.records(n)*h.traits().Overhead }

// records is how many records n bytes take: no bytes are one record, empty.
func (h *Half) records(n int) int {
	m := h.MaxFragment()
	return max(1, (n+m-1)/m)
}

// Seal cuts plain into records and appends them to dst; an empty plain is one empty record, which
// only application data may have. plain and dst's capacity must not overlap. When the key is used
// up nothing is sealed, and one alert can still be. After any other error, which is the random
// source's, the direction is dead. See RFC 5246 §6.2.
func (h *Half) Seal(dst []byte, t iana.ContentType, v iana.Version, plain []byte) ([]byte, error) {
	if len(plain) == 0 && t != iana.RecordApplicationData {
		return dst, alert.Fail(alert.InternalError, "RFC 5246 §6.2.1",
			"sealing an empty record of type %v", t)
	}
	if err := h.room(t, h.records(len(plain))); err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, h.SealedLen(len(plain)))
	for {
		n := min(len(plain), h.MaxFragment())
		out, err := h.seal(dst, Header{Type: t, Version: v}, plain[:n])
		if err != nil {
			return dst, err
		}
		if h.Log.On() {
			record := out[len(dst):]
			h.show(trace.Sealed, t, Header{t, v, len(record) - HeaderLen}, record[HeaderLen:],
				plain[:n])
		}
		h.seq++
		dst, plain = out, plain[n:]
		if len(plain) == 0 {
			return dst, nil
		}
	}
}

func (h *Half) seal(dst []byte, hd Header, plain []byte) ([]byte, error) {
	if h.protection != nil {
		return h.protection.Seal(dst, h.seq, hd, plain)
	}
	n := len(dst)
	dst = dst[:n+HeaderLen]
	hd.put(dst[n:], len(plain))
	return append(dst, plain...), nil
}

// Open gives the plaintext of a record whose header was hd; it takes fragment's place. A record
// that is not what the peer sealed, as the next one, is bad_record_mac; more plaintext than was
// agreed on is record_overflow. Either is the end: there is no second try. The type is the
// header's, or in TLS 1.3 the one that was sealed with the content. See RFC 5246 §6.2.
func (h *Half) Open(hd Header, fragment []byte) (t iana.ContentType, plain []byte, err error) {
	if h.seq == seqLimit {
		return 0, nil,
			alert.Fail(alert.InternalError, "RFC 5246 §6.1",
				"the %v's sequence numbers are used up", h.From)
	}
	var wire []byte
	if h.Log.On() {
		wire = bytes.Clone(fragment)
	}
	t, plain = hd.Type, fragment
	if h.protection != nil {
		if plain, err = h.protection.Open(h.seq, hd, fragment); err != nil {
			return 0, nil, err
		}
		if h.protection.Traits().InnerType {
			if len(plain) > h.MaxFragment()+1 { // RFC 8446 §5.4: with its type and padding
				return 0, nil, alert.Fail(alert.RecordOverflow, "RFC 8446 §5.2",
					"got a record with %d bytes of inner plaintext, expected at most %d", len(plain), h.MaxFragment()+1)
			}
			if t, plain, err = inner(plain); err != nil {
				return 0, nil, err
			}
		}
	}
	if len(plain) > h.MaxFragment() {
		return 0, nil,
			alert.Fail(alert.RecordOverflow, "RFC 5246 §6.2.1",
				"got a record with %d bytes of plaintext, expected at most %d",
				len(plain), h.MaxFragment())
	}
	if h.Log.On() {
		h.show(trace.Opened, t, hd, wire, plain)
	}
	h.seq++
	return t, plain, nil
}

// show puts a record under the glass. It copies what it is given.
func (h *Half) show(d trace.Direction, t iana.ContentType, hd Header, fragment, plain []byte) {
	traits := h.traits()
	r := &trace.Record{
		From: h.From, Direction: d, SeqNum: h.seq, ContentType: t, Header: make([]byte, HeaderLen),
		Plaintext: bytes.Clone(plain), Fragment: bytes.Clone(fragment), Protection: traits.Name,
	}
	hd.put(r.Header, len(fragment))
	if h.protection != nil {
		r.Anatomy = h.protection.Anatomy(h.seq, hd, r.Fragment)
	}
	h.Log.Record(r, traits.Ref)
}
