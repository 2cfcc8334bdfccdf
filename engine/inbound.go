// Package engine connects a byte stream to a handshake, without blocking. It splits what arrives
// into records (RFC 5246 §6.2), opens them, joins handshake messages, and answers post-handshake
// messages.
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
	// maxMessage bounds the length of a handshake message, header included. It is the longest
	// ClientHello that RFC 5246 §7.4.1.2 allows, with every vector full. Only a Certificate could
	// be longer.
	maxMessage = message.HeaderLen + 2 + 32 + (1 + 32) + (2 + 65534) + (1 + 255) + (2 + 65535)

	// The number of records that a peer may send without application data between them: empty ones
	// (RFC 5246 §6.2.1), warnings (§7.2) and requests to renegotiate (§7.4.1.1). The first two
	// limits are those of BoringSSL; OpenSSL's are 32 and 5.
	maxEmpty    = 32
	maxWarnings = 4
	maxRequests = 16

	// maxSkipped bounds the early data that is dropped, in bytes, besides what our own tickets
	// allow. Servers usually offer 16 KiB.
	maxSkipped = 64 << 10

	// The lengths of buffers: of a connection that waits for data, which most do most of the time;
	// of a handshake, whose flights are longer; and of one that receives as much as it can take,
	// four records a system call.
	idleBuffer  = 2 << 10
	smallBuffer = 4 << 10
	largeBuffer = 4 * (record.HeaderLen + record.MaxCiphertext)
)

// Item is one complete thing that arrived: a handshake message, or the content of a record.
type Item struct {
	Type iana.ContentType
	// a handshake message, which the receiver may keep; or a record's content, valid until the next
	// call
	Body []byte
}

// Inbound is the receiving half of an Engine: it turns the bytes from one side into items.
type Inbound struct {
	half        record.Half
	version     iana.Version // of records; 0 until it is negotiated
	lastVersion iana.Version // of the last record

	buf        []byte
	start, end int // what has arrived and is not opened yet
	messages   record.Joiner
	empty      int  // empty records in a row
	bulk       bool // the last read, after the handshake, filled the buffer

	hello2   bool  // the first bytes may be a ClientHello in the form of SSL 2.0
	done     bool  // the handshake is done: under TLS 1.3 keys nothing may come unprotected
	opened   bool  // a protected record was opened
	dropped  int   // number of ChangeCipherSpecs that were dropped
	skipping bool  // early data is dropped, until a record opens
	skipLeft int64 // how many more bytes of early data are dropped, until a record opens
}

// NewInbound returns an Inbound for what the side from sends. It does not decrypt until Protect is
// called.
func NewInbound(from iana.Side, log *trace.Log) *Inbound {
	return &Inbound{half: record.Half{From: from, Log: log}}
}

// Space returns a buffer for the next bytes from the peer: read into it, then call Arrived. The
// buffer grows with what has arrived, never with a length from the wire.
func (in *Inbound) Space() []byte {
	if in.start == in.end {
		in.start, in.end = 0, 0
		if len(in.buf) != in.length() {
			in.give()
			in.buf = in.borrow()
		}
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

// length returns how long an empty buffer should be.
func (in *Inbound) length() int {
	switch {
	case in.bulk:
		return largeBuffer
	case in.done:
		return idleBuffer
	}
	return smallBuffer
}

// Buffers are shared by all connections.
var (
	idle  = sync.Pool{New: func() any { return new([idleBuffer]byte) }}
	small = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

func (in *Inbound) borrow() []byte {
	switch in.length() {
	case idleBuffer:
		return idle.Get().(*[idleBuffer]byte)[:]
	case smallBuffer:
		return small.Get().(*[smallBuffer]byte)[:]
	}
	return large.Get().(*[largeBuffer]byte)[:]
}

// Drained returns the buffer to its pool if it is empty: a connection that nobody reads from holds
// none. The next one is as large.
func (in *Inbound) Drained() {
	if in.start == in.end {
		in.give()
	}
}

// Release returns the buffer to its pool if it is empty. The next one is small.
func (in *Inbound) Release() {
	if in.start == in.end {
		in.give()
		in.bulk = false
	}
}

func (in *Inbound) give() {
	switch len(in.buf) {
	case idleBuffer:
		idle.Put((*[idleBuffer]byte)(in.buf))
	case smallBuffer:
		small.Put((*[smallBuffer]byte)(in.buf))
	case largeBuffer:
		large.Put((*[largeBuffer]byte)(in.buf))
	}
	in.start, in.end, in.buf = 0, 0, nil
}

// Arrived records that n bytes were read into Space.
func (in *Inbound) Arrived(n int) {
	in.end += n
	in.bulk = in.done && in.end == len(in.buf)
}

// Unread returns what has arrived and was not opened, valid until the next call.
func (in *Inbound) Unread() []byte { return in.buf[in.start:in.end] }

// Partial reports whether the end of the stream now would truncate a record or a message.
func (in *Inbound) Partial() bool { return in.start < in.end || in.messages.Len() > 0 }

// SetVersion sets the version of records and the length of the longest plaintext, which hold from
// ServerHello on.
func (in *Inbound) SetVersion(v iana.Version, max int) {
	in.version = v
	in.half.SetMaxFragment(max)
}

// Protect replaces the keys. It returns an error if a handshake message that began under the old
// keys is incomplete.
func (in *Inbound) Protect(p record.Protection) error {
	if err := in.messages.ChangeKeys(in.half.From); err != nil {
		return err
	}
	in.half.Protect(p)
	return nil
}

// SkipEarlyData makes Next drop early data that we do not accept: records of application data that
// come in the clear before the second ClientHello, and protected records until the first one that
// opens. Nothing marks where early data ends. See RFC 8446 §4.2.10. In all, max bytes may be
// dropped.
func (in *Inbound) SkipEarlyData(max int64) { in.skipping, in.skipLeft = true, max }

// countSkipped counts a dropped record of early data with n bytes of content. It returns an error
// if there were too many bytes. Headers count, so that the number of empty records is limited too.
func (in *Inbound) countSkipped(n int) error {
	if in.skipLeft -= int64(record.HeaderLen + n); in.skipLeft < 0 {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §4.2.10",
			"more early data than our tickets allow, which we do not take")
	}
	return nil
}

// Next returns the next complete item, or ok == false if more input is needed. An error is final.
func (in *Inbound) Next() (item Item, ok bool, err error) {
	for {
		if raw, err := in.messages.Next(maxMessage, tooLong); raw != nil || err != nil {
			return Item{iana.RecordHandshake, raw}, raw != nil, err
		}
		if in.hello2 {
			if raw, err := in.firstHello(); in.hello2 || raw != nil || err != nil {
				return Item{iana.RecordHandshake, raw}, raw != nil, err
			}
		}
		inner := in.half.InnerType()
		h, fragment, err := in.nextRecord()
		if fragment == nil || err != nil {
			return Item{}, false, err
		}
		if inner && h.Type != iana.RecordApplicationData {
			item, ok, err := in.unprotected(h, fragment)
			if ok || err != nil {
				return item, ok, err
			}
			continue
		}
		early := in.skipping && h.Type == iana.RecordApplicationData
		if early && !inner {
			if err := in.countSkipped(len(fragment)); err != nil {
				return Item{}, false, err
			}
			continue
		}
		t, plain, err := in.half.Open(h, fragment)
		if err != nil && early {
			if err := in.countSkipped(len(fragment)); err != nil {
				return Item{}, false, err
			}
			continue
		}
		if err != nil {
			return Item{}, false, err
		}
		in.opened = inner
		if inner || t == iana.RecordHandshake { // a change_cipher_spec comes before early data
			in.skipping = false
		}
		if err := in.checkRecord(t, plain); err != nil {
			return Item{}, false, err
		}
		if t == iana.RecordHandshake {
			in.messages.Add(plain)
			continue
		}
		if inner && t == iana.RecordChangeCipherSpec {
			return Item{}, false,
				alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §5", "got a protected %v",
					t)
		}
		if inner && in.messages.Len() > 0 && t != iana.RecordAlert {
			return Item{}, false, alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §5.1",
				"got a record of %v inside a handshake message", t)
		}
		return Item{t, plain}, true, nil
	}
}

// unprotected handles a record in the clear that arrives when TLS 1.3 keys are in use. It drops a
// ChangeCipherSpec that is sent for middleboxes, and accepts the alert of a client that could not
// use our ServerHello. A client accepts no such alert, because a server has keys from its
// ServerHello on and an attacker could send it. All others are errors. See RFC 8446 §5 and §D.4.
func (in *Inbound) unprotected(h record.Header, fragment []byte) (item Item, ok bool, err error) {
	switch {
	case !in.done && h.Type == iana.RecordChangeCipherSpec:
		if err := in.checkRecord(h.Type, fragment); err != nil {
			return item, false, err
		}
		in.half.ShowClear(h, fragment)
		return item, false, in.countDropped()
	case !in.done && in.half.From == iana.Client && h.Type == iana.RecordAlert && !in.opened &&
		len(fragment) == 2:
		in.half.ShowClear(h, fragment)
		return Item{h.Type, fragment}, true, nil
	}
	return item, false,
		alert.KindRecord.Fail(alert.UnexpectedMessage, "RFC 8446 §5",
			"got an unprotected %v under keys", h.Type)
}

// countDropped counts a dropped ChangeCipherSpec record and returns an error if there are too many.
func (in *Inbound) countDropped() error {
	if in.dropped++; in.dropped > maxEmpty {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §5",
			"more than %d change_cipher_spec records", maxEmpty)
	}
	return nil
}

// nextRecord returns the next record; fragment is nil if more input is needed.
func (in *Inbound) nextRecord() (h record.Header, fragment []byte, err error) {
	have := in.buf[in.start:in.end]
	if len(have) < record.HeaderLen {
		return h, nil, nil
	}
	if h, err = record.ParseHeader(have); err != nil {
		return h, nil, err
	}
	if in.version != 0 && h.Version != in.version && record.NamesVersion(in.version) {
		return h, nil,
			alert.KindNotTLS.Fail(alert.ProtocolVersion, "RFC 5246 §6.2.1",
				"got a record of %v, expected %v", h.Version, in.version)
	}
	in.lastVersion = h.Version
	whole := record.HeaderLen + h.Length
	if len(have) < whole {
		return h, nil, nil
	}
	in.start += whole
	return h, have[record.HeaderLen:whole:whole], nil
}

// checkRecord returns an error for malformed contents of a record and for floods of empty records.
func (in *Inbound) checkRecord(t iana.ContentType, plain []byte) error {
	if len(plain) > 0 && t != iana.RecordAlert {
		in.empty = 0
	}
	switch t {
	case iana.RecordApplicationData:
		if len(plain) > 0 {
			break
		}
		if in.empty++; in.empty > maxEmpty {
			return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5246 §6.2.1",
				"more than %d empty records in a row", maxEmpty)
		}
	case iana.RecordAlert:
		if len(plain) != 2 {
			return alert.KindMalformed.Fail(alert.DecodeError, "RFC 5246 §7.2",
				"an alert of %d bytes, expected 2", len(plain))
		}
	case iana.RecordChangeCipherSpec:
		if len(plain) != 1 || plain[0] != 1 {
			return alert.KindMalformed.Fail(alert.UnexpectedMessage, "RFC 5246 §7.1",
				"a change_cipher_spec that is not the single byte 1")
		}
	case iana.RecordHandshake:
		if len(plain) == 0 {
			return alert.KindLength.Fail(alert.UnexpectedMessage, "RFC 5246 §6.2.1",
				"an empty handshake record")
		}
	}
	return nil
}

// tooLong returns the error for a message whose header says n bytes. No valid ClientHello is that
// long. A valid Certificate could be, but we do not accept it.
func tooLong(t iana.HandshakeType, n int) error {
	if t == iana.ClientHello {
		return alert.KindLength.Fail(alert.DecodeError, "RFC 5246 §7.4.1.2",
			"got a %v of %d bytes, the longest that can be has %d", t, n, maxMessage)
	}
	return alert.KindLength.Fail(alert.IllegalParameter, "RFC 5246 §7.4",
		"got a %v of %d bytes, expected at most %d", t, n, maxMessage)
}

// Leftover returns how many bytes of handshake messages were opened and not yet returned by Next.
func (in *Inbound) Leftover() int { return in.messages.Len() }
