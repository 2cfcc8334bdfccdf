package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/record"
)

// find is the observer's part of the key exchange: it returns the candidate that opens the first
// protected record.
func (c *Connection) find(s *handshake.Score) (handshake.Input, error) {
	side := protocolOf(s).first(s)
	// The ServerHello of TLS 1.3 or a resuming server's ChangeCipherSpec is being processed now;
	// otherwise the client's ChangeCipherSpec is yet to come.
	l := &c.lanes[side]
	h, sample, known := l.first(protocolOf(s).hidesTypes(), side == iana.Server)
	if c.untried {
		sample, known = nil, true
	}
	if !known {
		c.pending = aRecord
		return handshake.Input{}, errPending
	}
	l.probe = probe{}
	c.asked = c.Sessions.count()
	candidates := c.candidates(s)
	why := &Reason{Code: NoSecret}
	if s.Resumed && c.source != nil {
		why = &Reason{Code: UnknownResumedSession}
	}
	var some []Candidate // which cannot be tried on the sample
	for _, candidate := range candidates {
		switch t := candidate.Traffic; {
		case candidate.idle:
		case candidate.Reason != nil:
			why = worse(why, candidate.Reason)
		case t != nil && t.Handshake[iana.Server] == nil:
			some = append(some, candidate)
		case sample == nil && !candidate.guess ||
			sample != nil && c.opens(candidate, side, h, sample):
			if c.expects(t) {
				break
			}
			return c.use(s, candidate)
		case candidate.guess:
		case c.machine.Sound():
			why = worse(why, &Reason{Code: WrongSecret, Detail: candidate.From})
			some = append(some, candidate.others()...)
		default:
			why = worse(why, &Reason{Code: BytesMissing})
		}
	}
	if len(some) > 0 && !c.waits() {
		c.some, c.tryingLater = true, true
		return c.use(s, some[0])
	}
	if text := inVain(candidates); text != "" {
		t := *why
		t.inVain, why = text, &t
	}
	c.missing = why
	resumes := s.Resumed || c.resumes || why.Code == UnknownResumedSession
	if c.waits() || !c.final && resumes && c.Sessions != nil && c.source != nil {
		c.pending = aSecret
		return handshake.Input{}, errPending
	}
	return handshake.Input{}, handshake.ErrNoSecret
}

// waits reports whether secrets may still come.
func (c *Connection) waits() bool { return c.Late && !c.final }

// expects reports whether traffic secrets that are missing may still come: a key log that grows has
// some of a connection's lines first.
func (c *Connection) expects(t *handshake.TrafficSecrets) bool {
	return t != nil && c.waits() && (t.Handshake[iana.Client] == nil ||
		t.Application[iana.Client] == nil || t.Application[iana.Server] == nil)
}

// opens reports whether a candidate opens the sample.
func (c *Connection) opens(candidate Candidate, side iana.Side, h record.Header,
	sample []byte) bool {
	candidate.PreMaster = bytes.Clone(candidate.PreMaster)
	k, err := c.machine.Keys(candidate.Input, side)
	if err != nil {
		return false
	}
	p, err := record.NewReader(k.Suite.Cipher, k.Suite.MAC, k.Params(nil))
	if err != nil {
		return false
	}
	_, err = p.Open(0, h, bytes.Clone(sample))
	return err == nil
}

// use takes a candidate.
func (c *Connection) use(s *handshake.Score, candidate Candidate) (handshake.Input, error) {
	c.used, c.missing = candidate.From, nil
	candidate.PreMaster = bytes.Clone(candidate.PreMaster) // the machine wipes it
	c.keep13(s, candidate.Traffic)
	return candidate.Input, nil
}

// keep13 keeps the secrets of a TLS 1.3 handshake. One whose length is not that of the suite's hash
// cannot be this handshake's.
func (c *Connection) keep13(s *handshake.Score, t *handshake.TrafficSecrets) {
	if t == nil {
		return
	}
	n := s.Agreed.Suite.PRF.Size()
	if c.misfits = nil; len(t.Early) == n {
		c.earlySecret = t.Early
	}
	for _, line := range []keylog.Line{
		{Label: keylog.ClientEarlyTraffic, Secret: t.Early},
		{Label: keylog.ClientHandshake, Secret: t.Handshake[iana.Client]},
		{Label: keylog.ServerHandshake, Secret: t.Handshake[iana.Server]},
		{Label: keylog.ClientTraffic, Secret: t.Application[iana.Client]},
		{Label: keylog.ServerTraffic, Secret: t.Application[iana.Server]},
	} {
		switch line.ID = bytes.Clone(s.ClientHello.Random[:]); {
		case len(line.Secret) == n:
			c.secrets = append(c.secrets, line)
		case line.Secret != nil:
			if c.misfits == nil {
				c.misfits = map[keylog.Label]int{}
			}
			c.misfits[line.Label] = len(line.Secret)
		}
	}
}

// derived keeps a secret that was derived, for Secrets.
func (c *Connection) derived(l keylog.Line) {
	if l.Label != keylog.ClientRandom { // see learn
		c.secrets = append(c.secrets, keylog.Line{Label: l.Label, ID: bytes.Clone(l.ID),
			Secret: bytes.Clone(l.Secret)})
	}
}

// candidates returns what may open a handshake.
func (c *Connection) candidates(s *handshake.Score) (list []Candidate) {
	if c.source != nil {
		list = c.source(s)
	}
	// Last, since these depend on which connections were read before.
	list = append(list, c.Sessions.candidates(s)...)
	return protocolOf(s).complete(c, s, list)
}

// candidates returns the known sessions that a handshake may resume.
func (t *Sessions) candidates(s *handshake.Score) (list []Candidate) {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := protocolOf(s)
	for _, name := range p.sessionNames(s) {
		if k, ok := t.masters[string(name)]; ok {
			list = append(list, Candidate{Input: p.resumed(k.master), From: k.from})
		}
	}
	return list
}

// others returns the candidate without the secret that did not open the sample, if it has more.
func (c Candidate) others() []Candidate {
	if c.Traffic == nil || known13(c.Traffic) == 1 {
		return nil
	}
	t := *c.Traffic
	t.Handshake[iana.Server] = nil
	c.Traffic = &t
	return []Candidate{c}
}

// known13 returns how many traffic secrets there are.
func known13(t *handshake.TrafficSecrets) (n int) {
	for _, secret := range [...][]byte{t.Early, t.Handshake[0], t.Handshake[1], t.Application[0],
		t.Application[1]} {
		if secret != nil {
			n++
		}
	}
	return n
}
