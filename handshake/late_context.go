package handshake

import (
	"hash"
	"sync"

	"github.com/vitrine-tls/vitrine/negotiation"
)

// awaitedContext is a request that is not answered yet. The writing goroutine sets it and the
// reading one takes it.
type awaitedContext struct {
	mu sync.Mutex
	lateRequest
}

// lateRequest is the context that a client must repeat, and what it must prove.
type lateRequest struct {
	context, raw []byte
	auth         negotiation.ClientAuth
}

// set stores a request. It returns false, and changes nothing, if another is not answered yet.
func (a *awaitedContext) set(r lateRequest) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.raw != nil {
		return false
	}
	a.lateRequest = r
	return true
}

// waits reports whether a request is not answered yet. A nil a, of a connection in which nothing
// may be requested, has none.
func (a *awaitedContext) waits() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.raw != nil
}

// take removes and returns the request. There must be one.
func (a *awaitedContext) take() lateRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.lateRequest
	a.lateRequest = lateRequest{}
	return r
}

// late is what a Machine keeps for an authentication behind the handshake: see late.go.
type late struct {
	after   hash.Hash       // of the messages up to the client's Finished; nil if it is not used
	context *awaitedContext // a server's: of the request that is not answered yet
}

// lateWatch is what an observer has received of one: see late_watch.go. No message is kept.
type lateWatch struct {
	requests []watchedRequest // not answered yet
	// of the answer that is being read; nil if its request was not received
	answer *Score
}

type watchedRequest struct {
	context []byte
	score   *Score // whose transcript ends with the request
}
