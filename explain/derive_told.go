package explain

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// This file lists the ways in which other bytes are hashed than the messages of a transcript.

// A telling makes the bytes that are hashed from the first messages of a transcript.
type telling struct {
	how     string
	tell    func([]toldMessage) []byte
	records bool // it has the headers of all records
}

// A ccsPlace says behind which messages, by their place in the list, a ChangeCipherSpec was sent.
type ccsPlace struct {
	where  string // " behind message 2, server_hello"; "" if there is no other place
	behind func([]toldMessage, int) bool
}

// tellings returns the usual mistakes with a transcript.
func tellings(list []toldMessage, places []ccsPlace) (all []telling) {
	const rightly = ": the transcript is messages with their headers of 4 bytes alone"
	add := func(how string, tell func([]toldMessage) []byte) {
		all = append(all, telling{how, tell, false})
	}
	for _, r := range []struct {
		how    string
		first  iana.Version
		flight bool
	}{{"the headers of the messages' records, too", iana.TLS12, false},
		{"the headers of the messages' records, too, the first with 0301", iana.TLS10, false},
		{"the header of one record for each flight", iana.TLS12, true},
		{"the header of one record for each flight, the first with 0301", iana.TLS10, true}} {
		all = append(all, telling{"the transcript has " + r.how + rightly,
			func(l []toldMessage) []byte { return inRecords(l, r.first, r.flight, nil) }, true})
		if len(places) == 1 {
			all = append(all, telling{"the transcript has " + r.how +
				", and the record of ChangeCipherSpec" + rightly, func(l []toldMessage) []byte {
				return inRecords(l, r.first, r.flight, places[0].behind)
			}, true})
		}
	}
	add("the transcript's hex digits are hashed, undecoded", func(l []toldMessage) []byte {
		return hex.AppendEncode(nil, inRaw(l))
	})
	add("the transcript's hex digits, in upper case, are hashed, undecoded",
		func(l []toldMessage) []byte { return bytes.ToUpper(hex.AppendEncode(nil, inRaw(l))) })
	add("the transcript lacks the 4-byte headers of the messages",
		func(l []toldMessage) []byte {
			return joined(l, func(_ int, m toldMessage) []byte { return m.raw[message.HeaderLen:] })
		})
	add("the transcript begins with a HelloRequest: it is not part of it (RFC 5246 §7.4.1.1)",
		func(l []toldMessage) []byte {
			return slices.Concat(make([]byte, message.HeaderLen), inRaw(l))
		})
	for _, ccs := range []struct{ what, bytes string }{{"ChangeCipherSpec, its byte 01", "\x01"},
		{"the record of ChangeCipherSpec", ccsRecord}} {
		for _, p := range places {
			add("the transcript has "+ccs.what+p.where+
				": it is no handshake message (RFC 5246 §7.1)", inserted(ccs.bytes, p.behind))
		}
	}
	for i, m := range list {
		which := fmt.Sprintf("message %d of the transcript, %s, ", i+1, m.name())
		add(which+"is missing", without(i))
		add(which+"is in it twice", twice(i))
		if i+1 < len(list) {
			add(fmt.Sprintf("messages %d and %d of the transcript, %s and %s, have changed places",
				i+1, i+2, m.name(), list[i+1].name()), swapped(i))
		}
		if m.kind == iana.MessageHash {
			continue
		}
		add(which+"has the header of its record"+rightly, recorded(i, iana.TLS12))
		if i == 0 {
			add(which+"has the header of its record, with 0301"+rightly, recorded(i, iana.TLS10))
		}
	}
	return all
}

// inserted has bytes behind some messages.
func inserted(bytes string, behind func([]toldMessage, int) bool) func([]toldMessage) []byte {
	return func(l []toldMessage) []byte {
		return joined(l, func(i int, m toldMessage) []byte {
			if behind(l, i) {
				return append(slices.Clip(m.raw), bytes...)
			}
			return m.raw
		})
	}
}

// recorded has the header of one message's record.
func recorded(i int, version iana.Version) func([]toldMessage) []byte {
	return func(l []toldMessage) []byte {
		return joined(l, func(k int, m toldMessage) []byte {
			if k == i {
				return inRecords([]toldMessage{m}, version, false, nil)
			}
			return m.raw
		})
	}
}

// joined joins the bytes that are hashed for each message.
func joined(list []toldMessage, each func(int, toldMessage) []byte) (all []byte) {
	for i, m := range list {
		all = append(all, each(i, m)...)
	}
	return all
}

// inRaw joins the messages as they are.
func inRaw(list []toldMessage) []byte {
	return joined(list, func(_ int, m toldMessage) []byte { return m.raw })
}

func without(i int) func([]toldMessage) []byte {
	return func(l []toldMessage) []byte {
		return joined(l, func(k int, m toldMessage) []byte {
			if k == i {
				return nil
			}
			return m.raw
		})
	}
}

func twice(i int) func([]toldMessage) []byte {
	return func(l []toldMessage) []byte {
		return joined(l, func(k int, m toldMessage) []byte {
			if k == i {
				return append(slices.Clip(m.raw), m.raw...)
			}
			return m.raw
		})
	}
}

// swapped has a message and the one behind it in the other order.
func swapped(i int) func([]toldMessage) []byte {
	return func(l []toldMessage) []byte {
		if i+1 >= len(l) {
			return inRaw(l)
		}
		l = slices.Clone(l)
		l[i], l[i+1] = l[i+1], l[i]
		return inRaw(l)
	}
}

// ccsRecord is a ChangeCipherSpec in its record.
const ccsRecord = "\x14\x03\x03\x00\x01\x01"

// inRecords puts each message, or each flight, in a record. The first record has another version. A
// ChangeCipherSpec follows the messages behind which it was sent, if that is given.
func inRecords(list []toldMessage, first iana.Version, flights bool,
	behind func([]toldMessage, int) bool) (all []byte) {
	changes := func(i int) bool { return behind != nil && behind(list, i) }
	for i := 0; i < len(list); {
		end := i + 1
		for flights && end < len(list) && list[end].from == list[i].from && !changes(end-1) {
			end++
		}
		version := iana.TLS12
		if i == 0 {
			version = first
		}
		content := inRaw(list[i:end])
		if list[i].kind == iana.MessageHash { // never sent
			all, i = append(all, content...), end
			continue
		}
		all = append(all, byte(iana.RecordHandshake))
		all = binary.BigEndian.AppendUint16(all, uint16(version))
		all = binary.BigEndian.AppendUint16(all, uint16(len(content)))
		all = append(all, content...)
		if changes(end - 1) {
			all = append(all, ccsRecord...)
		}
		i = end
	}
	return all
}

// told returns the first n messages, and the message that the transcript lacks.
func (s transcript) told(n int, more []byte) (list []toldMessage) {
	for _, m := range s[:n] {
		list = append(list, toldMessage{m.from, m.kind, m.raw})
	}
	if len(more) > 0 {
		list = append(list, toldMessage{s.first(), iana.Finished, more})
	}
	return list
}

// places12 has the place of ChangeCipherSpec up to TLS 1.2.
var places12 = []ccsPlace{{"", behind12}}

// behind12 reports whether a ChangeCipherSpec follows a message in TLS 1.2: one precedes each
// Finished.
func behind12(l []toldMessage, i int) bool {
	if i+1 < len(l) {
		return l[i+1].kind == iana.Finished
	}
	return true
}

// digestMistakes are the ways to hash the right messages wrongly for a seed: with another hash than
// the PRF's, and as text.
func digestMistakes(what string, right crypto.Hash, messages []byte) (list []variant) {
	for _, h := range []crypto.Hash{crypto.MD5SHA1, crypto.SHA1, crypto.MD5, crypto.SHA256,
		crypto.SHA384} {
		if h != right {
			list = append(list, variant{fmt.Sprintf("%s is made with %v, and the PRF with %v", what,
				h, right), digest(h, messages)})
		}
	}
	text := hex.EncodeToString(digest(right, messages))
	return append(list,
		variant{"the hash in " + what + " is taken as text, undecoded", []byte(text)},
		variant{"the hash in " + what + " is taken as text in upper case, undecoded",
			[]byte(strings.ToUpper(text))})
}

// pskFramings returns what becomes of a pre_master_secret with a pre-shared key if the lengths and
// zeros around its parts are forgotten, or were. See RFC 4279 §2.
func pskFramings(pre []byte) (list []variant) {
	const frame = "the pre_master_secret of a pre-shared key is two values, each with its length " +
		"of 2 bytes (RFC 4279 §2)"
	if len(pre) >= 4 {
		n := int(binary.BigEndian.Uint16(pre))
		if len(pre) >= 4+n && 4+n+int(binary.BigEndian.Uint16(pre[2+n:])) == len(pre) {
			other, psk := pre[2:2+n], pre[4+n:]
			return []variant{{"the pre-shared key alone was used: " + frame, psk},
				{"the lengths are left out: " + frame, append(slices.Clip(other), psk...)},
				{"the pre-shared key comes first: " + frame,
					slices.Concat(pre[2+n:], pre[:2+n])}}
		}
	}
	size := binary.BigEndian.AppendUint16(nil, uint16(len(pre)))
	return []variant{{"the pre-shared key given is not framed: " + frame + ", here zeros and the " +
		"key", slices.Concat(size, make([]byte, len(pre)), size, pre)}}
}

// toldOf returns the messages of a transcript of TLS 1.3.
func toldOf(list []message13) (all []toldMessage) {
	for _, m := range list {
		all = append(all, toldMessage(m))
	}
	return all
}

// places13 has the places of ChangeCipherSpec in TLS 1.3, and several of them: for middleboxes one
// may follow a HelloRetryRequest or ServerHello, and the client's comes before its second flight.
// See RFC 8446 §D.4.
func places13(list []toldMessage) (all []ccsPlace) {
	var at []int
	for i, m := range list {
		last := i+1 == len(list) || list[i+1].from == iana.Client
		if m.kind == iana.ServerHello || m.kind == iana.Finished && m.from == iana.Server && last {
			at = append(at, i)
		}
	}
	for set := 1; set < 1<<len(at) && len(at) <= 4; set++ {
		var p ccsPlace
		for k, i := range at {
			if set>>k&1 == 1 {
				p.where += fmt.Sprintf(" and message %d, %s", i+1, list[i].name())
			}
		}
		p.where = " behind" + strings.TrimPrefix(p.where, " and")
		p.behind = func(_ []toldMessage, i int) bool {
			k := slices.Index(at, i)
			return k >= 0 && set>>k&1 == 1
		}
		all = append(all, p)
	}
	return all
}

// spelt returns a hash in hex.
func spelt(sum []byte, upper bool) string {
	if upper {
		return strings.ToUpper(hex.EncodeToString(sum))
	}
	return hex.EncodeToString(sum)
}
