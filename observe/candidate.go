package observe

import (
	"strings"
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
	idle       bool // From says what kind of secret was given that no handshake like this takes
}

// named asks a source of one secret. If that has nothing for a handshake, a candidate says so, so
// that a report can tell what was given in vain.
func named(kind string, source Source) Source {
	return func(s *handshake.Score) []Candidate {
		if list := source(s); list != nil {
			return list
		}
		return []Candidate{{From: kind, idle: true}}
	}
}

// inVain counts the secrets that were given and belong to no part of a handshake, by kind. It
// returns an empty string if there are none.
func inVain(list []Candidate) string {
	var kinds []string
	count := map[string]int{}
	for _, c := range list {
		if !c.idle {
			continue
		}
		if count[c.From]++; count[c.From] == 1 {
			kinds = append(kinds, c.From)
		}
	}
	for i, k := range kinds {
		kinds[i] = plural(count[k], k, k+"s")
	}
	return strings.Join(kinds, ", ")
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

// pskIdentity returns the identity of the pre-shared key that was negotiated, or else of the key of
// early data that was turned down.
func pskIdentity(s *handshake.Score) []byte {
	if s.Agreed.PSK {
		return s.PSKIdentity()
	}
	return s.RefusedEarly()
}
