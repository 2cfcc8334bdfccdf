package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

func (protocol12) hidesTypes() bool { return false }

func (protocol12) alerts() string { return "RFC 5246 §7.2" }

func (protocol12) epochs() bool { return false }

// first returns who sends the first ChangeCipherSpec. See RFC 5246 §7.3.
func (protocol12) first(s *handshake.Score) iana.Side {
	if s.Resumed {
		return iana.Server
	}
	return iana.Client
}

// torn puts an item in the place of what is missing: the sender's Finished.
func (protocol12) torn(_ *Connection, l *lane) {
	if l.half.Protected() && l.held == nil {
		l.held = &item{typ: absent}
	}
}

// after begins a renegotiation with a ClientHello, which comes first.
func (protocol12) after(c *Connection, l *lane, kind handshake.Kind) bool {
	if kind != handshake.Kind(iana.ClientHello) || l.from != iana.Client {
		return false
	}
	body := l.held.body
	c.before = c.machine
	c.machine = handshake.NewObserver(c.find, c.log, c)
	c.renegotiations++
	c.messages = len(body)
	l.held = nil
	c.result(c.machine.Take(l.from, kind, body), l.from)
	return true
}

// learn needs no ticket: a session has an ID, too.
func (protocol12) learn(c *Connection) {
	m := c.machine
	if m.Agreed == nil || c.learned == m.ServerHello && m.NewSessionTicket == nil {
		return
	}
	master := m.Secret(nil)
	if master == nil {
		return
	}
	if c.learned != m.ServerHello {
		c.learned = m.ServerHello
		c.secrets = append(c.secrets,
			keylog.Line{Label: keylog.ClientRandom, ID: bytes.Clone(m.ClientHello.Random[:]),
				Secret: master})
	}
	from := c.used
	if c.Name != "" && !m.Resumed {
		from = "session of " + c.Name
	}
	c.Sessions.learn(m.ServerHello.SessionID, master, from)
	if t := m.NewSessionTicket; t != nil {
		c.Sessions.learn(t.Ticket, master, from)
	}
}

// maxNameless bounds how many master secrets without an ID are tried for a handshake.
const maxNameless = 256

// logged returns the master secrets and pre_master_secrets that a key log has for a handshake.
func (protocol12) logged(log *keylog.Log, s *handshake.Score) (list []Candidate) {
	secret := func(l keylog.Label) []byte { return log.Secret(l, s.ClientHello.Random[:]) }
	add := func(in handshake.Input) {
		if in.Master != nil || in.PreMaster != nil {
			list = append(list, Candidate{Input: in, From: fromLog})
		}
	}
	add(handshake.Input{Master: secret(keylog.ClientRandom)})
	if s.ServerHello != nil {
		add(handshake.Input{Master: log.Secret(keylog.MasterBySession, s.ServerHello.SessionID)})
	}
	if !s.Resumed {
		add(handshake.Input{PreMaster: secret(keylog.PreMasterByRandom)})
		if m := s.ClientKeyExchange; m != nil && len(m.EncryptedPreMaster) >= 8 {
			add(handshake.Input{PreMaster: log.Secret(keylog.PreMasterByEncrypted,
				m.EncryptedPreMaster[:8])})
		}
	}
	for i, master := range log.Nameless() {
		if i == maxNameless {
			break
		}
		list = append(list, Candidate{Input: handshake.Input{Master: master}, From: fromLog,
			guess: true})
	}
	return list
}

// exchanged returns a pre_master_secret. Only a finite field's loses its leading zeros: RFC 5246
// §8.1.2 and RFC 8422 §5.10.
func (protocol12) exchanged(s *handshake.Score, z []byte) handshake.Input {
	if s.Agreed.Kex.FiniteField() {
		z = keys.FiniteFieldPreMaster(z)
	}
	return handshake.Input{PreMaster: z}
}

// shared returns the pre_master_secret of a pre-shared key, according to the exchange. See RFC 4279
// and RFC 5489.
func (protocol12) shared(s *handshake.Score, key []byte, others []Source) (list []Candidate) {
	k := s.Agreed.Kex
	if !k.PreShared() || s.Resumed {
		return nil
	}
	add := func(other []byte) {
		list = append(list,
			Candidate{Input: handshake.Input{PreMaster: keys.PreSharedPreMaster(other, key)},
				From: "pre-shared key"})
	}
	if k == iana.KexPSK {
		add(nil)
		return list
	}
	for _, o := range others {
		for _, c := range o(s) {
			if c.PreMaster != nil {
				add(c.PreMaster)
			}
		}
	}
	if list == nil && k.Ephemeral() {
		return []Candidate{{From: "pre-shared key", Reason: &Reason{Code: ForwardSecret}}}
	}
	return list
}

func (protocol12) resumed(secret []byte) handshake.Input { return handshake.Input{Master: secret} }

// sessionNames returns the session's ID and its ticket.
func (protocol12) sessionNames(s *handshake.Score) (names [][]byte) {
	if !s.Resumed {
		return nil
	}
	if id := s.ServerHello.SessionID; len(id) > 0 {
		names = append(names, id)
	}
	var ticket message.SessionTicket
	if ok, err := s.ClientHello.Extensions.Read(iana.ExtSessionTicket, &ticket); ok && err == nil &&
		len(ticket.Ticket) > 0 {
		names = append(names, ticket.Ticket)
	}
	return names
}

// complete: each candidate is enough.
func (protocol12) complete(_ *Connection, _ *handshake.Score, list []Candidate) []Candidate {
	return list
}
