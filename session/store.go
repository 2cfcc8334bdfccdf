package session

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Store keeps sessions under their IDs. It may be shared by several servers, and slow: each call
// has a small time of its own (vitrine.Config.StoreTimeout), after which its context ends and
// nobody waits for it. An error, or no answer in time, costs a client its session and not its
// connection: the handshake is then a full one, and an event says why. A value holds a
// master_secret: whoever reads the store can read the connections, and resume them. It has at most
// MaxSessionSize bytes and a few more.
type Store interface {
	// Get gives a value, or nil if there is none; a value whose lifetime is over is none.
	Get(ctx context.Context, id []byte) ([]byte, error)
	// Put keeps a value for at most lifetime.
	Put(ctx context.Context, id, value []byte, lifetime time.Duration) error
}

// Deleter is a Store that can delete. A session is deleted if its connection ends with a fatal
// alert, since it must not be resumed then: RFC 5246 §7.2.2. A Store without Delete keeps it until
// its lifetime is over.
type Deleter interface {
	// Delete drops a value; one that is not there is no error.
	Delete(ctx context.Context, id []byte) error
}

// Memory is a Store of this process: the last values used, up to a number.
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

// NewMemory makes a Memory of at most max values.
func NewMemory(max int) *Memory {
	return &Memory{max: max, now: time.Now, recent: list.New(), byID: map[string]*list.Element{}}
}

// Get gives a value that is not too old.
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

// Put keeps a value, and drops the one that was not used for the longest time if there are too
// many.
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

// Delete drops a value.
func (m *Memory) Delete(_ context.Context, id []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.byID[string(id)]; ok {
		m.drop(at)
	}
	return nil
}

func (m *Memory) drop(at *list.Element) {
	delete(m.byID, at.Value.(*entry).id)
	m.recent.Remove(at)
}
