package observe

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// find is the observer's part of the key exchange: it returns the candidate that opens the first
// protected record.
func (c *Connection) find(s *handshake.Score) (handshake.Input, error) {
	side := iana.Client
	if s.TLS13() || s.Resumed {
		side = iana.Server
	}
	// The ServerHello of TLS 1.3 or a resuming server's ChangeCipherSpec is being processed now;
	// otherwise the client's ChangeCipherSpec is yet to come.
	l := &c.lanes[side]
	h, sample, known := l.first(s.TLS13(), side == iana.Server)
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
		case candidate.Reason != nil:
			why = worse(why, candidate.Reason)
		case t != nil && t.Handshake[iana.Server] == nil:
			some = append(some, candidate)
		case sample == nil && !candidate.guess ||
			sample != nil && c.opens(s, candidate, side, h, sample):
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
		c.some, c.leaping = true, true
		return c.use(s, some[0])
	}
	c.missing = why
	resumes := s.Resumed || c.resumes || s.TLS13() && why.Code == UnknownResumedSession
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

// use takes a candidate.
func (c *Connection) use(s *handshake.Score, candidate Candidate) (handshake.Input, error) {
	c.used, c.missing = candidate.From, nil
	candidate.PreMaster = bytes.Clone(candidate.PreMaster) // the machine wipes it
	c.keep13(s, candidate.Traffic)
	return candidate.Input, nil
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

// opens reports whether a candidate opens the sample.
func (c *Connection) opens(s *handshake.Score, candidate Candidate, side iana.Side, h record.Header,
	sample []byte) bool {
	candidate.PreMaster = bytes.Clone(candidate.PreMaster)
	k, err := s.Keys(candidate.Input, side)
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

// keep13 keeps the secrets of a TLS 1.3 handshake.
func (c *Connection) keep13(s *handshake.Score, t *handshake.TrafficSecrets) {
	if t == nil {
		return
	}
	for _, line := range []keylog.Line{
		{Label: keylog.ClientEarlyTraffic, Secret: t.Early},
		{Label: keylog.ClientHandshake, Secret: t.Handshake[iana.Client]},
		{Label: keylog.ServerHandshake, Secret: t.Handshake[iana.Server]},
		{Label: keylog.ClientTraffic, Secret: t.Application[iana.Client]},
		{Label: keylog.ServerTraffic, Secret: t.Application[iana.Server]},
	} {
		if line.ID = bytes.Clone(s.ClientHello.Random[:]); line.Secret != nil {
			c.secrets = append(c.secrets, line)
		}
	}
}

// Sessions holds the sessions of full handshakes, so that connections that resume them can be read:
// use one for all connections of a capture. It is safe for concurrent use.
type Sessions struct {
	mu      sync.Mutex
	masters map[string]known  // and pre-shared keys of TLS 1.3
	nonces  map[string][]byte // of tickets of TLS 1.3 whose keys are not known
	learned atomic.Int64
	noted   bool
	fresh   []string // names learned since the last news, if noted
}

// known is a session.
type known struct {
	master []byte
	from   string
}

// maxSessions bounds the memory that a hostile capture can fill: about 100 MB.
const maxSessions = 1 << 18

func (t *Sessions) count() int {
	if t == nil {
		return 0
	}
	return int(t.learned.Load())
}

// learn keeps a session under its ID or its ticket.
func (t *Sessions) learn(name, master []byte, from string) {
	if t == nil || len(name) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.masters == nil {
		t.masters = map[string]known{}
	}
	if old, ok := t.masters[string(name)]; len(t.masters) >= maxSessions && !ok ||
		ok && bytes.Equal(old.master, master) {
		return
	}
	t.masters[string(name)] = known{master, from}
	t.learned.Add(1)
	if t.noted {
		t.fresh = append(t.fresh, string(name))
	}
}

// learnNonce keeps the ticket_nonce of a ticket.
func (t *Sessions) learnNonce(ticket, nonce []byte) {
	if t == nil || len(ticket) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nonces == nil {
		t.nonces = map[string][]byte{}
	}
	if len(t.nonces) < maxSessions {
		t.nonces[string(ticket)] = bytes.Clone(nonce)
	}
}

// nonce returns the ticket_nonce of a ticket.
func (t *Sessions) nonce(ticket []byte) (nonce []byte, ok bool) {
	if t == nil {
		return nil, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	nonce, ok = t.nonces[string(ticket)]
	return nonce, ok
}

// note starts keeping the names of learned sessions, for news.
func (t *Sessions) note() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noted = true
}

// news returns the names of the sessions learned since its last call.
func (t *Sessions) news() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := t.fresh
	t.fresh = nil
	return fresh
}

// sessionNames returns the names by which the session that a handshake resumes may be known: its ID
// and its ticket, or in TLS 1.3 the identity of its pre-shared key.
func sessionNames(s *handshake.Score) (names [][]byte) {
	sh, ch := s.ServerHello, s.ClientHello
	if s.TLS13() {
		return append(names, s.PSKIdentity())
	}
	if len(sh.SessionID) > 0 {
		names = append(names, sh.SessionID)
	}
	var ticket message.SessionTicket
	if ok, err := ch.Extensions.Read(iana.ExtSessionTicket, &ticket); ok && err == nil &&
		len(ticket.Ticket) > 0 {
		names = append(names, ticket.Ticket)
	}
	return names
}

// candidates returns the known sessions that a handshake may resume.
func (t *Sessions) candidates(s *handshake.Score) (list []Candidate) {
	if t == nil || !s.Resumed && !s.TLS13() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range sessionNames(s) {
		k, ok := t.masters[string(name)]
		switch {
		case !ok:
		case s.TLS13():
			list = append(list, Candidate{Input: handshake.Input{PSK: k.master}, From: k.from})
		default:
			list = append(list, Candidate{Input: handshake.Input{Master: k.master}, From: k.from})
		}
	}
	return list
}

// learn adds the connection's session to Sessions.
func (c *Connection) learn() {
	m := c.machine
	if m.TLS13() || m.Agreed == nil || c.learned == m.ServerHello && m.NewSessionTicket == nil {
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
