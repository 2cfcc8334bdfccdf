package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// expose marks what an eavesdropper can compute, who has all messages that were sent in the clear:
// hashes of these alone, and values that are made from nothing but zeros and such hashes.
func (s *Schedule) expose(lines []*rung) {
	hidden := map[int]bool{}
	for _, l := range lines {
		hidden[l.Number] = l.Sealed ||
			l.Record != nil && l.Record.Protection != "" && !readable(l.Record)
	}
	for _, n := range s.Nodes {
		n.Covers.Skips = skips(lines, n.Covers.Messages)
		n.Heard = n.Covers.Text != ""
		for _, m := range n.Covers.Messages {
			n.Heard = n.Heard && !hidden[m]
		}
	}
	for _, n := range s.Nodes { // a node comes after what it is made from
		n.Anyone = n.anyone()
	}
}

// anyone reports whether an eavesdropper has the value of a node.
func (n *Node) anyone() bool {
	switch kind := strings.TrimSuffix(n.ID, declined); {
	case !n.Known():
		return false
	case kind == "psk_binder":
		return true // sent, in a ClientHello
	case n.Function == "HKDF-Extract":
		salt := n.Salt == nil && kind == "early_secret" || n.Salt != nil && n.Salt.Anyone
		return salt && (n.zeros || n.Secret != nil && n.Secret.Anyone)
	case n.Input() || n.Secret == nil || !n.Secret.Anyone:
		return false
	}
	return n.Heard || len(n.Context.Bytes()) == 0
}

// skips returns the numbers of the ChangeCipherSpecs between the first and the last of some
// messages.
func skips(lines []*rung, numbers []int) (list []int) {
	if len(numbers) == 0 {
		return nil
	}
	for _, l := range lines {
		if l.Kind == iana.RecordChangeCipherSpec && l.Number > numbers[0] &&
			l.Number < numbers[len(numbers)-1] {
			list = append(list, l.Number)
		}
	}
	return list
}

// SkipNote says why a hash of the transcript passes over numbers of the ladder, if it does. See RFC
// 8446 §5 and §D.4.
func (c Covers) SkipNote() string {
	switch len(c.Skips) {
	case 0:
		return ""
	case 1:
		return Ranges(c.Skips) +
			" is ChangeCipherSpec, a record of its own and no handshake message"
	}
	numbers := Ranges(c.Skips)
	if len(c.Skips) == 2 {
		numbers = fmt.Sprintf("%d and %d", c.Skips[0], c.Skips[1])
	}
	return numbers + " are ChangeCipherSpecs, records of their own and no handshake messages"
}
