package observe

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"fmt"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

// This file has the sources from which a whole derivation follows without a key log: a private key,
// a pre-shared key, or the secret that tickets are derived from.

// Ephemeral completes a Diffie-Hellman exchange with either side's ephemeral private key. Of a
// hybrid group it takes both halves, joined in the group's order: a client's are ML-KEM's seed of
// 64 bytes and the curve's private key; a server has no private key of ML-KEM, but its shared
// secret of 32 bytes. See RFC 10024.
func Ephemeral(private []byte) Source {
	return func(s *handshake.Score) []Candidate {
		none := []Candidate(nil)
		if s.TLS13() && s.Agreed.PSK { // it may resume a connection that the key opens
			none = []Candidate{{Reason: &Reason{Code: UnknownResumedSession}}}
		}
		if !s.Agreed.Kex.Ephemeral() || !s.TLS13() && s.ServerKeyExchange == nil {
			return none
		}
		g, err := s.KexGroup()
		if g == nil || err != nil {
			return none
		}
		for _, whose := range []iana.Side{iana.Client, iana.Server} {
			ours, theirs := s.Public(whose), s.Public(whose.Peer())
			if kex.CurveHalf(g, private, ours) {
				return []Candidate{{Reason: half(g, whose)}}
			}
			z := exchanged(g, private, ours, theirs)
			if z == nil {
				continue
			}
			c := Candidate{From: fmt.Sprintf("the %v's ephemeral key", whose)}
			switch {
			case s.TLS13():
				c.Shared = z
			case s.Agreed.Kex.FiniteField():
				c.PreMaster = keys.FiniteFieldPreMaster(z)
			default:
				c.PreMaster = z
			}
			return []Candidate{c}
		}
		return none
	}
}

// exchanged returns the secret of a group that a private key gives with the peer's share, or nil if
// the key is not that of ours.
func exchanged(g kex.Group, private, ours, theirs []byte) []byte {
	if z, err := kex.Rejoin(g, private, ours, theirs); err == nil {
		return z
	}
	offer, err := g.Restore(private)
	if err != nil || !bytes.Equal(bytes.TrimLeft(offer.Share(), "\x00"),
		bytes.TrimLeft(ours, "\x00")) {
		return nil
	}
	z, err := offer.Finish(theirs)
	if err != nil {
		return nil
	}
	return z
}

// half returns the reason why the curve's half of a hybrid key is not enough.
func half(g kex.Group, whose iana.Side) *Reason {
	with := "ML-KEM's seed of 64 bytes"
	if whose == iana.Server {
		with = "ML-KEM's shared secret of 32 bytes"
	}
	where := "behind"
	if g.ID() == iana.X25519MLKEM768 {
		where = "in front of"
	}
	return &Reason{Code: NoSecret, Needs: []Need{NeedEphemeralKey, NeedKeyLog},
		Detail: fmt.Sprintf("the ephemeral key given is only the curve's half of the %v's key of "+
			"the hybrid group %s: both halves are needed", whose, g.Name()),
		Remedy: fmt.Sprintf("give %s %s it, as one value", with, where)}
}

// psks13 returns the pre-shared keys that an external key may stand for in TLS 1.3: itself, and
// what is imported from it if the identity says so, whose own hash is not on the wire. See RFC 9258
// §5.1.
func psks13(s *handshake.Score, key []byte) []Candidate {
	if !s.Agreed.PSK {
		return nil
	}
	const from = "pre-shared key"
	list := []Candidate{{Input: handshake.Input{PSK: key}, From: from}}
	identity := s.PSKIdentity()
	if _, err := message.ParseImportedIdentity(identity); err != nil {
		return list
	}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
		psk := keys.HKDF{Hash: h}.Import(key, identity, s.Agreed.Suite.PRF)
		list = append(list, Candidate{Input: handshake.Input{PSK: psk}, From: from})
	}
	return list
}

// ResumptionSecret opens connections of TLS 1.3 that resume one whose resumption_secret (RFC 8446
// calls it resumption_master_secret) is known. The pre-shared key of a ticket depends on a nonce as
// well: it is known if the ticket was read, otherwise the usual ones are tried.
func ResumptionSecret(secret []byte) Source {
	return func(s *handshake.Score) []Candidate {
		if !s.TLS13() || !s.Agreed.PSK {
			return nil
		}
		return []Candidate{{Resumption: secret, From: "resumption secret"}}
	}
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

// candidates returns what may open a handshake.
func (c *Connection) candidates(s *handshake.Score) (list []Candidate) {
	if c.source != nil {
		list = c.source(s)
	}
	// Last, since these depend on which connections were read before.
	list = append(list, c.Sessions.candidates(s)...)
	if s.TLS13() {
		return c.schedules(s, list)
	}
	return list
}

// schedules returns the candidates of TLS 1.3 that are complete. A handshake that begins with a
// pre-shared key and exchanges keys takes one of each.
func (c *Connection) schedules(s *handshake.Score, list []Candidate) (whole []Candidate) {
	var psks, shared []Candidate
	for _, x := range list {
		switch {
		case x.Reason != nil || x.Traffic != nil:
			whole = append(whole, x)
		case x.Resumption != nil:
			psks = append(psks, c.tickets(s, x)...)
		case x.PSK != nil:
			psks = append(psks, x)
		case x.Shared != nil:
			shared = append(shared, x)
		}
	}
	c.resumes = s.Agreed.PSK && len(psks)+len(shared) > 0
	switch exchanged := s.Agreed.Kex.Ephemeral(); {
	case !s.Agreed.PSK:
		return append(whole, shared...)
	case !exchanged:
		return append(whole, psks...)
	case shared == nil && psks != nil:
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

// tickets returns the pre-shared keys that a ticket may have under a resumption_secret.
func (c *Connection) tickets(s *handshake.Score, from Candidate) (list []Candidate) {
	r, err := keys.HKDF{Hash: s.Agreed.Suite.PRF}.Resumption(from.Resumption)
	if err != nil {
		return nil
	}
	tried := nonces()
	if nonce, ok := c.Sessions.nonce(s.PSKIdentity()); ok {
		tried = [][]byte{nonce}
	}
	for _, nonce := range tried {
		list = append(list, Candidate{Input: handshake.Input{PSK: r.PSK(nonce)}, From: from.From})
	}
	return list
}

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

// derived keeps a secret that was derived, for Secrets.
func (c *Connection) derived(l keylog.Line) {
	if l.Label != keylog.ClientRandom { // see learn
		c.secrets = append(c.secrets, keylog.Line{Label: l.Label, ID: bytes.Clone(l.ID),
			Secret: bytes.Clone(l.Secret)})
	}
}
