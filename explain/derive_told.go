package explain

import (
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
	how  string
	tell func([]toldMessage) []byte
}

// tellings returns the usual mistakes with a transcript. behind says behind which message, by its
// place in the list, a ChangeCipherSpec was sent.
func tellings(list []toldMessage, behind func([]toldMessage, int) bool) []telling {
	const rightly = "the transcript is messages with their headers of 4 bytes alone"
	all := []telling{
		{"the transcript has the headers of the messages' records, too: " + rightly,
			func(l []toldMessage) []byte { return inRecords(l, iana.TLS12, false) }},
		{"the transcript has the headers of the messages' records, too, the first with 0301: " +
			rightly, func(l []toldMessage) []byte { return inRecords(l, iana.TLS10, false) }},
		{"the transcript has the header of one record for each flight: " + rightly,
			func(l []toldMessage) []byte { return inRecords(l, iana.TLS12, true) }},
		{"the transcript lacks the 4-byte headers of the messages",
			func(l []toldMessage) []byte {
				return joined(l, func(_ int, m toldMessage) []byte {
					return m.raw[message.HeaderLen:]
				})
			}},
	}
	for _, ccs := range []struct{ what, bytes string }{{"ChangeCipherSpec, its byte 01", "\x01"},
		{"the record of ChangeCipherSpec", "\x14\x03\x03\x00\x01\x01"}} {
		all = append(all, telling{"the transcript has " + ccs.what +
			": it is no handshake message (RFC 5246 §7.1)",
			func(l []toldMessage) []byte {
				return joined(l, func(i int, m toldMessage) []byte {
					if behind(l, i) {
						return append(slices.Clip(m.raw), ccs.bytes...)
					}
					return m.raw
				})
			}})
	}
	for i, m := range list {
		all = append(all,
			telling{fmt.Sprintf("message %d of the transcript, %v, is missing", i+1, m.kind),
				without(i)},
			telling{fmt.Sprintf("message %d of the transcript, %v, is in it twice", i+1, m.kind),
				twice(i)})
	}
	return all
}

// joined joins the bytes that are hashed for each message.
func joined(list []toldMessage, each func(int, toldMessage) []byte) (all []byte) {
	for i, m := range list {
		all = append(all, each(i, m)...)
	}
	return all
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

// inRecords puts each message, or each flight, in a record. The first record has another version.
func inRecords(list []toldMessage, first iana.Version, flights bool) (all []byte) {
	for i := 0; i < len(list); {
		end := i + 1
		for flights && end < len(list) && list[end].from == list[i].from {
			end++
		}
		version := iana.TLS12
		if i == 0 {
			version = first
		}
		content := joined(list[i:end], func(_ int, m toldMessage) []byte { return m.raw })
		if list[i].kind == iana.MessageHash { // never sent
			all, i = append(all, content...), end
			continue
		}
		all = append(all, byte(iana.RecordHandshake))
		all = binary.BigEndian.AppendUint16(all, uint16(version))
		all = binary.BigEndian.AppendUint16(all, uint16(len(content)))
		all = append(all, content...)
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

// behind13 is like behind12: for middleboxes one may follow a ServerHello, and the client's comes
// before its second flight. A HelloRetryRequest is a ServerHello. See RFC 8446 §D.4.
func behind13(l []toldMessage, i int) bool {
	return i == slices.IndexFunc(l, func(m toldMessage) bool { return m.kind == iana.ServerHello })
}

// spelt returns a hash in hex.
func spelt(sum []byte, upper bool) string {
	if upper {
		return strings.ToUpper(hex.EncodeToString(sum))
	}
	return hex.EncodeToString(sum)
}
