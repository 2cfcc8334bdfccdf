package observe

import (
	"sync"

	"github.com/vitrine-tls/vitrine/handshake"
)

// A Source returns secrets that may open a handshake, which was read up to ClientKeyExchange or, in
// TLS 1.3 and when a session is resumed, up to the ServerHello. They are tried before they are
// used. It must be safe for concurrent use if several connections are watched.
type Source func(*handshake.Score) []Candidate

// Candidate is a secret that may be the right one, or the reason why a source cannot have it. Of a
// handshake of TLS 1.3 that begins with a pre-shared key and exchanges keys too, it may have the
// one or the other: two candidates are then joined.
type Candidate struct {
	handshake.Input
	Resumption []byte // a resumption_secret of TLS 1.3, in place of the pre-shared key of a ticket
	From       string // "key log"
	Reason     *Reason
	guess      bool // it may belong to another connection
}

// Sources asks several sources, in order.
func Sources(all ...Source) Source {
	return func(s *handshake.Score) (list []Candidate) {
		for _, source := range all {
			list = append(list, source(s)...)
		}
		return list
	}
}

// Guarded holds a lock while it asks a source, for a key log that grows meanwhile.
func Guarded(lock sync.Locker, source Source) Source {
	return func(s *handshake.Score) []Candidate {
		lock.Lock()
		defer lock.Unlock()
		return source(s)
	}
}
