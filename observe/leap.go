package observe

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/record"
)

// This file finds by trial where a direction of TLS 1.3 changes to later keys, if no readable
// message shows it. Records are authenticated, so the first that opens under the later keys is the
// boundary.

// ahead returns the direction's later epochs whose keys may be tried on a record, with the records
// of each from its first on. It is empty where the handshake's messages show when keys change.
func (c *Connection) ahead(l *lane) []*record.Half {
	m := c.machine
	switch {
	case l.keysFound || m.Agreed == nil || !c.protocol().epochs() || c.failure != nil:
		return nil
	case !c.tryingLater && !l.blind && (!l.early || m.EarlyAccepted()):
		return nil
	}
	var list []*record.Half
	for _, e := range []handshake.Epoch{handshake.Handshaking, handshake.Application} {
		if e <= l.epoch {
			continue
		}
		if l.later[e] == nil {
			l.later[e] = c.half(l.from, m.KeysOf(l.from, e))
		}
		if l.later[e] != nil {
			list = append(list, l.later[e])
		}
	}
	return list
}

// half returns a direction under keys, or nil if they are nil.
func (c *Connection) half(from iana.Side, k *handshake.TrafficKeys) *record.Half {
	if k == nil {
		return nil
	}
	p, err := record.NewReader(k.Suite.Cipher, k.Suite.MAC, k.Params(nil))
	if err != nil {
		return nil
	}
	h := &record.Half{From: from, Log: c.log}
	h.Protect(p)
	return h
}

// hasLaterKeys reports whether there are later keys to try.
func (c *Connection) hasLaterKeys(l *lane) bool { return len(c.ahead(l)) > 0 }

// tryLaterKeys tries later keys on a record.
func (c *Connection) tryLaterKeys(l *lane, h record.Header,
	fragment []byte) (t iana.ContentType, plain []byte, ok bool) {
	for _, next := range c.ahead(l) {
		next.Seek(0)
		next.SetNumber(l.half.Number())
		if t, plain, err := next.Open(h, bytes.Clone(fragment)); err == nil {
			c.changeKeys(l, next)
			return t, plain, true
		}
	}
	return 0, nil, false
}

// changeKeys changes to the keys that opened a record. The records that did not open before were
// early data or, if the direction's data begins now, handshake messages.
func (c *Connection) changeKeys(l *lane, next *record.Half) {
	l.read, l.fresh = true, false
	e := handshake.Handshaking
	if next == l.later[handshake.Application] {
		e, l.keysFound = handshake.Application, true
		if !c.machine.Done() {
			c.machine.Unsound()
		}
	}
	switch {
	case l.early && l.epoch == handshake.Early:
		l.flow.EarlyUnread += l.sealed.bytes
	case l.flow.Missing == 0 && e == handshake.Application:
		l.flow.Unread -= l.sealed.bytes
		l.flow.UnreadRecords -= l.sealed.records
	}
	l.before, l.sealed = l.sealed, sealedRecords{}
	l.half, l.epoch, l.blind, l.early = *next, e, false, false
	l.setKeys(nil)
	l.messages.Drop()
}

// passEarly continues behind an EndOfEarlyData that could not be read, if it is the client's turn.
// Its record is no early data.
func (c *Connection) passEarly(l *lane) {
	if l.from != iana.Client || l.epoch < handshake.Handshaking || !c.machine.PassEarly() {
		return
	}
	if s := l.before; s.records > 0 {
		l.flow.Unread -= int64(s.last)
		l.flow.EarlyUnread -= int64(s.last)
		l.flow.UnreadRecords--
	}
}

// sealing reports whether records that do not open are under keys that are not known, or not
// reached yet, and not damaged.
func (c *Connection) sealing(l *lane) bool {
	return c.protocol().epochs() && l.epoch < handshake.Application &&
		(c.tryingLater || l.early || l.blind)
}

// seal counts a record that opened under no key, before the direction's last keys are found.
func (l *lane) seal(h record.Header) {
	if h.Type != iana.RecordApplicationData {
		return
	}
	l.flow.Unread += int64(h.Length)
	l.flow.UnreadRecords++
	l.sealed.bytes += int64(h.Length)
	l.sealed.records++
	l.sealed.last = h.Length
}

// applicationLabels name the secrets of a side's data in a key log.
var applicationLabels = [2]keylog.Label{keylog.ClientTraffic, keylog.ServerTraffic}

// withheld returns why what a side sent in TLS 1.3 was not all read although some of the
// connection's secrets are known, or nil if that is not why.
func (c *Connection) withheld(from iana.Side) *Reason {
	m, l := c.machine, &c.lanes[from]
	if !c.protocol().epochs() || m.Agreed == nil || c.used == "" || c.failure != nil {
		return nil
	}
	unread := l.flow.Unread - l.flow.EarlyUnread
	why := &Reason{Code: NoSecret, Needs: []Need{NeedKeyLog},
		Remedy: "give a key log that has this secret"}
	switch {
	case unread > 0 && l.epoch != handshake.Application &&
		m.KeysOf(from, handshake.Application) == nil && l.flow.Missing == 0:
		if c.earlyAlone {
			return &Reason{Code: ForwardSecret}
		}
		if misfit := c.misfit(applicationLabels[from]); misfit != nil {
			return misfit
		}
		why.Detail = fmt.Sprintf("%s of this connection is not known: "+
			"what it protects is not read", applicationLabels[from])
	case unread > 0 && l.epoch != handshake.Application && c.hasLaterKeys(l) && l.flow.Missing == 0:
		why = &Reason{Code: WrongSecret,
			Detail: fmt.Sprintf("none of %s of the %v opens under the %s that was found (%s): it "+
				"is that of another connection or side, or all of them are of the handshake, "+
				"whose secret is not known", plural(l.sealed.records, "record", "records"), from,
				applicationLabels[from], c.used),
			Remedy: "the key log may be of another run, or damaged"}
	case l.flow.EarlyUnread > 0 && c.earlySecret != nil:
		why.Code, why.Remedy, why.Needs = NoEarlySecret, "", nil
		why.Detail = fmt.Sprintf("%d bytes of records of early data (0-RTT) do not open under "+
			"the %s that was found (%s)", l.flow.EarlyUnread, keylog.ClientEarlyTraffic, c.used)
	case l.flow.EarlyUnread > 0:
		if misfit := c.misfit(keylog.ClientEarlyTraffic); misfit != nil {
			return misfit
		}
		why.Code = NoEarlySecret
		why.Detail = fmt.Sprintf("%s of this connection is not known: %d bytes of records "+
			"of early data (0-RTT) are not read", keylog.ClientEarlyTraffic, l.flow.EarlyUnread)
	default:
		return nil
	}
	return why
}

// misfit returns why a given secret of TLS 1.3 is not used: its length.
func (c *Connection) misfit(label keylog.Label) *Reason {
	n, suite := c.misfits[label], c.machine.Agreed.Suite
	if n == 0 {
		return nil
	}
	return &Reason{Code: WrongSecret,
		Detail: fmt.Sprintf("%s has %d bytes (%s), and the secrets of %v have %d, as many as %v "+
			"gives: it is damaged, or of another connection", label, n, c.used, suite,
			suite.PRF.Size(), suite.PRF),
		Remedy: "the key log may be of another run, or damaged"}
}
