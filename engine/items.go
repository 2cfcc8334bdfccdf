package engine

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// countSkipped counts a dropped record of early data with n bytes of content. It returns an error
// if there were too many bytes. Headers count, so that the number of empty records is limited too.
func (in *Inbound) countSkipped(n int) error {
	if in.skipLeft -= int64(record.HeaderLen + n); in.skipLeft < 0 {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §4.2.10",
			"got more early data than our tickets allow")
	}
	return nil
}

// Next returns the next complete item, or ok == false if more input is needed. An error is final.
func (in *Inbound) Next() (item Item, ok bool, err error) {
	for {
		if raw, err := in.messages.Next(maxMessage, tooLong); raw != nil || err != nil {
			in.half.Log.Begins(in.half.From, in.messages.Begun())
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
			in.messages.Add(in.half.Number(), plain)
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
		in.arrived(have[:record.HeaderLen])
		return h, nil, err
	}
	if in.version != 0 && h.Version != in.version && record.NamesVersion(in.version) {
		in.arrived(have[:record.HeaderLen])
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
	in.arrived(have[:whole])
	return h, have[record.HeaderLen:whole:whole], nil
}

// arrived counts a record, and keeps it for the event of a check that it does not pass.
func (in *Inbound) arrived(b []byte) {
	in.half.Arrived()
	if in.half.Log.On() {
		in.refused = append(in.refused[:0], b...)
	}
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
			return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5246 §6.2.1, RFC 8446 §5.1",
				"more than %d empty records in a row", maxEmpty)
		}
	case iana.RecordAlert:
		if len(plain) != 2 {
			return alert.KindMalformed.Fail(alert.DecodeError, "RFC 5246 §7.2, RFC 8446 §5.1",
				"got an alert of %d bytes, expected 2", len(plain))
		}
	case iana.RecordChangeCipherSpec:
		if len(plain) != 1 || plain[0] != 1 {
			return alert.KindMalformed.Fail(alert.UnexpectedMessage, "RFC 5246 §7.1, RFC 8446 §5",
				"a change_cipher_spec that is not the single byte 1")
		}
	case iana.RecordHandshake:
		if len(plain) == 0 {
			return alert.KindLength.Fail(alert.UnexpectedMessage, "RFC 5246 §6.2.1, RFC 8446 §5.1",
				"an empty handshake record")
		}
	}
	return nil
}

// tooLong returns the error for a message whose header says n bytes. No valid ClientHello is that
// long. A valid Certificate could be, but we do not accept it.
func tooLong(t iana.HandshakeType, n int) error {
	if t == iana.ClientHello {
		return alert.KindLength.Fail(alert.DecodeError, "RFC 5246 §7.4.1.2, RFC 8446 §4.1.2",
			"got a %v of %d bytes, the longest possible one has %d", t, n, maxMessage)
	}
	return alert.KindLength.Fail(alert.IllegalParameter, "RFC 5246 §7.4, RFC 8446 §4",
		"got a %v of %d bytes, expected at most %d", t, n, maxMessage)
}

// Leftover returns how many bytes of handshake messages were opened and not yet returned by Next.
func (in *Inbound) Leftover() int { return in.messages.Len() }
