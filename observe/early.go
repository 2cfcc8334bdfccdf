package observe

import (
	"bytes"
	"encoding/binary"
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
	x := &l.refused
	if x.full = x.full || r.torn || len(x.records)+r.Length > maxRefused; x.full {
		return passed, true
	}
	x.records = binary.BigEndian.AppendUint32(x.records, uint32(l.half.Number()))
	x.records = append(x.records, l.buf[l.start-record.HeaderLen-r.Length:l.start]...)
	return passed, true
}

// openRefused opens early data that was turned down, if its secret is known, before anything else
// that the client sends under keys.
func (c *Connection) openRefused(l *lane) {
	if len(l.refused.records) == 0 || c.machine.ServerHello == nil || c.pending != nothing {
		return
	}
	rest := l.refused.records
	l.refused = refused{}
	var half *record.Half
	for seq := uint64(0); len(rest) > 0; seq++ {
		number := binary.BigEndian.Uint32(rest)
		h, _ := header(rest[4:])
		fragment := rest[4+record.HeaderLen:][:h.Length]
		rest = rest[4+record.HeaderLen+h.Length:]
		if half == nil {
			if half = c.refusedHalf(h, fragment); half == nil {
				return
			}
		}
		half.Seek(seq)
		half.SetNumber(uint64(number))
		t, plain, err := half.Open(h, fragment)
		if err != nil {
			continue
		}
		l.read = true
		l.flow.Unread -= int64(h.Length)
		l.flow.UnreadRecords--
		l.flow.EarlyUnread -= int64(h.Length)
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

// refusedHalf returns the direction of early data, under the suite with which its first record
// opens.
func (c *Connection) refusedHalf(h record.Header, fragment []byte) *record.Half {
	if c.machine.FirstHello == nil {
		return nil
	}
	secrets := c.refusedSecrets
	if c.earlySecret != nil {
		secrets = [][]byte{c.earlySecret}
	}
	for _, s := range suite.All13() {
		if !slices.Contains(c.machine.FirstHello.CipherSuites, s.ID) {
			continue
		}
		for _, secret := range secrets {
			k := handshake.EarlyKeys(s, secret)
			if k == nil {
				continue
			}
			p, err := record.NewReader(s.Cipher, s.MAC, k.Params(nil))
			if err != nil {
				continue
			}
			if _, err := p.Open(0, h, bytes.Clone(fragment)); err == nil {
				return c.half(iana.Client, k)
			}
		}
	}
	return nil
}
