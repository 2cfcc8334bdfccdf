package html

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// ticket is a ticket of TLS 1.3 with the step that brought it.
type ticket struct {
	*message.NewSessionTicket
	step *step
	name string // "ticket 1 of connection A"
	age  string // "the newest of 2"
	psk  explain.Pair
}

// resume links each run with the earlier one whose ticket it offers. See RFC 8446 §2.2.
func resume(runs []*run) {
	for i, r := range runs {
		for _, before := range runs[:i] {
			for _, t := range before.tickets() {
				r.offers(before, t)
			}
		}
	}
}

// messageOf returns the message of a step, as it was sent, or false if it is of another type.
func messageOf[M message.Message](p *step) (m M, ok bool) {
	if p.rung == nil || p.rung.Message == nil {
		return m, false
	}
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(p.rung.Message.Raw)
	if err != nil {
		return m, false
	}
	m, ok = parsed.(M)
	return m, ok
}

// tickets returns the tickets that a connection of TLS 1.3 brought, numbered as their PSKs are.
func (r *run) tickets() (list []ticket) {
	if r.Story.Schedule == nil {
		return nil
	}
	for _, p := range r.Steps {
		if m, ok := messageOf[*message.NewSessionTicket](p); ok {
			t := ticket{NewSessionTicket: m, step: p,
				name: fmt.Sprintf("ticket %d of connection %s", len(list), r.Letter)}
			if n := r.Story.Schedule.Node(fmt.Sprintf("resumption_psk_%d", len(list))); n != nil {
				t.psk = n.Value
			}
			list = append(list, t)
		}
	}
	for i := range list[:max(len(list)-1, 0)] {
		list[i].age = fmt.Sprintf("number %d of %d", i+1, len(list))
	}
	if n := len(list); n > 1 {
		list[n-1].age = fmt.Sprintf("the newest of %d", n)
	}
	return list
}

// offers says where a run's ClientHellos name a ticket, and what became of it.
func (r *run) offers(before *run, t ticket) {
	found := ""
	for _, p := range r.Steps {
		m, ok := messageOf[*message.ClientHello](p)
		if !ok {
			continue
		}
		var psks message.OfferedPSKs
		if has, err := m.Extensions.Read(iana.ExtPreSharedKey, &psks); !has || err != nil {
			continue
		}
		for i, id := range psks.Identities {
			if bytes.Equal(id.Identity, t.Ticket) {
				found = p.ID
				r.named(p, i, id.ObfuscatedTicketAge, t)
			}
		}
	}
	if found == "" {
		return
	}
	t.step.add("used by", fmt.Sprintf("connection %s, which offers it", r.Letter), "",
		found, "its ClientHello")
	r.Resumes = &link{To: t.step.ID, At: "see the ticket", Text: fmt.Sprintf("%s offers %s; "+
		"its PSK is not shown here.", r.Letter, t.name)}
	if r.samePSK("psk/declined", t) {
		r.Resumes.Text = fmt.Sprintf("%s offers %s, whose PSK the server does not take.",
			r.Letter, t.name)
	}
	if r.samePSK("psk", t) {
		r.Story.ResumedFrom(before.Story)
		r.Readers = explain.Readers(r.Story)
		r.Resumes.Text = fmt.Sprintf("%s resumes %s: its PSK is that of %s.", r.Letter,
			before.Letter, explain.Join(", ", t.name, t.age))
	}
}

// named adds to a ClientHello which ticket its identity i is, and how old.
func (r *run) named(p *step, i int, obfuscated uint32, t ticket) {
	text := fmt.Sprintf("identity %d is %s", i, t.name)
	if t.age != "" {
		text += ", " + t.age + ". Which it takes is the client's choice; each is to be used once"
	}
	p.add("ticket", text, fmt.Sprintf("obfuscated_ticket_age %d - ticket_age_add %d = %d "+
		"(modulo 2³²): the ticket's age in milliseconds", obfuscated, t.AgeAdd,
		obfuscated-t.AgeAdd), t.step.ID, "where it came ↖")
}

// samePSK reports whether a PSK of the run is that of a ticket, and says so where it is used.
func (r *run) samePSK(id string, t ticket) bool {
	n := r.Story.Schedule.Node(id)
	if n == nil || len(t.psk.Bytes()) == 0 || !bytes.Equal(n.Value.Bytes(), t.psk.Bytes()) {
		return false
	}
	for _, p := range r.Steps {
		if base(p.key) == "early_secrets" {
			p.add("the PSK", "equal to the PSK of "+t.name, "", t.step.ID, "where it is made ↖")
		}
	}
	return true
}

// add adds a fact that an eavesdropper cannot know, with a link.
func (p *step) add(name, text, note, to, at string) {
	p.Facts = append(p.Facts, fact{Fact: explain.Fact{Name: name, Text: text, Note: note},
		Label: name, Link: &link{To: to, At: at}})
}
