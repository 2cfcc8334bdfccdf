package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// RFC 5246 §F.1.4: at most 24 hours, which is also our default in TLS 1.3, counted from the full
// handshake, however often the session is used meanwhile, and however long the ticket's key lives.
func TestResumingExtendsNoLifetime(t *testing.T) {
	rig.EachVersion(t, testResumingExtendsNoLifetime)
}

func testResumingExtendsNoLifetime(t *testing.T, version func(*vitrine.Config)) {
	for _, kind := range []string{"ticket", "session ID"} {
		t.Run(kind, func(t *testing.T) {
			var mu sync.Mutex
			now := time.Now()
			clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			client := rig.ClientConfig(
				version,
				func(c *vitrine.Config) {
					c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
				},
			)
			server := rig.ServerConfig(
				t,
				version,
				func(c *vitrine.Config) {
					c.TicketKeys = session.FixedKeys{session.NewTicketKey([32]byte{1})}
				},
			)
			if kind != "ticket" {
				server.SessionTicketsDisabled, server.SessionStore = true, session.NewMemory(10)
			}
			client.Time, server.Time = clock, clock
			if rig.Resumes(t, client, server) {
				t.Fatal("nothing was there to resume")
			}
			for hour := 1; hour <= 30; hour++ {
				mu.Lock()
				now = now.Add(time.Hour)
				mu.Unlock()
				if got, want := rig.Resumes(t, client, server), hour%24 != 0; got != want {
					t.Errorf("after %d hours: resumed %v, expected %v", hour, got, want)
				}
			}
		})
	}
}

// moody is a store, and a source of ticket keys, that can fail.
type moody struct {
	*session.Memory
	session.FixedKeys
	err  error
	wait bool
	mu   sync.Mutex
	seen []context.Context
}

func (m *moody) mood(ctx context.Context) error {
	m.mu.Lock()
	m.seen = append(m.seen, ctx)
	m.mu.Unlock()
	if m.wait {
		<-ctx.Done()
		return ctx.Err()
	}
	return m.err
}

func (m *moody) Get(ctx context.Context, id []byte) ([]byte, error) {
	if err := m.mood(ctx); err != nil {
		return nil, err
	}
	return m.Memory.Get(ctx, id)
}

func (m *moody) Put(ctx context.Context, id, value []byte, life time.Duration) error {
	if err := m.mood(ctx); err != nil {
		return err
	}
	return m.Memory.Put(ctx, id, value, life)
}

func (m *moody) Keys(ctx context.Context) ([]session.TicketKey, error) {
	return m.FixedKeys, m.mood(ctx)
}

// Sessions only save time: if a store fails or returns invalid data, handshakes are full ones and
// do not fail. The trace has the reason.
func TestAStoreThatFailsCostsNoConnection(t *testing.T) {
	rig.EachVersion(t, testAStoreThatFailsCostsNoConnection)
}

func testAStoreThatFailsCostsNoConnection(t *testing.T, version func(*vitrine.Config)) {
	key := session.FixedKeys{session.NewTicketKey([32]byte{1})}
	for _, tt := range []struct {
		what  string
		byID  bool
		spoil func(*moody)
		says  string
	}{
		{"the store fails", true, func(m *moody) { m.err = errors.New("the store is down") },
			"the store is down"},
		{"the store forgot", true, func(m *moody) { m.Memory = session.NewMemory(1) }, ""},
		{"the store has nothing to say", true,
			func(m *moody) { m.Memory = nil; m.err = errors.New("gone") }, "gone"},
		{"the keys are unreachable", false, func(m *moody) { m.err = errors.New("no keys today") },
			"no keys today"},
		{"there is no key", false, func(m *moody) { m.FixedKeys = nil }, "no key"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			m := &moody{Memory: session.NewMemory(10), FixedKeys: key}
			var events bytes.Buffer
			client := rig.ClientConfig(
				version,
				func(c *vitrine.Config) {
					c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
				},
			)
			server := rig.ServerConfig(
				t,
				version,
				func(c *vitrine.Config) { c.Trace = trace.NewWriter(&events) },
			)
			if tt.byID {
				server.SessionTicketsDisabled, server.SessionStore = true, m
			} else {
				server.TicketKeys = m
			}
			rig.Resumes(t, client, server)
			if !rig.Resumes(t, client, server) {
				t.Fatal("it was not resumed in good times")
			}
			events.Reset()
			tt.spoil(m)
			if rig.Resumes(t, client, server) {
				t.Error("it was resumed in bad times")
			}
			// the session of the one before could be kept, or not
			if got, want := rig.Resumes(t, client, server), tt.says == ""; got != want {
				t.Errorf("and then: resumed %v, expected %v", got, want)
			}
			if !strings.Contains(events.String(), tt.says) {
				t.Errorf("the trace does not tell %q", tt.says)
			}
		})
	}
}

// asked returns how often the store was asked.
func (m *moody) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen)
}

// whose marks a context.
type whose struct{}

// A store is asked under the handshake's context, and ends with it.
func TestAStoreThatHangsEndsWithTheHandshake(t *testing.T) {
	rig.EachVersion(t, testAStoreThatHangsEndsWithTheHandshake)
}

func testAStoreThatHangsEndsWithTheHandshake(t *testing.T, version func(*vitrine.Config)) {
	for _, byID := range []bool{true, false} {
		m := &moody{Memory: session.NewMemory(10),
			FixedKeys: session.FixedKeys{session.NewTicketKey([32]byte{1})}, wait: true}
		client := rig.ClientConfig(
			version,
			func(c *vitrine.Config) { c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1) },
		)
		server := rig.ServerConfig(t, version)
		if byID {
			server.SessionTicketsDisabled, server.SessionStore = true, m
		} else {
			server.TicketKeys = m
		}
		a, b := rig.Wires(t)
		c := vitrine.Client(a, client)
		go c.Handshake()
		ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), whose{},
			"the caller's"), rig.Patience)
		go func() {
			for m.asked() == 0 && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		err := vitrine.Server(b, server).HandshakeContext(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("by ID %v: got %v, expected the context's end", byID, err)
		}
		m.mu.Lock()
		if len(m.seen) == 0 || m.seen[0].Value(whose{}) != "the caller's" {
			t.Errorf("by ID %v: it was not asked under the caller's context", byID)
		}
		m.mu.Unlock()
	}
}

// A client certificate that does not fit into a ticket, RFC 5077 §3.3: "the server MAY send a
// zero-length ticket".
func TestAClientWithALongChainConnects(t *testing.T) {
	rig.EachVersion(t, testAClientWithALongChainConnects)
}

func testAClientWithALongChainConnects(t *testing.T, version func(*vitrine.Config)) {
	cert := rig.Certificate(t, throwaway.ECDSA, func(c *x509.Certificate) {
		throwaway.ForClient(c)
		c.OCSPServer = []string{"http://" + strings.Repeat("long.", 5000)}
	})
	for len(cert.Certificate) < 4 {
		cert.Certificate = append(cert.Certificate, cert.Certificate[0])
	}
	client := rig.ClientConfig(version, func(c *vitrine.Config) {
		c.ClientSessionCache, c.Certificates = vitrine.NewLRUClientSessionCache(1),
			[]tls.Certificate{cert}
	})
	server := rig.ServerConfig(
		t,
		version,
		func(c *vitrine.Config) { c.ClientAuth = tls.RequireAnyClientCert },
	)
	for range 2 {
		if rig.Resumes(t, client, server) {
			t.Error("a session of 100 kB was in a ticket")
		}
	}
}

// With a pre-shared key, the identity is known after a resumption too, and a side without the key
// resumes nothing. RFC 4279 §2.
func TestSessionsKeepThePreSharedKeysIdentity(t *testing.T) {
	known := map[string][]byte{"gardener": {1, 2, 3}}
	suites := []uint16{uint16(iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256)}
	client := &vitrine.Config{ServerName: rig.ServerName, CipherSuites: suites,
		MaxVersion:         vitrine.VersionTLS12,
		ClientSessionCache: vitrine.NewLRUClientSessionCache(1),
		GetPSK: func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
			return &vitrine.PSK{Identity: []byte("gardener"), Key: []byte{1, 2, 3}}, nil
		}}
	server := &vitrine.Config{CipherSuites: suites,
		GetPSK: func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
			if key := known[string(i.Identity)]; key != nil {
				return &vitrine.PSK{Key: key}, nil
			}
			return nil, nil
		}}
	for _, want := range []bool{false, true, true} {
		c, s := rig.Pair(t, client, server)
		if state := s.ConnectionState(); string(state.PSKIdentity) != "gardener" ||
			state.DidResume != want {
			t.Errorf("got %q, resumed %v; expected the gardener, %v", state.PSKIdentity,
				state.DidResume, want)
		}
		c.Close()
		s.Close()
	}
	delete(known, "gardener")
	a, b := rig.Wires(t)
	err, serverErr := rig.Shake(vitrine.Client(a, client), vitrine.Server(b, server))
	if got, _ := rig.ReceivedAlert(err); got != alert.UnknownPSKIdentity {
		t.Errorf("a key that was taken away: got %v (the server %v), expected %v", err, serverErr,
			alert.UnknownPSKIdentity)
	}
}

// Who offers a pre-shared key, and who asks for one. The alert is the server's unless it is the
// client who cannot go on.
func TestBadPreSharedKeysEndTheHandshake(t *testing.T) {
	type find = func(*vitrine.PSKInfo) (*vitrine.PSK, error)
	have := func(identity string, key ...byte) find {
		return func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
			return &vitrine.PSK{Identity: []byte(identity), Key: key}, nil
		}
	}
	none := func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return nil, nil }
	fails := func(*vitrine.PSKInfo) (*vitrine.PSK,
		error) {
		return nil, errors.New("the vault is shut")
	}
	for _, tt := range []struct {
		what, ref      string
		client, server find
		hint           []byte
		by             iana.Side
		want           alert.Description
		says           string
	}{
		{"unknown identity", "RFC 4279 §2", have("stranger", 1), none, nil, iana.Server,
			alert.UnknownPSKIdentity, `"stranger"`},
		{"another key", "RFC 5246 §6.2.3.3", have("gardener", 1), have("", 2), nil, iana.Server,
			alert.BadRecordMAC, ""},
		{"another key, with a zero more", "RFC 5246 §6.2.3.3", have("gardener", 1), have("", 1, 0),
			nil, iana.Server, alert.BadRecordMAC, ""},
		{"the client knows none for the hint", "RFC 4279 §2", none, have("", 1), []byte("gate"),
			iana.Client, alert.UnknownPSKIdentity, ""},
		{"the client's program fails", "our API", fails, have("", 1), nil, iana.Client,
			alert.InternalError, "the vault is shut"},
		{"the server's program fails", "our API", have("gardener", 1), fails, nil, iana.Server,
			alert.InternalError, "the vault is shut"},
		{"a key of no bytes", "RFC 4279 §5.3", have("gardener"), have("", 1), nil, iana.Client,
			alert.InternalError, "0 bytes"},
		{"a server's key of no bytes", "RFC 4279 §5.3", have("gardener", 1), have(""), nil,
			iana.Server, alert.InternalError, "0 bytes"},
		{"an identity too long", "RFC 4279 §5.3", have(strings.Repeat("g", 1<<16), 1), have("", 1),
			nil, iana.Client, alert.InternalError, ""},
	} {
		for _, id := range []iana.CipherSuite{iana.TLS_PSK_WITH_AES_128_GCM_SHA256,
			iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256,
			iana.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, iana.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256} {
			t.Run(tt.what+"/"+id.String(), func(t *testing.T) {
				t.Parallel()
				client := rig.ClientConfig(
					rig.Until12,
					func(c *vitrine.Config) {
						c.GetPSK, c.CipherSuites = tt.client, []uint16{uint16(id)}
					},
				)
				server := rig.ServerConfig(t, rig.Until12, func(c *vitrine.Config) {
					c.GetPSK, c.PSKIdentityHint, c.CipherSuites = tt.server, tt.hint,
						client.CipherSuites
				})
				a, b := rig.Wires(t)
				ours, theirs := rig.Shake(vitrine.Client(a, client), vitrine.Server(b, server))
				if tt.by == iana.Server {
					ours, theirs = theirs, ours
				}
				if ours == nil || alert.Of(ours) != tt.want ||
					!strings.Contains(ours.Error(), tt.says) {
					t.Errorf("the %v: got %v, expected %v that says %q (%s)", tt.by, ours, tt.want,
						tt.says, tt.ref)
				}
				// whoever has other keys cannot read the alert either
				readable := tt.want != alert.BadRecordMAC
				if got, _ := rig.ReceivedAlert(theirs); readable && got != tt.want {
					t.Errorf("the other side got %v, expected their %v", theirs, tt.want)
				}
			})
		}
	}
}

// A hint is there, empty or absent, and arrives as it was. RFC 4279 §2 and §5.2.
func TestPreSharedKeyHintsArriveAsTheyWere(t *testing.T) {
	for _, hint := range [][]byte{nil, {}, []byte("gate"), bytes.Repeat([]byte{0xFF}, 128),
		make([]byte, 1<<16-1)} {
		for _, id := range []iana.CipherSuite{iana.TLS_PSK_WITH_AES_128_GCM_SHA256,
			iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256} {
			var heard [][]byte
			client := rig.ClientConfig(rig.Until12, func(c *vitrine.Config) {
				c.CipherSuites = []uint16{uint16(id)}
				c.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
					heard = append(heard, i.Hint)
					return &vitrine.PSK{Key: []byte{1}}, nil
				}
			})
			server := rig.ServerConfig(t, rig.Until12, func(c *vitrine.Config) {
				c.CipherSuites, c.PSKIdentityHint = client.CipherSuites, hint
				c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK,
					error) {
					return &vitrine.PSK{Key: []byte{1}}, nil
				}
			})
			rig.Pair(t, client, server)
			if len(heard) != 1 || !bytes.Equal(heard[0], hint) {
				t.Errorf("%v: a hint of %d bytes: got %d", id, len(hint), len(heard))
			}
		}
	}
}
