package observe

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// This file reads early data in front of a second ClientHello, which the server's HelloRetryRequest
// turned down. It waits for the secrets, which are looked for when the ServerHello has come. Its
// suite is that of a ticket that nobody used, so those that the client offers are tried. See RFC
// 8446 §4.2.10.

// maxRefused is how much of it may wait, in bytes. Tickets seldom allow more than 16 KiB.
const maxRefused = 64 << 10

// refusedEarly keeps the next record if it is one of early data that was turned down. Until it is
// opened it counts as unread.
func (c *Connection) refusedEarly(l *lane) (got outcome, ok bool) {
	m := c.machine
	if l.from != iana.Client || !m.Retried() || m.ServerHello != nil || m.FirstHello != nil ||
		!m.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		return starved, false
	}
	r, got := l.cut()
	if got != opened {
		return got, true
	}
	l.half.Arrived()
	l.flow.Unread += int64(r.Length)
	l.flow.UnreadRecords++
	l.flow.EarlyUnread += int64(r.Length)
	if x := &l.refused; !r.torn && x.bytes+r.Length <= maxRefused {
		x.records = append(x.records, refusedRecord{Header: r.Header,
			fragment: bytes.Clone(r.fragment), seq: x.seq, number: l.half.Number()})
		x.bytes += r.Length
	}
	l.refused.seq++
	return passed, true
}

// openRefused opens early data that was turned down, if its secret is known, before anything else
// that the client sends under keys.
func (c *Connection) openRefused(l *lane) {
	if len(l.refused.records) == 0 || c.machine.ServerHello == nil {
		return
	}
	records := l.refused.records
	l.refused = refused{}
	half := c.refusedHalf(&records[0])
	if half == nil {
		return
	}
	for _, r := range records {
		half.Seek(r.seq)
		half.SetNumber(r.number)
		t, plain, err := half.Open(r.Header, r.fragment)
		if err != nil {
			continue
		}
		l.read = true
		l.flow.Unread -= int64(r.Length)
		l.flow.UnreadRecords--
		l.flow.EarlyUnread -= int64(r.Length)
		if t != iana.RecordApplicationData {
			continue
		}
		l.flow.add(plain)
		l.flow.Early += int64(len(plain))
		if c.Data != nil && len(plain) > 0 {
			c.Data(l.from, plain)
		}
	}
}

// refusedHalf returns the direction of early data, under the first suite with which a record opens.
func (c *Connection) refusedHalf(r *refusedRecord) *record.Half {
	if c.earlySecret == nil || c.machine.FirstHello == nil {
		return nil
	}
	for _, s := range suite.All13() {
		k := handshake.EarlyKeys(s, c.earlySecret)
		if k == nil || !slices.Contains(c.machine.FirstHello.CipherSuites, s.ID) {
			continue
		}
		p, err := record.NewReader(s.Cipher, s.MAC, k.Params(nil))
		if err != nil {
			continue
		}
		if _, err := p.Open(r.seq, r.Header, bytes.Clone(r.fragment)); err == nil {
			return c.half(iana.Client, k)
		}
	}
	return nil
}
