package observe

import (
	"bytes"
	"sync"
	"sync/atomic"
)

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
