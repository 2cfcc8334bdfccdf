package engine

import (
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

const (
	// maxMessage bounds the length of a handshake message, header included. It is the longest
	// ClientHello that RFC 5246 §7.4.1.2 allows, with every vector full. Certificates, a stapled
	// status and the parameters of a ServerKeyExchange could be longer by their syntax, and are not
	// in practice.
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
	// of a handshake, whose flights are longer, and which doubles its buffer until the longest
	// record fits; and of one that receives as much as it can take, four records a system call.
	idleBuffer   = 2 << 10
	smallBuffer  = 4 << 10
	recordBuffer = record.HeaderLen + record.MaxCiphertext
	largeBuffer  = 4 * recordBuffer
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
	refused    []byte // with a Log: the last record as it arrived
	empty      int    // empty records in a row
	bulk       bool   // the last read, after the handshake, filled the buffer

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
		in.makeRoom()
	}
	return in.buf[in.end:]
}

// makeRoom makes room behind what has arrived. A handshake's buffer is at most twice as long as
// what has come of a record, so that a peer costs memory in proportion to what it has sent.
func (in *Inbound) makeRoom() {
	next := in.buf
	switch full := len(in.buf); {
	case !in.done && in.start > 0:
	case !in.done && full < recordBuffer:
		next = make([]byte, min(2*full, recordBuffer))
	case full < largeBuffer:
		next = large.Get().(*[largeBuffer]byte)[:]
	case in.start == 0:
		return
	}
	n := copy(next, in.buf[in.start:in.end])
	if len(next) != len(in.buf) {
		in.give()
	}
	in.start, in.end, in.buf = 0, n, next
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
