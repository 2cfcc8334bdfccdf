package explain

import (
	"crypto"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// scheduleHashes are the hashes of TLS 1.3's suites by their names in the events.
var scheduleHashes = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384}

// cover says what each context of the schedule is a hash of. Nothing is assumed: the transcript of
// each side is hashed message by message, and what fits is what was hashed.
func (s *Schedule) cover(entries []trace.Entry, sides [2]*grown, lines []*rung) {
	h, ok := scheduleHashes[s.Hash]
	if !ok {
		return
	}
	numbers := messageNumbers(lines)
	for side, role := range roles {
		points := transcriptPoints(entries, role, numbers, h)
		for _, n := range s.Nodes {
			if n.Covers.Text != "" || sides[side].values[n.ID] == nil {
				continue
			}
			n.Covers = points[string(n.Context.Of(iana.Side(side)))]
		}
	}
}

// messageNumbers returns the numbers of the ladder by message, as either side logged it.
func messageNumbers(lines []*rung) map[*trace.Message]int {
	numbers := map[*trace.Message]int{}
	for _, r := range lines {
		for _, m := range []*trace.Message{r.Message, r.Received} {
			if m != nil {
				numbers[m] = r.Number
			}
		}
	}
	return numbers
}

// transcriptPoints returns what each hash of one side's transcript covers, by the hash: those of
// every beginning of it, and those up to the binders of a ClientHello. See RFC 8446 §4.4.1 and
// §4.2.11.2.
func transcriptPoints(entries []trace.Entry, role trace.Role, numbers map[*trace.Message]int,
	h crypto.Hash) map[string]Covers {
	t := newTranscript13(h)
	t.points[string(t.running.Sum(nil))] = Covers{Text: `""`}
	for _, e := range entries {
		m, ok := e.Event.(*trace.Message)
		if !ok || !e.Plays(role) || !transcribed(m) {
			continue
		}
		if raw := t.upToBinders(m); raw != nil {
			before := t.text()
			if len(t.numbers) > 0 {
				before += ", "
			}
			t.mark(t.sum(raw), fmt.Sprintf("%sClientHello up to the binders", before))
		}
		t.add(m)
		t.numbers = append(t.numbers, numbers[m])
		t.mark(t.running.Sum(nil), t.text())
	}
	return t.points
}

// transcript13 is a transcript that grows.
type transcript13 struct {
	hash    crypto.Hash
	running hash.Hash
	raw     []byte // what was hashed
	numbers []int  // of the messages, those after message_hash
	retried bool
	points  map[string]Covers

	ended, last int // lengths of raw and numbers at the end of the handshake; 0 before it
}

func newTranscript13(h crypto.Hash) *transcript13 {
	return &transcript13{hash: h, running: h.New(), points: map[string]Covers{}}
}

// transcribed reports whether a message is in the transcript: tickets and key updates are not. See
// RFC 8446 §4.4.1.
func transcribed(m *trace.Message) bool {
	return m.Type != iana.NewSessionTicket && m.Type != iana.KeyUpdate
}

// add appends a message.
func (t *transcript13) add(m *trace.Message) {
	if message.IsHelloRetryRequest(m.Raw) {
		t.replaceHello()
	}
	if m.Type == iana.CertificateRequest && t.ended > 0 {
		t.beginLate()
	}
	t.running.Write(m.Raw)
	t.raw = append(t.raw, m.Raw...)
	if m.Type == iana.Finished && m.From == iana.Client && t.ended == 0 {
		t.ended, t.last = len(t.raw), len(t.numbers)+1
	}
}

// beginLate goes back to the end of the handshake, from where each authentication after it goes on.
// See RFC 8446 §4.4.
func (t *transcript13) beginLate() {
	t.raw, t.numbers = t.raw[:t.ended:t.ended], t.numbers[:min(t.last, len(t.numbers))]
	t.numbers = slices.Clip(t.numbers)
	t.running = t.hash.New()
	t.running.Write(t.raw)
}

// sum returns the hash of b.
func (t *transcript13) sum(b []byte) []byte {
	h := t.hash.New()
	h.Write(b)
	return h.Sum(nil)
}

func (t *transcript13) text() string {
	text := Ranges(t.numbers)
	if t.retried {
		return "message_hash, " + text
	}
	return text
}

func (t *transcript13) mark(sum []byte, text string) {
	if _, known := t.points[string(sum)]; !known {
		t.points[string(sum)] = Covers{Messages: slices.Clone(t.numbers), Text: text}
	}
}

// replaceHello puts the synthetic message message_hash in the place of the first ClientHello.
func (t *transcript13) replaceHello() {
	t.raw = messageHash(t.hash, t.raw)
	t.running = t.hash.New()
	t.running.Write(t.raw)
	t.numbers, t.retried = nil, true
	t.ended, t.last = 0, 0 // a file may have a retry after the end of another connection
}

// messageHash is the synthetic message that replaces a ClientHello in the transcript after a
// HelloRetryRequest. See RFC 8446 §4.4.1.
func messageHash(h crypto.Hash, hello []byte) []byte {
	sum := h.New()
	sum.Write(hello)
	return append([]byte{byte(iana.MessageHash), 0, 0, byte(h.Size())}, sum.Sum(nil)...)
}

// upToBinders returns the transcript up to the binders of m, or nil if m is no ClientHello that has
// some. See RFC 8446 §4.2.11.2.
func (t *transcript13) upToBinders(m *trace.Message) []byte {
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(m.Raw)
	hello, ok := parsed.(*message.ClientHello)
	if err != nil || !ok {
		return nil
	}
	var psks message.OfferedPSKs
	if found, err := hello.Extensions.Read(iana.ExtPreSharedKey, &psks); err != nil || !found {
		return nil
	}
	length := 2
	for _, b := range psks.Binders {
		length += 1 + len(b)
	}
	cut := len(m.Raw) - length
	if cut < 0 || int(binary.BigEndian.Uint16(m.Raw[cut:])) != length-2 {
		return nil
	}
	return slices.Concat(t.raw, m.Raw[:cut])
}
