package session

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Store keeps sessions by their IDs. Several servers may share one, and it may be slow: each call
// has a time limit (vitrine.Config.StoreTimeout), after which its context ends and the handshake
// goes on without it. After an error or a timeout the handshake is a full one, and an event gives
// the reason; the connection does not fail. A value contains a master_secret: an attacker who reads
// the store can decrypt the connections and resume them. A value is at most a little longer than
// MaxSessionSize.
type Store interface {
	// Get returns the value of id, or nil if there is none. Expired values are treated as missing.
	Get(ctx context.Context, id []byte) ([]byte, error)
	// Put stores a value for at most lifetime.
	Put(ctx context.Context, id, value []byte, lifetime time.Duration) error
}

// Deleter is a Store that can delete. When a connection ends with a fatal alert, its session is
// deleted, since it must not be resumed: RFC 5246 §7.2.2. A Store without Delete keeps the session
// until it expires.
type Deleter interface {
	// Delete deletes the value of id. It is not an error if there is none.
	Delete(ctx context.Context, id []byte) error
}

// Taker is a Store that can give a value away. Early data needs one, since a ClientHello with early
// data may be sent again by anybody who recorded it: RFC 8446 §8.1.
type Taker interface {
	// Take returns the value of id and deletes it, in one step: of all calls with one id, at the
	// same time or later, only one returns the value, and the others nil. A store of several
	// servers must hold to this between the servers, too.
	Take(ctx context.Context, id []byte) ([]byte, error)
}

// Memory is a Store in the memory of this process. It keeps the most recently used values, up to a
// maximum number.
type Memory struct {
	mu     sync.Mutex
	max    int
	now    func() time.Time
	recent *list.List // of *entry, the last used first
	byID   map[string]*list.Element
}

type entry struct {
	id      string
	value   []byte
	expires time.Time
}

// NewMemory returns a Memory that keeps at most max values.
func NewMemory(max int) *Memory {
	return &Memory{max: max, now: time.Now, recent: list.New(), byID: map[string]*list.Element{}}
}

// Get returns the value of id, or nil if there is none or it has expired.
func (m *Memory) Get(_ context.Context, id []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.byID[string(id)]
	if !ok {
		return nil, nil
	}
	e := at.Value.(*entry)
	if m.now().After(e.expires) {
		m.drop(at)
		return nil, nil
	}
	m.recent.MoveToFront(at)
	return e.value, nil
}

// Put stores a value. If there are then too many, it deletes the least recently used one.
func (m *Memory) Put(_ context.Context, id, value []byte, lifetime time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.byID[string(id)]; ok {
		m.drop(at)
	}
	m.byID[string(id)] = m.recent.PushFront(&entry{string(id), value, m.now().Add(lifetime)})
	for m.recent.Len() > m.max {
		m.drop(m.recent.Back())
	}
	return nil
}

// Delete deletes the value of id, if there is one.
func (m *Memory) Delete(_ context.Context, id []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.byID[string(id)]; ok {
		m.drop(at)
	}
	return nil
}

// Take returns the value of id and deletes it. It returns nil if there is none or it has expired.
func (m *Memory) Take(_ context.Context, id []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.byID[string(id)]
	if !ok {
		return nil, nil
	}
	m.drop(at)
	if e := at.Value.(*entry); !m.now().After(e.expires) {
		return e.value, nil
	}
	return nil, nil
}

func (m *Memory) drop(at *list.Element) {
	delete(m.byID, at.Value.(*entry).id)
	m.recent.Remove(at)
}
