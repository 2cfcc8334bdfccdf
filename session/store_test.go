package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A clock is set by its test.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestMemoryDropsTheLeastRecentlyUsed(t *testing.T) {
	m, ctx := NewMemory(3), context.Background()
	has := func(id string) bool {
		b, err := m.Get(ctx, []byte(id))
		if err != nil {
			t.Fatal(err)
		}
		return b != nil
	}
	put := func(id string) {
		if err := m.Put(ctx, []byte(id), []byte("of "+id), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	put("a")
	put("b")
	put("c")
	has("a") // b is now the oldest
	put("d")
	for id, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if has(id) != want {
			t.Errorf("%s: there %v, expected %v", id, !want, want)
		}
	}
	for range 5 {
		put("a") // once, however often
	}
	if m.recent.Len() != 3 || len(m.byID) != 3 {
		t.Errorf("got %d and %d entries, expected 3", m.recent.Len(), len(m.byID))
	}
	if b, _ := m.Get(ctx, []byte("a")); string(b) != "of a" {
		t.Errorf("got %q", b)
	}
}

// RFC 8446 §8.1: of all who take a value, at once or one after another, one gets it.
func TestMemoryGivesAValueAwayOnce(t *testing.T) {
	m, ctx := NewMemory(3), context.Background()
	for round := range 100 {
		id := []byte{byte(round)}
		if err := m.Put(ctx, id, []byte("value"), time.Hour); err != nil {
			t.Fatal(err)
		}
		var got atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if v, err := m.Take(ctx, id); err == nil && string(v) == "value" {
					got.Add(1)
				}
			})
		}
		all.Wait()
		if v, err := m.Take(ctx, id); got.Load() != 1 || v != nil || err != nil {
			t.Fatalf("%d of 8 got it, and later %q (%v)", got.Load(), v, err)
		}
	}
	now := time.Now()
	m.now = func() time.Time { return now }
	m.Put(ctx, []byte("old"), []byte("value"), time.Hour)
	now = now.Add(time.Hour + 1)
	if v, _ := m.Take(ctx, []byte("old")); v != nil {
		t.Errorf("an expired value was given away: %q", v)
	}
}

func TestMemoryDropsExpiredValues(t *testing.T) {
	c, ctx := &clock{time.Unix(1e9, 0)}, context.Background()
	m := NewMemory(3)
	m.now = c.now
	m.Put(ctx, []byte("a"), []byte{1}, time.Minute)
	for _, tt := range []struct {
		later time.Duration
		want  bool
	}{{0, true}, {59 * time.Second, true}, {2 * time.Second, false}, {-time.Hour, false}} {
		c.t = c.t.Add(tt.later)
		if b, _ := m.Get(ctx, []byte("a")); (b != nil) != tt.want {
			t.Errorf("%v later: got %v, expected %v", tt.later, b != nil, tt.want)
		}
	}
	if m.recent.Len() != 0 {
		t.Error("what is too old is still there")
	}
}

// Keys rotate every six hours, and open for as long as the last ticket that they sealed may live.
// RFC 5077 §5.5.
func TestTicketKeysRotate(t *testing.T) {
	c := &clock{time.Unix(1e9, 0)}
	r := NewRotatingKeys(rand.Reader, c.now)
	keys := func() []TicketKey {
		k, err := r.Keys(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := keys()[0]
	for _, tt := range []struct {
		at     time.Duration // since the first
		same   bool          // the first still seals
		opens  bool          // the first still opens
		number int
	}{
		{time.Hour, true, true, 1},
		{6*time.Hour - 1, true, true, 1},
		{6 * time.Hour, false, true, 2},
		{12 * time.Hour, false, true, 3},
		{18 * time.Hour, false, true, 4},
		{24 * time.Hour, false, true, 5},
		{30*time.Hour - 1, false, true, 5},
		{30 * time.Hour, false, false, 5},
	} {
		c.t = time.Unix(1e9, 0).Add(tt.at)
		got := keys()
		opens := false
		for _, k := range got {
			opens = opens || k == first
		}
		if (got[0] == first) != tt.same || opens != tt.opens || len(got) != tt.number {
			t.Errorf("after %v: seals %v, opens %v, %d keys; expected %v, %v, %d", tt.at,
				got[0] == first, opens, len(got), tt.same, tt.opens, tt.number)
		}
	}
}

// Keys are kept for as long as the sessions live whose tickets they open, within the bounds of RFC
// 8446 §4.6.1, and never shorter than those of TLS 1.2.
func TestTicketKeysAreKeptAsLongAsSessionsLive(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{
		0:                   MaxSessionAge,
		time.Hour:           MaxSessionAge,
		48 * time.Hour:      48 * time.Hour,
		MaxSessionAge13:     MaxSessionAge13,
		2 * MaxSessionAge13: MaxSessionAge13,
	} {
		c := &clock{time.Unix(1e9, 0)}
		r := NewRotatingKeys(rand.Reader, c.now)
		r.KeepFor(set)
		first, err := r.Keys(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, late := range []time.Duration{-1, 0} {
			c.t = time.Unix(1e9, 0).Add(rotation + want + late)
			opens := late < 0
			all, err := r.Keys(context.Background())
			if err != nil || slices.Contains(all, first[0]) != opens {
				t.Errorf("KeepFor(%v), %v before the end: opens %v (%v)", set, -late, !opens,
					err)
			}
		}
	}
}

func TestTicketKeysNeedRandomness(t *testing.T) {
	r := NewRotatingKeys(bytes.NewReader(make([]byte, 31)), time.Now)
	if _, err := r.Keys(context.Background()); err == nil {
		t.Error("a key was made of 31 bytes")
	}
}

func aSession(chain ...[]byte) *Session {
	return &Session{Version: iana.TLS12, Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		ExtendedMasterSecret: true,
		Created:              time.Unix(1e9, 0), ServerName: "vitrine.test", ALPN: "h2",
		Chain:       chain,
		PSKIdentity: []byte("gardener"),
		Staple:      []byte{6}, SCTs: [][]byte{{7}, {8, 9}}, Group: iana.X25519,
		GroupName: "x25519",
		Bound:     bytes.Repeat([]byte{4}, 48), Master: bytes.Repeat([]byte{5}, 48),
		AgeAdd: 1 << 31, Issued: time.UnixMilli(1e12 + 7), MaxEarlyData: 1 << 14,
		Extra: [][]byte{{1}, {}}}
}

func TestTicketIsOpenedByItsKeyAlone(t *testing.T) {
	a, b := NewTicketKey([32]byte{1}), NewTicketKey([32]byte{2})
	ticket, err := SealTicket(rand.Reader, a, aSession([]byte{1}, []byte{2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	s := OpenTicket([]TicketKey{b, a}, ticket)
	if s == nil || fmt.Sprint(*s) != fmt.Sprint(*aSession([]byte{1}, []byte{2, 3})) {
		t.Errorf("got %+v", s)
	}
	impostor := b
	impostor.Name = a.Name
	for what, keys := range map[string][]TicketKey{"none": nil, "another": {b},
		"another of that name": {impostor}} {
		if OpenTicket(keys, ticket) != nil {
			t.Errorf("%s opened it", what)
		}
	}
	if bytes.Contains(ticket, bytes.Repeat([]byte{5}, 8)) {
		t.Error("the master_secret is in the ticket as it is")
	}
	again, err := SealTicket(rand.Reader, a, aSession())
	if err != nil || bytes.Equal(again[17:ticketHeader], ticket[17:ticketHeader]) {
		t.Errorf("two tickets have one salt (%v)", err)
	}
}

// Every bit of a ticket is authenticated, and no part of it is accepted as a ticket.
func TestForgedTicketsAreRejected(t *testing.T) {
	key := NewTicketKey([32]byte{1})
	ticket, err := SealTicket(rand.Reader, key, aSession())
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for i := range len(ticket) * 8 {
		forged := bytes.Clone(ticket)
		forged[i/8] ^= 1 << (i % 8)
		if cases++; OpenTicket([]TicketKey{key}, forged) != nil {
			t.Errorf("bit %d is of no account", i)
		}
	}
	for n := range ticket {
		if cases++; OpenTicket([]TicketKey{key}, ticket[:n]) != nil {
			t.Errorf("%d bytes were enough", n)
		}
	}
	t.Logf("%d forgeries", cases)
}

func TestTicketOfALongChainIsRefused(t *testing.T) {
	_, err := SealTicket(rand.Reader, NewTicketKey([32]byte{1}), aSession(make([]byte, 1<<16)))
	if err == nil {
		t.Error("a ticket of more than 65535 bytes")
	}
	if _, err := SealTicket(bytes.NewReader(nil), NewTicketKey([32]byte{1}),
		aSession()); err == nil {
		t.Error("a ticket without a salt")
	}
}

func FuzzOpenTicket(f *testing.F) {
	key := NewTicketKey([32]byte{1})
	ticket, err := SealTicket(testkit.Rand("ticket"), key, aSession([]byte{1}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ticket)
	f.Add(ticket[:ticketHeader])
	for _, spoilt := range testkit.Spoil(ticket, 40) {
		f.Add(spoilt)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := OpenTicket(
			[]TicketKey{NewTicketKey([32]byte{2}), key},
			b,
		); s != nil &&
			!bytes.Equal(b, ticket) {
			t.Errorf("forged: %+v", s)
		}
	})
}

func FuzzDecodeSession(f *testing.F) {
	for _, s := range []*Session{aSession(), aSession([]byte{1}, []byte{2})} {
		b, err := s.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		for _, spoilt := range testkit.Spoil(b, 60) {
			f.Add(spoilt)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSession(b)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if other, err := DecodeSession(again); err != nil || fmt.Sprint(*other) != fmt.Sprint(*s) {
			t.Errorf("got %+v (%v), expected %+v", other, err, s)
		}
	})
}
