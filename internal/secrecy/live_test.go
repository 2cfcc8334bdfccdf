package secrecy_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Offer and Protection are interfaces, whose types are not exported.
func TestNoOfferPrintsItsPrivateKey(t *testing.T) {
	n := 0
	for id := range iana.Group(1 << 14) {
		g, ok := kex.Named(id)
		if !ok {
			continue
		}
		n++
		offer, err := g.Offer(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if found := leaks(offer, offer.Private()); found != nil {
			t.Errorf("%v: %T prints its key in %d ways: %s", id, offer, len(found), found[0])
		}
	}
	if n < 8 {
		t.Errorf("there are %d groups", n)
	}
}

func TestNoRawPrivateKeyPrintsItself(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat(pattern, 2))
	for _, v := range []any{pki.RawPrivateKey{Signer: key}, vitrine.RawPublicKey(key).PrivateKey} {
		if found := leaks(v, pattern); found != nil {
			t.Errorf("%T prints its key in %d ways: %s", v, len(found), found[0])
		}
	}
}

func TestNoProtectionPrintsItsKeys(t *testing.T) {
	shown := map[string]bool{}
	long := bytes.Repeat(pattern, 8)
	for _, s := range suite.All() {
		for _, of := range []struct {
			version iana.Version
			etm     bool
			make    func(*record.Cipher, *record.MAC, record.Params) (record.Protection, error)
		}{
			{iana.TLS12, false, record.New}, {iana.TLS12, true, record.New},
			{iana.TLS13, false, record.New}, {iana.TLS10, false, record.New},
			{iana.TLS12, false, record.NewReader}, {iana.SSL30, false, record.NewReader},
		} {
			shape := s.Shape(of.version)
			keys := record.Keys{MAC: long[:shape.MAC], Key: long[:shape.Key], IV: long[:shape.IV]}
			p, err := of.make(s.Cipher, s.MAC,
				record.Params{Version: of.version, EncryptThenMAC: of.etm, Keys: keys})
			if err != nil {
				continue // this cipher is not of this version
			}
			if kind := fmt.Sprintf("%T of %v with %v", p, s.Cipher, of.version); shown[kind] {
				continue
			} else {
				shown[kind] = true
			}
			half := record.Half{}
			half.Protect(p)
			for _, v := range []any{p, half, &half} {
				if found := leaks(v, pattern); found != nil {
					t.Errorf("%v: %T prints its keys in %d ways: %s", s, v, len(found), found[0])
				}
			}
		}
	}
}

// cache hands out what it is given.
type cache struct{ state *vitrine.ClientSessionState }

func (c *cache) Get(string) (*vitrine.ClientSessionState, bool)  { return c.state, c.state != nil }
func (c *cache) Put(_ string, state *vitrine.ClientSessionState) { c.state = state }

// connection is two ends after a handshake and some data, and all that they are made of.
type connection struct {
	client, server *vitrine.Conn
	configs        [2]*vitrine.Config
	events         *trace.Memory
	cache          *cache
	tickets        *session.RotatingKeys
}

func connect(t *testing.T, id iana.CipherSuite) *connection {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	kind := throwaway.RSA
	if s := suite.ByID(id); s == nil || s.ServerKey() == iana.AuthECDSA {
		kind = throwaway.Ed25519
	}
	cert, err := ca.Issue(kind, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	c := &connection{events: &trace.Memory{}, cache: &cache{}}
	c.tickets = session.NewRotatingKeys(rand.Reader, time.Now)
	suites := []uint16{uint16(id)}
	c.configs = [2]*vitrine.Config{
		{RootCAs: ca.Pool(), ServerName: "localhost", CipherSuites: suites,
			ClientSessionCache: c.cache, Trace: c.events},
		{Certificates: []tls.Certificate{cert}, CipherSuites: suites, TicketKeys: c.tickets},
	}
	if id>>8 == 0x13 {
		for _, config := range c.configs {
			config.CipherSuites, config.MaxVersion = nil, tls.VersionTLS13
		}
	}
	near, far := net.Pipe()
	c.client, c.server = vitrine.Client(near, c.configs[0]), vitrine.Server(far, c.configs[1])
	t.Cleanup(func() { near.Close(); far.Close() })
	go io.WriteString(c.server, "what nobody else may read")
	if _, err := io.ReadFull(c.client, make([]byte, 25)); err != nil {
		t.Fatal(err)
	}
	return c
}

// secrets are those of the events that have more bytes than chance repeats.
func (c *connection) secrets() (list [][]byte) {
	add := func(s trace.Secret) {
		if len(s) >= 12 {
			list = append(list, s)
		}
	}
	for _, e := range c.events.Entries {
		switch e := e.Event.(type) {
		case *trace.Ephemeral:
			add(e.Private)
		case *trace.SharedSecret:
			add(e.Output)
		case *trace.Derived:
			if !strings.Contains(e.Name, "verify_data") { // which is sent
				add(e.Secret)
				add(e.Output)
			}
		case *trace.KeysInstalled:
			add(e.MACKey)
			add(e.Key)
			add(e.IV)
		case *trace.Record:
			if e.ContentType == iana.RecordApplicationData {
				add(e.Plaintext)
			}
		}
	}
	return list
}

func bounded(entries []trace.Entry) *trace.Bounded {
	b := trace.NewBounded(1 << 20)
	for _, e := range entries {
		b.Put(e)
	}
	return b
}

func hub(entries []trace.Entry) *live.Hub {
	h := live.New(live.Options{})
	c := h.Open(live.Row{})
	for _, e := range entries {
		c.Put(e)
	}
	return h
}

// written is the events as JSON lines, as every program writes them that was not told to reveal.
func written(entries []trace.Entry) string {
	var b strings.Builder
	w := trace.NewWriter(&b)
	for _, e := range entries {
		w.Put(e)
	}
	return b.String()
}

// stuck is a sink that takes no event before it is let go.
type stuck chan struct{}

func (s stuck) Put(trace.Entry) { <-s }

// queued returns a Queue in which events wait.
func queued(t *testing.T, entries []trace.Entry) *trace.Queue {
	s := make(stuck)
	t.Cleanup(func() { close(s) })
	q := trace.NewQueue(s, 2<<20)
	for _, e := range entries {
		q.Put(e)
	}
	return q
}

func TestNothingOfALiveConnectionPrintsItsSecrets(t *testing.T) {
	for _, id := range testkit.Sample(t, "suites", 9,
		[]iana.CipherSuite{0xC02B, 0xC027, 0xCCA9, 0x003D, 0x1301}) {
		c := connect(t, id)
		secrets, shown := c.secrets(), map[string]bool{}
		if len(secrets) < 6 {
			t.Fatalf("%v: the trace has %d secrets", id, len(secrets))
		}
		keys, err := c.tickets.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, keys[0].Secret[:])
		if key, ok := c.configs[1].Certificates[0].PrivateKey.(interface{ Seed() []byte }); ok {
			secrets = append(secrets, key.Seed())
		}
		_, state, err := c.cache.state.ResumptionState()
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]any{
			"the client": c.client, "the server": c.server,
			"the client's Config": c.configs[0], "the server's Config": c.configs[1],
			"the events": c.events, "the entries": c.events.Entries,
			"a Hub":              hub(c.events.Entries),
			"the events as JSON": written(c.events.Entries),
			"bounded events":     bounded(c.events.Entries), "a queue": queued(t, c.events.Entries),
			"a Dialer":           &vitrine.Dialer{Config: c.configs[1]},
			"the cached session": c.cache.state, "a session's state": state,
			"the ticket keys": c.tickets, "a ticket key": keys[0],
			"fixed ticket keys":           session.FixedKeys(keys),
			"the state of the connection": c.client.ConnectionState(),
		} {
			if found := leaks(v, secrets...); found != nil {
				t.Errorf("%v: %s prints a secret in %d ways: %s", id, name, len(found), found[0])
			}
		}
		for i, e := range c.events.Entries {
			if kind := fmt.Sprintf("%T", e.Event); shown[kind] {
				continue
			} else {
				shown[kind] = true
			}
			if found := leaks(e, secrets...); found != nil {
				t.Errorf("%v: event %d prints a secret in %d ways: %s", id, i, len(found), found[0])
			}
		}
	}
}
