package observe

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
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

// use takes a candidate.
func (c *Connection) use(s *handshake.Score, candidate Candidate) (handshake.Input, error) {
	c.used, c.missing = candidate.From, nil
	candidate.PreMaster = bytes.Clone(candidate.PreMaster) // the machine wipes it
	c.keep13(s, candidate.Traffic)
	return candidate.Input, nil
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
