package record

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// A Joiner joins the contents of handshake records to messages: a message may be in several
// records, and several may be in one. The zero Joiner is empty. See RFC 5246 §6.2.1.
type Joiner struct {
	bytes []byte // that Next has not returned yet

	// The numbers of records: in which the last message that Next returned begins, in which the
	// next one does, and the one that was added last.
	begun, begins, last uint64
}

// Add appends the content of the record with a number: see trace.Record. The buffer grows by an
// eighth plus the new content, so that a peer that sends half a message and waits costs little more
// memory than it has sent.
func (j *Joiner) Add(number uint64, content []byte) {
	if j.last = number; len(j.bytes) == 0 {
		j.begins = number
	}
	n := len(j.bytes) + len(content)
	if n > cap(j.bytes) {
		grown := make([]byte, len(j.bytes), n+len(j.bytes)/8)
		copy(grown, j.bytes)
		j.bytes = grown
	}
	j.bytes = append(j.bytes, content...)
}

// Next returns the next message with its header, or nil if it is incomplete. The caller may keep
// it. If the header announces more than max bytes in all, Next returns the error that tooLong makes
// of the message's type and length.
func (j *Joiner) Next(max int, tooLong func(iana.HandshakeType, int) error) ([]byte, error) {
	if len(j.bytes) < message.HeaderLen {
		return nil, nil
	}
	n := message.Length(j.bytes)
	if n > max {
		return nil, tooLong(iana.HandshakeType(j.bytes[0]), n)
	}
	if len(j.bytes) < n {
		return nil, nil
	}
	raw, rest := j.bytes[:n:n], j.bytes[n:]
	j.bytes, j.begun, j.begins = nil, j.begins, j.last
	if len(rest) > 0 {
		j.bytes = rest // not copied: a record of 4,096 HelloRequests would cost 32 MiB
	}
	return raw, nil
}

// Begun returns the number of the record in which the message begins that Next returned last.
func (j *Joiner) Begun() uint64 { return j.begun }

// Len returns the number of bytes that were added and not returned yet.
func (j *Joiner) Len() int { return len(j.bytes) }

// Cap returns the number of bytes of memory that the Joiner holds.
func (j *Joiner) Cap() int { return cap(j.bytes) }

// Drop forgets what Next has not returned.
func (j *Joiner) Drop() { j.bytes = nil }

// ChangeKeys returns an error if keys must not change now for what from sends, because a message
// that began under the old keys is incomplete. See RFC 5246 §7.1, RFC 8446 §5.1 and CVE-2014-0224.
func (j *Joiner) ChangeKeys(from iana.Side) error {
	if len(j.bytes) > 0 {
		return alert.KindFlight.Fail(alert.UnexpectedMessage, "RFC 5246 §7.1, RFC 8446 §5.1",
			"the %v changes keys inside a handshake message", from)
	}
	return nil
}
