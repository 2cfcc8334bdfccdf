package observe

import (
	"bytes"
	"crypto"
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

func (protocol13) hidesTypes() bool { return true }

func (protocol13) alerts() string { return "RFC 8446 §6" }

func (protocol13) epochs() bool { return true }

// first returns the server: its first protected message follows its ServerHello.
func (protocol13) first(*handshake.Score) iana.Side { return iana.Server }

// torn: the handshake's messages cannot be reassembled any more.
func (protocol13) torn(c *Connection, l *lane) {
	c.tryingLater = true
	l.messages.Drop()
}

// after follows KeyUpdate and the authentication of a client, and learns from tickets.
func (protocol13) after(c *Connection, l *lane, kind handshake.Kind) bool {
	if c.machine.Done() {
		if l.from == iana.Client && c.machine.AwaitsRequest(l.held.body) && c.mayAsk() {
			return false
		}
		if err := c.machine.Overhear(l.from, l.held.body); err != nil {
			c.fail(l.from, err)
		}
	}
	switch {
	case kind == handshake.Kind(iana.NewSessionTicket) && l.from == iana.Server:
		c.learnTicket(l.held.body)
	case kind == handshake.Kind(iana.KeyUpdate) && (l.keysFound || !c.tryingLater):
		if err := c.machine.KeyUpdate(l.from); err != nil {
			c.fail(l.from, err)
		}
	}
	l.held = nil
	return true
}

// mayAsk reports whether the request that a client's certificate answers may still come.
func (c *Connection) mayAsk() bool {
	l := &c.lanes[iana.Server]
	return !l.closed && l.err == nil && !l.blind && l.flow.Missing == 0 && !c.final
}

// learn waits for a ticket: see learnTicket.
func (protocol13) learn(*Connection) {}

// learnTicket adds a ticket of TLS 1.3 to Sessions: its key or, if that is not known, its nonce.
func (c *Connection) learnTicket(raw []byte) {
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(raw)
	t, ok := parsed.(*message.NewSessionTicket)
	if err != nil || !ok {
		return
	}
	if psk := c.machine.Secret(t.Nonce); psk != nil {
		c.Sessions.learn(t.Ticket, psk, "session of "+c.Name)
		return
	}
	c.Sessions.learnNonce(t.Ticket, t.Nonce)
}

// logged returns the traffic secrets that a key log has for a handshake.
func (protocol13) logged(log *keylog.Log, s *handshake.Score) []Candidate {
	secret := func(l keylog.Label) []byte { return log.Secret(l, s.ClientHello.Random[:]) }
	t := &handshake.TrafficSecrets{
		Early:       secret(keylog.ClientEarlyTraffic),
		Handshake:   [2][]byte{secret(keylog.ClientHandshake), secret(keylog.ServerHandshake)},
		Application: [2][]byte{secret(keylog.ClientTraffic), secret(keylog.ServerTraffic)},
	}
	if known13(t) == 0 {
		return nil
	}
	return []Candidate{{Input: handshake.Input{Traffic: t}, From: fromLog}}
}

func (protocol13) exchanged(_ *handshake.Score, z []byte) handshake.Input {
	return handshake.Input{Shared: z}
}

// shared returns the pre-shared keys that an external key may stand for in TLS 1.3: itself, and
// what is imported from it if the identity says so, whose own hash is not on the wire. See RFC 9258
// §5.1.
func (protocol13) shared(s *handshake.Score, key []byte, _ []Source) []Candidate {
	identity := pskIdentity(s)
	if identity == nil {
		return nil
	}
	const from = "pre-shared key"
	list := []Candidate{{Input: handshake.Input{PSK: key}, From: from}}
	if _, err := message.ParseImportedIdentity(identity); err != nil {
		return list
	}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
		psk := keys.HKDF{Hash: h}.Import(key, identity, s.Agreed.Suite.PRF)
		list = append(list, Candidate{Input: handshake.Input{PSK: psk}, From: from})
	}
	return list
}

func (protocol13) resumed(secret []byte) handshake.Input { return handshake.Input{PSK: secret} }

// sessionNames returns the identity of the pre-shared key.
func (protocol13) sessionNames(s *handshake.Score) [][]byte { return [][]byte{pskIdentity(s)} }

// complete returns the candidates that are whole. A handshake that begins with a
// pre-shared key and exchanges keys takes one of each.
func (protocol13) complete(c *Connection, s *handshake.Score,
	list []Candidate) (whole []Candidate) {
	var psks, shared []Candidate
	for _, x := range list {
		switch {
		case x.Reason != nil || x.Traffic != nil || x.idle:
			whole = append(whole, x)
		case x.Resumption != nil:
			psks = append(psks, c.tickets(s, x)...)
		case x.PSK != nil:
			psks = append(psks, x)
		case x.Shared != nil:
			shared = append(shared, x)
		}
	}
	c.refusedSecrets = nil
	for _, p := range psks {
		if secret := s.RefusedEarlyTraffic(p.PSK); secret != nil {
			c.refusedSecrets = append(c.refusedSecrets, secret)
		}
	}
	c.resumes = s.Agreed.PSK && len(psks)+len(shared) > 0
	switch exchanged := s.Agreed.Kex.Ephemeral(); {
	case !s.Agreed.PSK && psks != nil: // of early data that was turned down
		return append(append(whole, shared...), Candidate{Reason: &Reason{Code: ForwardSecret}})
	case !s.Agreed.PSK:
		return append(whole, shared...)
	case !exchanged:
		return append(whole, psks...)
	case shared == nil && psks != nil:
		for _, p := range psks {
			if early := s.EarlyTraffic(p.PSK); early != nil {
				c.earlyAlone = true
				whole = append(whole, Candidate{From: p.From,
					Input: handshake.Input{Traffic: &handshake.TrafficSecrets{Early: early}}})
				break
			}
		}
		return append(whole, Candidate{Reason: &Reason{Code: ForwardSecret}})
	case psks == nil && shared != nil:
		return append(whole, Candidate{Reason: &Reason{Code: UnknownResumedSession}})
	}
	for _, p := range psks {
		for _, k := range shared {
			both := Candidate{From: p.From + " and " + k.From}
			both.PSK, both.Shared = p.PSK, bytes.Clone(k.Shared)
			whole = append(whole, both)
		}
	}
	return whole
}

// maxNonce bounds the counters that are tried as ticket_nonce.
const maxNonce = 8

// nonces returns the usual values of ticket_nonce: nothing, or a counter.
func nonces() (list [][]byte) {
	list = append(list, []byte{})
	for n := range uint64(maxNonce) {
		long := binary.BigEndian.AppendUint64(nil, n)
		for _, size := range []int{1, 2, 4, 8} {
			list = append(list, long[8-size:])
		}
	}
	return list
}

// tickets returns the pre-shared keys that a ticket may have under a resumption_secret.
func (c *Connection) tickets(s *handshake.Score, from Candidate) (list []Candidate) {
	r, err := keys.HKDF{Hash: s.Agreed.Suite.PRF}.Resumption(from.Resumption)
	if err != nil {
		return nil
	}
	tried := nonces()
	if nonce, ok := c.Sessions.nonce(pskIdentity(s)); ok {
		tried = [][]byte{nonce}
	}
	for _, nonce := range tried {
		list = append(list, Candidate{Input: handshake.Input{PSK: r.PSK(nonce)}, From: from.From})
	}
	return list
}
