package record

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Half is one direction of a connection: its protection and its sequence number. A side seals with
// the Half of its own direction and opens with the peer's; an observer opens with both. The zero
// Half is the client's, unprotected and untraced. A Half is not safe for concurrent use.
type Half struct {
	From iana.Side
	Log  *trace.Log

	// Pad, if set, returns the length in bytes to which a record with n bytes of content is padded,
	// in TLS 1.3 only. A record is made no shorter than its content and no longer than
	// MaxFragment. See RFC 8446 §5.4.
	Pad func(n int) int

	number     uint64     // of the last record on the wire: see Arrived
	messages   uint64     // how many handshake messages were sealed while somebody listened
	protection Protection // nil: in the clear
	seq        uint64
	fragment   int // the most plaintext in a record; 0 is MaxPlaintext
}

// Protect installs new keys and sets the sequence number to 0. A nil p means no protection. See RFC
// 5246 §6.1.
func (h *Half) Protect(p Protection) { h.protection, h.seq = p, 0 }

// clearTraits are the traits of records without protection.
var clearTraits = Traits{Ref: "RFC 5246 §6.2.1", Overhead: HeaderLen, MaxRecords: seqLimit}

func (h *Half) traits() *Traits {
	if h.protection == nil {
		return &clearTraits
	}
	return h.protection.Traits()
}

// Protected reports whether records are protected.
func (h *Half) Protected() bool { return h.protection != nil }

// SeqNum returns the sequence number of the next record.
func (h *Half) SeqNum() uint64 { return h.seq }

// SetMaxFragment sets the largest number of plaintext bytes in a record of this direction, sealed
// or opened. A number that is not between 1 and MaxPlaintext means MaxPlaintext. See RFC 6066 §4
// and RFC 8449 §4.
func (h *Half) SetMaxFragment(n int) {
	h.fragment = 0
	if n > 0 && n < MaxPlaintext {
		h.fragment = n
	}
}

// MaxFragment returns the largest number of plaintext bytes in a record of this direction.
func (h *Half) MaxFragment() int {
	if h.fragment == 0 {
		return MaxPlaintext
	}
	return h.fragment
}

// Arrived counts a record of this direction that is about to be opened, or that is refused or
// skipped without. Only events tell the number; Seal counts by itself.
func (h *Half) Arrived() { h.number++ }

// Number returns how many records were counted.
func (h *Half) Number() uint64 { return h.number }

// Left returns how many records can still be sealed under the key.
func (h *Half) Left() uint64 { return h.traits().MaxRecords - min(h.seq, h.traits().MaxRecords) }

// SealedLen returns an upper bound, in bytes, on what Seal appends for n bytes of plaintext.
func (h *Half) SealedLen(n int) int {
	if h.Pad != nil {
		return h.records(n) * (h.MaxFragment() + h.traits().Overhead)
	}
	return n + h.records(n)*h.traits().Overhead
}

// records returns how many records n bytes take. No bytes take one record, which is empty.
func (h *Half) records(n int) int {
	m := h.MaxFragment()
	return max(1, (n+m-1)/m)
}

// Seal cuts plain into records and appends them to dst. An empty plain makes one empty record,
// which is allowed for application data only. plain must not overlap dst's capacity. When the key's
// limit is reached Seal fails and appends nothing, but one more alert can still be sealed. Any
// other error comes from the random source; after it the Half must not be used. See RFC 5246 §6.2.
func (h *Half) Seal(dst []byte, t iana.ContentType, v iana.Version, plain []byte) ([]byte, error) {
	if len(plain) == 0 && t != iana.RecordApplicationData {
		return dst, errEmpty(t)
	}
	if err := h.room(t, h.records(len(plain))); err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, h.SealedLen(len(plain)))
	begins := 0 // where in plain the next message does
	for {
		n := min(len(plain), h.MaxFragment())
		out, err := h.seal(dst, Header{Type: t, Version: v}, plain[:n])
		if err != nil {
			return dst, err
		}
		h.number++
		if h.Log.On() {
			begins = h.showSealed(t, out[len(dst):], plain, n, begins)
		}
		h.seq++
		dst, plain = out, plain[n:]
		if len(plain) == 0 {
			return dst, nil
		}
	}
}

// The errors of Seal and Open are made apart: what they need would be in each frame of the stack on
// which a record is sealed or opened, and goroutines that only write are many, and begin small.

func errEmpty(t iana.ContentType) error {
	return alert.Fail(alert.InternalError, "RFC 5246 §6.2.1",
		"got an empty record of type %v to seal, expected content", t)
}

func (h *Half) errUsedUp() error {
	return alert.Fail(alert.InternalError, "RFC 5246 §6.1", "the %v's sequence numbers are used up",
		h.From)
}

func errProtected(n int) error {
	return alert.KindLength.Fail(alert.RecordOverflow, "RFC 8446 §5.2",
		"got a protected record of %d bytes, expected at most %d", n, maxCiphertext13)
}

func errInner(n, most int) error {
	return alert.KindLength.Fail(alert.RecordOverflow, "RFC 8446 §5.4",
		"got a record with %d bytes of inner plaintext, expected at most %d", n, most)
}

func errPlaintext(n, most int) error {
	return alert.KindLength.Fail(alert.RecordOverflow, "RFC 5246 §6.2.1",
		"got a record with %d bytes of plaintext, expected at most %d", n, most)
}

func (h *Half) seal(dst []byte, hd Header, plain []byte) ([]byte, error) {
	switch p := h.protection.(type) {
	case nil:
		n := len(dst)
		dst = dst[:n+HeaderLen]
		hd.put(dst[n:], len(plain))
		return append(dst, plain...), nil
	case *aead13:
		return p.sealPadded(dst, h.seq, hd.Type, plain, h.padding(len(plain))), nil
	default:
		return p.Seal(dst, h.seq, hd, plain)
	}
}

// padding returns how many zeros go behind n bytes of content.
func (h *Half) padding(n int) int {
	if h.Pad == nil {
		return 0
	}
	return max(0, min(h.Pad(n), h.MaxFragment())-n)
}

// Open returns the plaintext of the record with header hd, decrypted in place of fragment. A record
// that is not the next one that the peer sealed is bad_record_mac; more plaintext than was
// negotiated is record_overflow. Both end the connection: no record may be tried twice. The type is
// the header's, or in TLS 1.3 the one that was sealed with the content. See RFC 5246 §6.2.
func (h *Half) Open(hd Header, fragment []byte) (t iana.ContentType, plain []byte, err error) {
	if h.seq == seqLimit {
		return 0, nil, h.errUsedUp()
	}
	var wire []byte
	if h.Log.On() {
		wire = bytes.Clone(fragment)
	}
	t, plain = hd.Type, fragment
	if h.protection != nil {
		innerType := h.InnerType()
		if innerType && len(fragment) > maxCiphertext13 {
			return 0, nil, errProtected(len(fragment))
		}
		if plain, err = h.protection.Open(h.seq, hd, fragment); err != nil {
			return 0, nil, err
		}
		if innerType {
			if len(plain) > h.MaxFragment()+1 { // RFC 8446 §5.4: with its type and padding
				return 0, nil, errInner(len(plain), h.MaxFragment()+1)
			}
			if t, plain, err = inner(plain); err != nil {
				return 0, nil, err
			}
		}
	}
	if len(plain) > h.MaxFragment() {
		return 0, nil, errPlaintext(len(plain), h.MaxFragment())
	}
	if h.Log.On() {
		h.show(trace.Opened, t, hd, wire, plain, 0)
	}
	h.seq++
	return t, plain, nil
}

// InnerType reports whether records have their type inside, as those under keys of TLS 1.3 do. On
// the wire they are all of application_data; others are not protected. See RFC 8446 §5.2.
func (h *Half) InnerType() bool { return h.protection != nil && h.protection.Traits().InnerType }

// ShowClear records an event for a record in the clear that was accepted although the half is
// protected, as TLS 1.3 allows for a ChangeCipherSpec. It has no sequence number. See RFC 8446 §5.
func (h *Half) ShowClear(hd Header, fragment []byte) {
	if !h.Log.On() {
		return
	}
	r := &trace.Record{From: h.From, Direction: trace.Opened, Number: h.number,
		ContentType: hd.Type,
		Header:      make([]byte, HeaderLen), Plaintext: bytes.Clone(fragment),
		Fragment: bytes.Clone(fragment)}
	hd.put(r.Header, len(fragment))
	h.Log.Record(r, "RFC 8446 §5")
}

// showSealed is show for a record that was just sealed, with the first n bytes of content. In
// handshake content, the next message begins at begins; showSealed returns where in what is left of
// the content the next one does. Seal is given whole messages.
func (h *Half) showSealed(t iana.ContentType, record, content []byte, n, begins int) int {
	hd := Header{iana.ContentType(record[0]), iana.Version(binary.BigEndian.Uint16(record[1:])),
		len(record) - HeaderLen}
	begin := 0 // messages
	for t == iana.RecordHandshake && begins < n && len(content)-begins >= message.HeaderLen {
		begin++
		begins += message.Length(content[begins:])
	}
	h.show(trace.Sealed, t, hd, record[HeaderLen:], content[:n], begin)
	return max(0, begins-n)
}

// show records an event for a sealed or opened record, in which so many messages begin that were
// not counted yet. The header hd is that on the wire, whose type is not t in TLS 1.3. show copies
// what it is given.
func (h *Half) show(d trace.Direction, t iana.ContentType, hd Header, fragment, plain []byte,
	begin int) {
	traits := h.traits()
	r := &trace.Record{
		From: h.From, Direction: d, SeqNum: h.seq, Number: h.number, ContentType: t,
		Header:    make([]byte, HeaderLen),
		Plaintext: bytes.Clone(plain), Fragment: bytes.Clone(fragment), Protection: traits.Name,
	}
	hd.put(r.Header, len(fragment))
	if begin > 0 {
		r.FirstMessage, r.Messages = h.messages+1, uint64(begin)
		h.messages += r.Messages
	}
	if h.protection != nil {
		r.Anatomy = h.protection.Anatomy(h.seq, hd, r.Fragment)
	}
	h.Log.Record(r, traits.Ref)
}

// NamesVersion reports whether the header of a record must have the version v, once it is
// negotiated. TLS 1.3 ignores what the header has. See RFC 8446 §5.1.
func NamesVersion(v iana.Version) bool { return v != iana.TLS13 }

// room returns an error if n more records of type t may not be sealed. The last record under a key
// is reserved for an alert.
func (h *Half) room(t iana.ContentType, n int) error {
	limit := h.traits().MaxRecords
	last := limit
	if t != iana.RecordAlert && last > 0 {
		last--
	}
	if h.seq <= last && uint64(n) <= last-h.seq {
		return nil
	}
	return h.errNoRoom(limit, n)
}

func (h *Half) errNoRoom(limit uint64, n int) error {
	ref := "RFC 8446 §5.5"
	if limit == seqLimit {
		ref = "RFC 5246 §6.1"
	}
	return alert.Fail(alert.InternalError, ref,
		"%v's key has sealed %d records of at most %d: no room for %d more", h.From, h.seq, limit,
		n)
}
