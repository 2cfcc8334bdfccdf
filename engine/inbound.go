// Package engine stands a socket and a handshake: bytes in, bytes out, and no blocking. It cuts
// what arrives into records (RFC 5246 §6.2), opens them, joins handshake messages, and answers what
// comes after the handshake.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package engine

import (
	"sync"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

const (
	// maxMessage bounds a handshake message, header included: it is the longest ClientHello that
	// RFC 5246 §7.4.1.2 allows, with every vector full. Only a chain of certificates could be
	// longer.
	maxMessage = message.HeaderLen + 2 + 32 + (1 + 32) + (2 + 65534) + (1 + 255) + (2 + 65535)

	// A peer may send this much without application data between: empty records (RFC 5246 §6.2.1),
	// warnings (§7.2) and requests to negotiate (§7.4.1.1). The first two are as many as BoringSSL
	// takes; OpenSSL takes 32 and 5.
	maxEmpty    = 32
	maxWarnings = 4
	maxRequests = 16

	// maxSkipped bounds early data, in bytes, that is dropped: what a server offers is usually 16
	// KiB.
	maxSkipped = 64 << 10

	smallBuffer = 4 << 10
	largeBuffer = 2 * (record.HeaderLen + record.MaxCiphertext) // two records a system call
)

// Item is one thing that arrived whole.
type Item struct {
	Type iana.ContentType
	// a handshake message, the receiver's to keep; or a record's content, valid until the next call
	Body []byte
}

// Inbound is what one side sends, on its way from bytes to items.
type Inbound struct {
	half    record.Half
	version iana.Version // of records; 0 until it is settled
	heard   iana.Version // of the last record

	buf        []byte
	start, end int    // what has arrived and is not opened yet
	message    []byte // handshake bytes that are no whole message yet
	empty      int    // records in a row that said nothing
	bulk       bool   // the last arrival filled what it was given

	inner    bool // TLS 1.3: records have their type inside
	bare     bool // TLS 1.3: the handshake is not done, so that some records may come unprotected
	opened   bool // a protected record was opened
	dropped  int  // ChangeCipherSpecs that meant nothing
	forgives bool // early data is dropped, until a record opens
	skipped  int  // bytes of it
}

// NewInbound reads what from sends, in the clear at first.
func NewInbound(from iana.Side, log *trace.Log) *Inbound {
	return &Inbound{half: record.Half{From: from, Log: log}}
}

// Space is where the next bytes from the peer go: read into it, then call Arrived. It grows with
// what has arrived, and never with what a length promises.
func (in *Inbound) Space() []byte {
	if in.start == in.end {
		in.start, in.end = 0, 0
		if cap(in.buf) == largeBuffer && !in.bulk {
			in.Release()
		}
	}
	if in.buf == nil {
		in.buf = small.Get().(*[smallBuffer]byte)[:]
	}
	if in.end == len(in.buf) || in.bulk {
		if len(in.buf) < largeBuffer {
			next := large.Get().(*[largeBuffer]byte)[:]
			n := copy(next, in.buf[in.start:in.end])
			in.give()
			in.start, in.end, in.buf = 0, n, next
		} else if in.start > 0 {
			in.end = copy(in.buf, in.buf[in.start:in.end])
			in.start = 0
		}
	}
	return in.buf[in.end:]
}

// Buffers are shared by all connections: large ones are for those that move much at once.
var (
	small = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// Release gives an empty buffer back.
func (in *Inbound) Release() {
	if in.start == in.end {
		in.give()
		in.bulk = false
	}
}

func (in *Inbound) give() {
	switch len(in.buf) {
	case smallBuffer:
		small.Put((*[smallBuffer]byte)(in.buf))
	case largeBuffer:
		large.Put((*[largeBuffer]byte)(in.buf))
	}
	in.start, in.end, in.buf = 0, 0, nil
}

// Arrived says that n bytes were read into Space.
func (in *Inbound) Arrived(n int) {
	in.end += n
	in.bulk = in.end == len(in.buf)
}

// Partial tells whether the end of the stream now would cut a record or a message.
func (in *Inbound) Partial() bool { return in.start < in.end || len(in.message) > 0 }

// Settle fixes the version of records and the longest plaintext, from ServerHello on.
func (in *Inbound) Settle(v iana.Version, max int) {
	in.version, in.bare = v, v == iana.TLS13
	in.half.SetMaxFragment(max)
}

// Protect changes the keys. A handshake message that began under the old ones must have ended: RFC
// 5246 §7.1, and the lesson of CVE-2014-0224.
func (in *Inbound) Protect(p record.Protection) error {
	if len(in.message) > 0 {
		return alert.Fail(alert.UnexpectedMessage, "RFC 5246 §7.1",
			"the %v changes keys inside a handshake message", in.half.From)
	}
	in.half.Protect(p)
	in.inner = p.Traits().InnerType
	return nil
}

// Forgive drops early data, which we do not take: records of application data that come in the
// clear before the second hello, and protected ones until the first that opens. There is no mark
// between them and what we take. See RFC 8446 §4.2.10.
func (in *Inbound) Forgive() { in.forgives = true }

// forgive drops a record of early data, as long as there are not too many.
func (in *Inbound) forgive(n int) error {
	if in.skipped += n; in.skipped > maxSkipped {
		return alert.Fail(alert.UnexpectedMessage, "RFC 8446 §4.2.10",
			"more than %d bytes of early data, which we do not take", maxSkipped)
	}
	return nil
}

// Next gives what arrived next; ok is false until more bytes have. An error is final.
func (in *Inbound) Next() (item Item, ok bool, err error) {
	for {
		if raw, err := in.wholeMessage(); raw != nil || err != nil {
			return Item{iana.RecordHandshake, raw}, raw != nil, err
		}
		h, fragment, err := in.nextRecord()
		if fragment == nil || err != nil {
			return Item{}, false, err
		}
		if in.inner && h.Type != iana.RecordApplicationData {
			item, ok, err := in.unprotected(h, fragment)
			if ok || err != nil {
				return item, ok, err
			}
			continue
		}
		early := in.forgives && h.Type == iana.RecordApplicationData
		if early && !in.inner {
			if err := in.forgive(len(fragment)); err != nil {
				return Item{}, false, err
			}
			continue
		}
		t, plain, err := in.half.Open(h, fragment)
		if err != nil && early {
			if err := in.forgive(len(fragment)); err != nil {
				return Item{}, false, err
			}
			continue
		}
		if err != nil {
			return Item{}, false, err
		}
		in.forgives, in.opened = false, in.inner
		if err := in.weigh(t, plain); err != nil {
			return Item{}, false, err
		}
		if t != iana.RecordHandshake {
			return Item{t, plain}, true, nil
		}
		in.join(plain)
	}
}

// unprotected takes a record in the clear that comes after the keys of TLS 1.3: a ChangeCipherSpec
// for middleboxes, which is dropped, or the alert of a client that could not use our ServerHello.
// See RFC 8446 §5 and §D.4.
func (in *Inbound) unprotected(h record.Header, fragment []byte) (item Item, ok bool, err error) {
	switch {
	case in.bare && h.Type == iana.RecordChangeCipherSpec:
		if err := in.weigh(h.Type, fragment); err != nil {
			return item, false, err
		}
		return item, false, in.disguised()
	case in.bare && h.Type == iana.RecordAlert && !in.opened && len(fragment) == 2:
		return Item{h.Type, fragment}, true, nil
	}
	return item, false,
		alert.Fail(alert.UnexpectedMessage, "RFC 8446 §5", "got an unprotected %v under keys",
			h.Type)
}

// disguised counts a ChangeCipherSpec that means nothing.
func (in *Inbound) disguised() error {
	if in.dropped++; in.dropped > maxEmpty {
		return alert.Fail(alert.UnexpectedMessage, "RFC 8446 §5",
			"more than %d change_cipher_spec records", maxEmpty)
	}
	return nil
}

// nextRecord cuts a record off what has arrived; fragment is nil until one is whole.
func (in *Inbound) nextRecord() (h record.Header, fragment []byte, err error) {
	have := in.buf[in.start:in.end]
	if len(have) < record.HeaderLen {
		return h, nil, nil
	}
	if h, err = record.ParseHeader(have); err != nil {
		return h, nil, err
	}
	// RFC 8446 §5.1: to be ignored
	if in.version != 0 && h.Version != in.version && in.version != iana.TLS13 {
		return h, nil,
			alert.Fail(alert.ProtocolVersion, "RFC 5246 §6.2.1", "got a record of %v, expected %v",
				h.Version, in.version)
	}
	in.heard = h.Version
	whole := record.HeaderLen + h.Length
	if len(have) < whole {
		return h, nil, nil
	}
	in.start += whole
	return h, have[record.HeaderLen:whole:whole], nil
}

// weigh refuses contents that a record must not have, and floods of nothing.
func (in *Inbound) weigh(t iana.ContentType, plain []byte) error {
	if len(plain) > 0 && t != iana.RecordAlert {
		in.empty = 0
	}
	switch t {
	case iana.RecordApplicationData:
		if len(plain) > 0 {
			break
		}
		if in.empty++; in.empty > maxEmpty {
			return alert.Fail(alert.UnexpectedMessage, "RFC 5246 §6.2.1",
				"more than %d empty records in a row", maxEmpty)
		}
	case iana.RecordAlert:
		if len(plain) != 2 {
			return alert.Fail(alert.DecodeError, "RFC 5246 §7.2",
				"an alert of %d bytes, expected 2", len(plain))
		}
	case iana.RecordChangeCipherSpec:
		if len(plain) != 1 || plain[0] != 1 {
			return alert.Fail(alert.UnexpectedMessage, "RFC 5246 §7.1",
				"a change_cipher_spec that is not the single byte 1")
		}
	case iana.RecordHandshake:
		if len(plain) == 0 {
			return alert.Fail(alert.UnexpectedMessage, "RFC 5246 §6.2.1",
				"an empty handshake record")
		}
	}
	return nil
}

// wholeMessage cuts a handshake message off what records have brought; nil until one is whole.
func (in *Inbound) wholeMessage() ([]byte, error) {
	if len(in.message) < message.HeaderLen {
		return nil, nil
	}
	n := message.Length(in.message)
	if n > maxMessage {
		return nil, tooLong(iana.HandshakeType(in.message[0]), n)
	}
	if len(in.message) < n {
		return nil, nil
	}
	raw, rest := in.message[:n:n], in.message[n:]
	in.message = nil
	if len(rest) > 0 {
		in.message = rest // not copied: a record of 4,096 HelloRequests would cost 32 MiB
	}
	return raw, nil
}

// tooLong refuses a message for the length in its header. A ClientHello of that length cannot be
// one; of the others a Certificate could be, and is more than we take.
func tooLong(t iana.HandshakeType, n int) error {
	if t == iana.ClientHello {
		return alert.Fail(alert.DecodeError, "RFC 5246 §7.4.1.2",
			"got a %v of %d bytes, the longest that can be has %d", t, n, maxMessage)
	}
	return alert.Fail(alert.IllegalParameter, "RFC 5246 §7.4",
		"got a %v of %d bytes, expected at most %d", t, n, maxMessage)
}

// join appends what a record brought to the message it belongs to. The buffer grows by an eighth,
// and by what came: a peer that sends half a message and waits holds little more than it sent.
func (in *Inbound) join(plain []byte) {
	n := len(in.message) + len(plain)
	if n > cap(in.message) {
		grown := make([]byte, len(in.message), n+len(in.message)/8)
		copy(grown, in.message)
		in.message = grown
	}
	in.message = append(in.message, plain...)
}

// Leftover returns how many handshake bytes arrived in records behind the last whole message.
func (in *Inbound) Leftover() int { return len(in.message) }
