package explain

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// identity shows a chain, which may have come compressed.
func (t *teller13) identity(s *rung) []Fact {
	packed, ok := parseHello[*message.CompressedCertificate](s.Message)
	if !ok {
		return t.certificate(s)
	}
	facts := []Fact{{Name: "compressed",
		Text: fmt.Sprintf("by %v: %s, expanded %s", packed.Algorithm,
			octets(len(packed.Data)), octets(packed.Length()))}}
	expanded, err := packed.Expand()
	if err != nil {
		return append(facts, Fact{Name: "chain", Text: "it cannot be expanded here"})
	}
	return append(facts, t.shown(s.From, expanded))
}

// proof shows the signature of a CertificateVerify. See RFC 8446 §4.4.3.
func (t *teller13) proof(s *rung) []Fact {
	m, ok := parseHello[*message.CertificateVerify](s.Message)
	if !ok {
		return nil
	}
	signature := field13(s, func(m *message.CertificateVerify) []byte { return m.Signature })
	checker := t.client
	if s.From == iana.Client {
		checker = t.server
	}
	over := "all messages before it"
	covers := t.coveredBefore(s)
	if covers.Text != "" {
		over = fmt.Sprintf("%s(%s)", t.Schedule.Hash, covers.Text)
	}
	return []Fact{
		{Name: "signature", Short: true, Value: signature, Sent: true,
			Checked: checker.check("signature", s.From) != nil, Note: m.Scheme.String()},
		{Deeper: true, Formula: true, Text: fmt.Sprintf("over 64 spaces + \"TLS 1.3, %v "+
			"CertificateVerify\" + 00 + %s", s.From, over), Note: t.skipNote(covers)},
	}
}

// skipNote returns why a hash passes over numbers of the ladder, where this is first met.
func (t *teller13) skipNote(c Covers) string {
	note := c.SkipNote()
	if t.skipSaid {
		return ""
	}
	t.skipSaid = note != ""
	return note
}

// coveredBefore returns the messages before a line, as hashes of the transcript name them.
func (t *teller13) coveredBefore(last *rung) Covers {
	var numbers, handshake []int // handshake: up to the client's Finished
	text := ""
	for _, s := range t.lines[:last.Number-1] {
		switch {
		case handshake != nil && s.is(iana.CertificateRequest):
			numbers = slices.Clone(handshake)
		case s.Message == nil || s.is(iana.NewSessionTicket) || s.is(iana.KeyUpdate):
			continue
		case message.IsHelloRetryRequest(s.Message.Raw):
			numbers, text = nil, "message_hash, "
		}
		numbers = append(numbers, s.Number)
		if handshake == nil && s.From == iana.Client && s.is(iana.Finished) {
			handshake = slices.Clone(numbers)
		}
	}
	return Covers{numbers, text + Ranges(numbers), skips(t.lines, numbers)}
}

// verifyData shows a Finished. See RFC 8446 §4.4.4.
func (t *teller13) verifyData(s *rung) []Fact {
	side := s.From.String()
	n, key := t.Schedule.Node(side+"_verify_data"), t.Schedule.Node(side+"_finished_key")
	base := side + "_handshake_traffic_secret"
	if t.late(s) {
		n = t.Schedule.Node(fmt.Sprintf("late_verify_data_%d", t.proofs))
		key = t.Schedule.Node(fmt.Sprintf("late_finished_key_%d", t.proofs))
		if t.proofs++; key != nil && key.Secret != nil {
			base = key.Secret.Title
		}
	}
	if n == nil || t.told[n] {
		return nil
	}
	t.told[n] = true
	facts := []Fact{{Name: side + " verify_data", Secret: "verify_data", Value: n.Value}}
	if key == nil {
		return facts
	}
	t.told[key] = true
	over := "messages before it"
	if n.Covers.Text != "" {
		over = n.Covers.Text
	}
	return append(facts,
		Fact{Formula: true, Deeper: true,
			Text: fmt.Sprintf("= HMAC(finished_key, %s(%s))", t.Schedule.Hash, over),
			Note: t.skipNote(n.Covers)},
		Fact{Name: "finished_key", Deeper: true, Secret: "finished_key", Value: key.Value},
		Fact{Formula: true, Deeper: true, Text: fmt.Sprintf(
			"= HKDF-Expand-Label(%s, \"finished\")", base)})
}

// ticket shows a NewSessionTicket. See RFC 8446 §4.6.1.
func (t *teller13) ticket(s *rung) []Fact {
	m, ok := parseHello[*message.NewSessionTicket](s.Message)
	if !ok {
		return nil
	}
	text := fmt.Sprintf("%s, valid for %s", octets(len(m.Ticket)), lifetime(m.LifetimeHint))
	if m.LifetimeHint == 0 {
		text = octets(len(m.Ticket)) + ", to be discarded at once"
	}
	var early message.MaxEarlyData
	if found, err := m.Extensions.Read(iana.ExtEarlyData, &early); found && err == nil {
		text += fmt.Sprintf(", good for %s of early data", octets(int(early.Size)))
	}
	nonce := field13(s, func(m *message.NewSessionTicket) []byte { return m.Nonce })
	return []Fact{
		{Name: "ticket", Text: text},
		{Name: "ticket_nonce", Value: nonce, Sent: true,
			Note: "each ticket has its own, and so its own PSK"},
	}
}

// ticketKey returns the PSK of a ticket.
func (t *teller13) ticketKey(s *rung) []*Node {
	n := t.Schedule.Node(fmt.Sprintf("resumption_psk_%d", t.tickets))
	t.tickets++
	return []*Node{n}
}

// update shows a KeyUpdate. See RFC 8446 §4.6.3.
func (t *teller13) update(s *rung) []Fact {
	m, ok := parseHello[*message.KeyUpdate](s.Message)
	if !ok {
		return nil
	}
	text := fmt.Sprintf("from here on new keys for what the %v sends", s.From)
	if m.RequestUpdate == iana.UpdateRequested {
		text += fmt.Sprintf("; the %v is to change its own too", s.From.Peer())
	}
	return []Fact{{Name: "says", Text: text}}
}

// nextKeys returns the nodes of a KeyUpdate. See RFC 8446 §7.2.
func (t *teller13) nextKeys(s *rung) (nodes []*Node) {
	t.updates[s.From]++
	for _, part := range []string{"traffic_secret", "write_key", "write_iv"} {
		nodes = append(nodes, t.Schedule.Node(fmt.Sprintf("%v_application_%s_%d", s.From, part,
			t.updates[s.From])))
	}
	return nodes
}
