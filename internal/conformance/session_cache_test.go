package conformance_test

import (
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
)

// The cache gives each session of a key away once, the last first, and keeps a bounded number of
// keys and of sessions.
func TestTheTicketCacheGivesEachSessionOnce(t *testing.T) {
	cache := vitrine.NewLRUClientSessionCache(2).(vitrine.ClientTicketCache)
	states := make([]*vitrine.ClientSessionState, 10)
	for i := range states {
		states[i] = &vitrine.ClientSessionState{}
		cache.Add("a", states[i])
	}
	if s, ok := cache.Get("a"); !ok || s != states[9] {
		t.Error("Get does not return the last")
	}
	for i := 9; i >= 2; i-- {
		if s, ok := cache.Take("a"); !ok || s != states[i] {
			t.Errorf("session %d was not taken in its turn", i)
		}
	}
	if _, ok := cache.Take("a"); ok {
		t.Error("more than eight sessions of a key")
	}
	cache.Add("a", states[0])
	cache.Add("a", states[1])
	cache.Put("a", states[2])
	if s, _ := cache.Take("a"); s != states[2] {
		t.Error("Put does not replace")
	}
	if _, ok := cache.Get("a"); ok {
		t.Error("Put leaves what it replaced")
	}
	for i, key := range []string{"a", "b", "c"} {
		cache.Add(key, states[i])
	}
	if _, ok := cache.Get("a"); ok {
		t.Error("more keys than the capacity")
	}
	if cache.Put("c", nil); !has(cache, "b") || has(cache, "c") {
		t.Error("Put of nil does not remove the key, and that alone")
	}
}

func has(c vitrine.ClientSessionCache, key string) bool {
	_, ok := c.Get(key)
	return ok
}

// Of all who take at the same time, no two get one session.
func TestTheTicketCacheGivesEachSessionOnceUnderLoad(t *testing.T) {
	cache := vitrine.NewLRUClientSessionCache(0).(vitrine.ClientTicketCache)
	var taken sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				cache.Add("key", &vitrine.ClientSessionState{})
				if s, ok := cache.Take("key"); ok {
					if _, twice := taken.LoadOrStore(s, true); twice {
						t.Errorf("taker %d got a session that another got", i)
					}
				}
			}
		})
	}
	all.Wait()
}
