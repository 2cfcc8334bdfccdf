package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// stubborn is everything that a program can keep sessions with. Some of its calls hang until free
// is closed, whatever their context says.
type stubborn struct {
	*session.Memory
	session.FixedKeys
	cacheMu sync.Mutex
	cache   rig.OneSession
	free    chan struct{}
	hangs   map[string]bool

	mu      sync.Mutex
	entered map[string]int
}

func newStubborn(t *testing.T) *stubborn {
	s := &stubborn{Memory: session.NewMemory(10), free: make(chan struct{}),
		entered:   map[string]int{},
		FixedKeys: session.FixedKeys{session.NewTicketKey([32]byte{1})}, hangs: map[string]bool{}}
	t.Cleanup(s.release)
	return s
}

func (s *stubborn) release() {
	select {
	case <-s.free:
	default:
		close(s.free)
	}
}

func (s *stubborn) enter(call string) {
	s.mu.Lock()
	s.entered[call]++
	hang := s.hangs[call]
	s.mu.Unlock()
	if hang {
		<-s.free
	}
}

func (s *stubborn) calls(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entered[call]
}

func (s *stubborn) Get(ctx context.Context, id []byte) ([]byte, error) {
	s.enter("Get")
	return s.Memory.Get(ctx, id)
}

func (s *stubborn) Put(ctx context.Context, id, value []byte, life time.Duration) error {
	s.enter("Put")
	return s.Memory.Put(ctx, id, value, life)
}

func (s *stubborn) Delete(ctx context.Context, id []byte) error {
	s.enter("Delete")
	return s.Memory.Delete(ctx, id)
}

func (s *stubborn) Keys(ctx context.Context) ([]session.TicketKey, error) {
	s.enter("Keys")
	return s.FixedKeys.Keys(ctx)
}

// clientCache is the client's part, whose methods have the names of the store's.
type clientCache struct{ *stubborn }

func (c clientCache) Get(key string) (*vitrine.ClientSessionState, bool) {
	c.enter("cache.Get")
	c.cacheMu.Lock() // a call that hung may go on beside a later one
	defer c.cacheMu.Unlock()
	return c.cache.Get(key)
}

func (c clientCache) Put(key string, s *vitrine.ClientSessionState) {
	c.enter("cache.Put")
	c.cacheMu.Lock()
	defer c.cacheMu.Unlock()
	c.cache.Put(key, s)
}

// Whichever store hangs, the handshakes of clients with and without a session end as full ones, and
// the trace has the reason.
func TestAStoreThatHangsCostsNoConnection(t *testing.T) {
	rig.EachVersion(t, testAStoreThatHangsCostsNoConnection)
}

func testAStoreThatHangsCostsNoConnection(t *testing.T, version func(*vitrine.Config)) {
	for _, call := range []string{"Get", "Put", "Keys", "cache.Get", "cache.Put"} {
		t.Run(call, func(t *testing.T) {
			s := newStubborn(t)
			var told bytes.Buffer
			log := trace.NewWriter(&told)
			client := rig.ClientConfig(version, func(c *vitrine.Config) {
				c.ClientSessionCache, c.Trace = clientCache{s}, log
			})
			server := rig.ServerConfig(
				t,
				version,
				func(c *vitrine.Config) { c.TicketKeys, c.Trace = s, log },
			)
			if call == "Get" || call == "Put" {
				server.SessionTicketsDisabled, server.SessionStore = true, s
			}
			rig.Resumes(t, client, server)
			if !rig.Resumes(t, client, server) {
				t.Fatal("it is not resumed in good times")
			}
			if strings.Contains(told.String(), "did not answer") {
				t.Error("the trace speaks of bad times in good ones")
			}
			// Calls that do not hang must be done by then, on a loaded machine, too.
			client.StoreTimeout, server.StoreTimeout = 50*time.Millisecond, 50*time.Millisecond
			s.hangs[call] = true
			old := s.cache.S
			for _, has := range []*vitrine.ClientSessionState{old, nil} {
				s.cache.S = has
				// Resuming does not need these. But a ticket of TLS 1.3 that cannot be taken out of
				// the cache is not offered: RFC 8446 §C.4.
				want := has != nil && (call == "Put" ||
					call == "cache.Put" && client.MaxVersion == vitrine.VersionTLS12)
				if got := rig.Resumes(t, client, server); got != want {
					t.Errorf("a client with a session %v: resumed %v, expected %v", has != nil, got,
						want)
				}
			}
			if !strings.Contains(told.String(), "did not answer within 50ms") {
				t.Error("the trace does not tell")
			}
		})
	}
}

// Calls that hang are few, however many clients come; and once they return the store is asked
// again.
func TestAHangingStoreIsNotCalledWithoutEnd(t *testing.T) {
	rig.EachVersion(t, testAStoreThatHangsIsNotAskedForEver)
}

func testAStoreThatHangsIsNotAskedForEver(t *testing.T, version func(*vitrine.Config)) {
	const most = 16
	s := newStubborn(t)
	s.hangs["Keys"] = true
	server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.TicketKeys, c.StoreTimeout = s, time.Millisecond
	})
	client := rig.ClientConfig(version, func(c *vitrine.Config) {
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
	})
	for range most + 10 {
		rig.Pair(t, client, server)
	}
	if n := s.calls("Keys"); n != most {
		t.Errorf("it was asked %d times, expected %d", n, most)
	}
	s.release()
	for begun := time.Now(); s.calls("Keys") == most; {
		if time.Since(begun) > rig.Patience {
			t.Fatal("it is not asked any more")
		}
		rig.Pair(t, client, server)
	}
}

// A session is withdrawn by a fatal alert, whoever sends it, and by nothing else: RFC 5246 §7.2.2,
// RFC 8446 §6.2.
func TestAFatalAlertWithdrawsTheSession(t *testing.T) {
	rig.EachVersion(t, testAFatalAlertWithdrawsTheSession)
}

func testAFatalAlertWithdrawsTheSession(t *testing.T, version func(*vitrine.Config)) {
	garbage := []byte{byte(iana.RecordApplicationData), 3, 3, 0, 1, 0}
	for _, tt := range []struct {
		what string
		ends func(c, s *vitrine.Conn) // and the server reads the end
		kept bool
	}{
		{"close_notify", func(c, _ *vitrine.Conn) { c.CloseWrite() }, true},
		{"a cut", func(c, _ *vitrine.Conn) { c.NetConn().Close() }, true},
		{"an alert of the server's", func(c, _ *vitrine.Conn) { c.NetConn().Write(garbage) },
			false},
		{"an alert of the client's", func(c, s *vitrine.Conn) {
			s.NetConn().Write(garbage)
			io.Copy(io.Discard, c)
		}, false},
	} {
		for _, after := range []string{"a full handshake", "a resumed one"} {
			t.Run(tt.what+" after "+after, func(t *testing.T) {
				cache := &rig.OneSession{}
				client := rig.ClientConfig(
					version,
					func(c *vitrine.Config) { c.ClientSessionCache = cache },
				)
				server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
					c.SessionTicketsDisabled, c.SessionStore = true, session.NewMemory(10)
				})
				if after == "a resumed one" {
					rig.Resumes(t, client, server)
				}
				kept := []*vitrine.ClientSessionState{cache.S} // and what the connection brings
				c, s := rig.Pair(t, client, server)
				if c.ConnectionState().DidResume != (after == "a resumed one") {
					t.Fatal("not the handshake that is meant")
				}
				rig.Hear(t, c, s) // tickets, in TLS 1.3
				if kept = append(kept, cache.S); kept[0] == nil {
					kept = kept[1:]
				}
				tt.ends(c, s)
				io.Copy(io.Discard, s)
				if (cache.S != nil) != tt.kept && tt.what == "an alert of the client's" {
					t.Errorf("the client keeps it: %v, expected %v", cache.S != nil, tt.kept)
				}
				for i, k := range kept {
					cache.S = k // a client that does not forget
					if got := rig.Resumes(t, client, server); got != tt.kept {
						t.Errorf("session %d: resumed %v, expected %v", i, got, tt.kept)
					}
				}
			})
		}
	}
}

// The session of a connection that the program refuses is not stored, at either end; the Config for
// this client decides, as with crypto/tls.
func TestNothingIsStoredOfARefusedConnection(t *testing.T) {
	rig.EachVersion(t, testNothingIsStoredOfARefusedConnection)
}

func testNothingIsStoredOfARefusedConnection(t *testing.T, version func(*vitrine.Config)) {
	refuse := func(c *vitrine.Config) {
		c.VerifyConnection = func(s vitrine.ConnectionState) error {
			return fmt.Errorf("no %s here", s.ServerName)
		}
	}
	for _, tt := range []struct {
		what string
		edit func(client, server *vitrine.Config)
	}{
		{"by the client", func(c, _ *vitrine.Config) { refuse(c) }},
		{"by the server", func(_, s *vitrine.Config) { refuse(s) }},
		{"by the server's Config for this client", func(_, s *vitrine.Config) {
			special := s.Clone()
			refuse(special)
			s.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
				return special, nil
			}
		}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			store := newStubborn(t)
			client := rig.ClientConfig(version, func(c *vitrine.Config) {
				c.ClientSessionCache = clientCache{store}
			})
			server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
				c.SessionTicketsDisabled, c.SessionStore = true, store
			})
			tt.edit(client, server)
			a, b := rig.Wires(t)
			ours, theirs := vitrine.Client(a, client), vitrine.Server(b, server)
			clientErr, serverErr := rig.Shake(ours, theirs)
			refused := errors.Join(clientErr, serverErr)
			if refused == nil || !strings.Contains(refused.Error(), "no vitrine.test here") {
				t.Fatalf("got %v", refused)
			}
			io.Copy(io.Discard, theirs)
			if store.cache.S != nil {
				t.Error("the client kept a session")
			}
			if puts, deletes := store.calls("Put"), store.calls("Delete"); puts != deletes {
				t.Errorf("the server stored %d sessions and deleted %d", puts, deletes)
			}
		})
	}
}

// An unauthenticated peer cannot fill a store: the size of its session is bounded.
func TestNoSessionIsKeptOfALongChain(t *testing.T) {
	rig.EachVersion(t, testNoSessionIsKeptOfALongChain)
}

func testNoSessionIsKeptOfALongChain(t *testing.T, version func(*vitrine.Config)) {
	padded := func(n int) tls.Certificate {
		cert := rig.Certificate(t, throwaway.ECDSA, func(c *x509.Certificate) {
			c.OCSPServer = []string{"http://" + strings.Repeat("a", 2000)}
		})
		for range n {
			cert.Certificate = append(cert.Certificate, cert.Certificate[0])
		}
		return cert
	}
	for _, tt := range []struct {
		more int
		kept bool
	}{{0, true}, {4, true}, {8, false}, {45, false}} {
		t.Run(fmt.Sprint(tt.more), func(t *testing.T) {
			store := &sized{Memory: session.NewMemory(1)}
			cache := &rig.OneSession{}
			client := rig.ClientConfig(version, func(c *vitrine.Config) {
				c.ClientSessionCache, c.Certificates = cache, []tls.Certificate{padded(tt.more)}
			})
			server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
				c.SessionTicketsDisabled, c.SessionStore, c.ClientAuth = true, store,
					tls.RequestClientCert
			})
			rig.Resumes(t, client, server)
			if got := store.put != 0; got != tt.kept || store.put > session.MaxSessionSize+300 {
				t.Errorf("the server stored %d bytes, expected some: %v", store.put, tt.kept)
			}
			server = rig.ServerConfig(t, version, func(c *vitrine.Config) {
				c.Certificates = []tls.Certificate{padded(tt.more)}
			})
			cache.S = nil
			rig.Resumes(t, client, server)
			if got := cache.S != nil; got != tt.kept {
				t.Errorf("the client kept its session: %v, expected %v", got, tt.kept)
			}
		})
	}
}

// sized is a store that knows the longest value it was given.
type sized struct {
	*session.Memory
	put int
}

func (s *sized) Put(ctx context.Context, id, value []byte, life time.Duration) error {
	s.put = max(s.put, len(value))
	return s.Memory.Put(ctx, id, value, life)
}

// panicking are ticket keys whose source panics.
type panicking struct{}

func (panicking) Keys(context.Context) ([]session.TicketKey, error) { panic("no keys today") }

// A panic of a store, which is called in a goroutine of its own, continues where the handshake was
// called: there a program can recover from it, and learns where it was.
func TestAPanicOfAStoreContinuesInTheHandshake(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		a, b := rig.Wires(t)
		server := vitrine.Server(b, rig.ServerConfig(t, version, func(c *vitrine.Config) {
			c.TicketKeys = panicking{}
		}))
		client := vitrine.Client(a, rig.ClientConfig(version, func(c *vitrine.Config) {
			c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
		}))
		go client.Handshake()
		defer func() {
			err, _ := recover().(error)
			if err == nil || !strings.Contains(err.Error(), "no keys today") ||
				!strings.Contains(err.Error(), "panicking.Keys") {
				t.Errorf("recovered %v, expected the panic with its calls", err)
			}
		}()
		server.Handshake()
		server.Write([]byte{1}) // with which TLS 1.3 sends its tickets
	})
}
