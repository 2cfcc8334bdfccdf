package explain

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
)

// anatomy13 returns the parts of the first record of application data. See RFC 8446 §5.2 and §5.3.
func (t *teller13) anatomy13(s *rung) []Fact {
	if t.dissected || len(s.Record.Ciphertext) == 0 || t.Suite == nil {
		return nil
	}
	t.dissected = true
	r := dissection{teller: t.teller, sent: s.Record, received: s.Opened, from: s.From.String(),
		cipher: cipherName(t.Suite)}
	key, iv := s.Keys[s.From], t.writer(s)
	if key == "" {
		key = "the " + r.from + "'s key"
	}
	facts := []Fact{r.header()}
	facts[0].Note = "the same on every record, but the length"
	facts = append(facts, r.nonces(iv)...)
	facts = append(facts,
		Fact{Name: "ciphertext", Count: fmt.Sprint(len(s.Record.Ciphertext)), Short: true,
			Value: Pair{Client: s.Record.Ciphertext},
			Note:  fmt.Sprintf("= %s(%s, nonce, these 3:)", r.cipher, key)},
		Fact{Name: "data", Count: fmt.Sprint(len(s.Record.Plaintext)), Deeper: true,
			Text: shorten(string(s.Record.Plaintext), 64)},
		r.innerType(), r.zeros())
	tag := r.tag()
	tag.Note = "covers header (AAD) and ciphertext"
	return append(facts, tag)
}

// writer returns the iv that the nonce of a line is made from, or nil.
func (t *teller13) writer(s *rung) *Node {
	for _, n := range t.Schedule.Nodes {
		if n.Sided && n.From == s.From && n.Label == "iv" &&
			bytes.Equal(nonceOf(n.Value.Bytes(), s.Record.SeqNum), s.Record.Nonce) {
			return n
		}
	}
	return nil
}

// nonceOf returns an iv XOR a sequence number, or nil if the iv is too short. See RFC 8446 §5.3.
func nonceOf(iv []byte, seq uint64) []byte {
	if len(iv) < 8 {
		return nil
	}
	nonce := bytes.Clone(iv)
	low := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^seq)
	return nonce
}

// nonces shows how the nonce of a record is made.
func (r *dissection) nonces(iv *Node) []Fact {
	seq := make([]byte, len(r.sent.Nonce))
	if len(seq) >= 8 {
		binary.BigEndian.PutUint64(seq[len(seq)-8:], r.sent.SeqNum)
	}
	number := part("sequence number", seq, "counted by both sides, never sent")
	number.Count, number.Deeper = "", true
	nonce := part("nonce", trace.Hex(r.sent.Nonce), "= iv XOR sequence number")
	nonce.Deeper = true
	if iv == nil {
		return []Fact{number, nonce}
	}
	from := part("iv", trace.Hex(iv.Value.Bytes()), "of "+iv.Secret.title())
	from.Deeper = true
	return []Fact{from, number, nonce}
}

// title returns the title of a node, or "" for nil.
func (n *Node) title() string {
	if n == nil {
		return ""
	}
	return n.Title
}

func (r *dissection) innerType() Fact {
	return Fact{Name: "type", Count: "1", Deeper: true,
		Text: fmt.Sprintf("%02x", uint8(r.sent.ContentType)),
		Note: fmt.Sprintf("%v: what it really is", r.sent.ContentType)}
}

// zeros shows the padding: zeros behind the type, as many as the sender likes. See RFC 8446 §5.4.
func (r *dissection) zeros() Fact {
	n := max(len(r.sent.Ciphertext)-len(r.sent.Plaintext)-1, 0)
	f := Fact{Name: "padding", Count: fmt.Sprint(n), Deeper: true,
		Text: "none: zeros may follow, to hide how long the data is"}
	if n > 0 {
		f.Text = "00 " + times(n) + ", to hide how long the data is"
	}
	return f
}
