package engine

import (
	"sync"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Outbound is the sending half of an Engine: it turns content into sealed records.
type Outbound struct {
	half    record.Half
	version iana.Version // of records
	split   bool         // TLS 1.0 with CBC: see sealSplit
	buf     *[]byte      // sealed, and not taken yet; nil when nothing is
	growing bool         // records of data are shorter than they may be: see SealData
	longest int          // the longest of them so far, in bytes of plaintext
}

// buffers is shared by all connections: a connection with nothing to send holds no buffer.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// NewOutbound returns an Outbound for the side from. It does not encrypt until Protect is called.
// The records of a first ClientHello have the version TLS 1.0, so that a server that knows no later
// version can still answer: RFC 5246 §E.1.
func NewOutbound(from iana.Side, log *trace.Log) *Outbound {
	return &Outbound{half: record.Half{From: from, Log: log}, version: iana.TLS10}
}

// SetVersion sets the version of records and the length of the longest plaintext.
func (o *Outbound) SetVersion(v iana.Version, max int) {
	o.version = min(v, iana.TLS12) // RFC 8446 §5.1
	o.half.SetMaxFragment(max)
}

// Protect replaces the keys.
func (o *Outbound) Protect(p record.Protection, k *handshake.TrafficKeys) {
	o.half.Protect(p)
	o.split = record.ChainsIVs(k.Version, k.Suite.Cipher)
}

// Clear ends protection: our records go in the clear.
func (o *Outbound) Clear() { o.half.Protect(nil) }

// Seal splits content into records, seals them, and keeps them until Sent is called.
func (o *Outbound) Seal(t iana.ContentType, content []byte) (err error) {
	if o.buf == nil {
		o.buf = buffers.Get().(*[]byte)
	}
	if o.split && t == iana.RecordApplicationData && len(content) > 1 {
		return o.sealSplit(content)
	}
	*o.buf, err = o.half.Seal(*o.buf, t, o.version, content)
	return err
}

// sealSplit puts the first byte of each record of application data into a record of its own.
//
// In TLS 1.0, a CBC record uses the last ciphertext block of the record before it as its IV. An
// attacker who sees the IV before choosing the plaintext can test guesses (BEAST). The MAC of the
// record with one byte makes the next IV unpredictable.
func (o *Outbound) sealSplit(data []byte) (err error) {
	for len(data) > 0 && err == nil {
		n := min(len(data), o.half.MaxFragment())
		*o.buf, err = o.half.Seal(*o.buf, iana.RecordApplicationData, o.version, data[:1])
		if err == nil && n > 1 {
			*o.buf, err = o.half.Seal(*o.buf, iana.RecordApplicationData, o.version, data[1:n])
		}
		data = data[n:]
	}
	return err
}

const (
	// MaxBurst is the longest Burst: two full records in a system call were the fastest.
	MaxBurst = 2 * record.MaxPlaintext

	// segment is what a packet of TCP certainly carries, over IPv6 and with options, in bytes.
	segment = 1208
)

// nth returns how much data the nth of the next records takes while they are growing.
func (o *Outbound) nth(n int) int {
	return min(o.longest+n*(segment-o.half.SealedLen(0)), o.half.MaxFragment())
}

// Burst returns how much data is best sealed and sent at a time: that of two records.
func (o *Outbound) Burst() int {
	if !o.growing {
		return MaxBurst // also where a full record is shorter
	}
	return o.nth(1) + o.nth(2)
}

// SealData is Seal for application data. The first record fits into a packet, and each one after it
// is a packet longer until they have their full length: the peer can open a record only when all
// of it has come, and at the start of a connection few packets come at a time.
func (o *Outbound) SealData(data []byte) error {
	if o.growing && len(data) > 0 {
		return o.sealGrowing(data)
	}
	return o.Seal(iana.RecordApplicationData, data)
}

func (o *Outbound) sealGrowing(data []byte) error {
	for o.growing && len(data) > 0 {
		o.longest = o.nth(1)
		o.growing = o.longest < o.half.MaxFragment()
		n := min(len(data), o.longest)
		if err := o.Seal(iana.RecordApplicationData, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	if len(data) == 0 {
		return nil
	}
	return o.Seal(iana.RecordApplicationData, data)
}

// outgoing is a handshake message, or a ChangeCipherSpec, that is not sealed yet.
type outgoing struct {
	kind handshake.Kind
	raw  []byte
}

// SealFlight seals a flight of the handshake. Consecutive handshake messages share records. See RFC
// 5246 §6.2.1.
func (o *Outbound) SealFlight(flight []outgoing) error {
	for len(flight) > 0 {
		t, content, n := iana.RecordHandshake, flight[0].raw, 1
		if flight[0].kind == handshake.ChangeCipherSpec {
			t = iana.RecordChangeCipherSpec
		} else if n = messages(flight); n > 1 {
			content = join(flight[:n])
		}
		if err := o.Seal(t, content); err != nil {
			return err
		}
		flight = flight[n:]
	}
	return nil
}

// messages returns the number of handshake messages before the next ChangeCipherSpec.
func messages(flight []outgoing) (n int) {
	for n < len(flight) && flight[n].kind != handshake.ChangeCipherSpec {
		n++
	}
	return n
}

func join(messages []outgoing) []byte {
	n := 0
	for _, m := range messages {
		n += len(m.raw)
	}
	joined := make([]byte, 0, n)
	for _, m := range messages {
		joined = append(joined, m.raw...)
	}
	return joined
}

// Sealed returns the sealed bytes that are to be sent to the peer. They are valid until Sent is
// called.
func (o *Outbound) Sealed() []byte {
	if o.buf == nil {
		return nil
	}
	return *o.buf
}

// Sent records that what Sealed returned was sent, and releases its buffer.
func (o *Outbound) Sent() {
	*o.buf = (*o.buf)[:0]
	buffers.Put(o.buf)
	o.buf = nil
}
