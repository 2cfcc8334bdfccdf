package live_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// watched gives the connections of a Config to a Hub.
type watched struct {
	hub *live.Hub

	mu    sync.Mutex
	conns []*live.Conn
}

func (w *watched) sink(c net.Conn) trace.Sink {
	w.mu.Lock()
	defer w.mu.Unlock()
	conn := w.hub.Open(live.Row{Client: c.RemoteAddr().String(), Start: time.Now()})
	w.conns = append(w.conns, conn)
	return conn
}

// row ends the last connection and returns its row.
func (w *watched) row(t *testing.T) live.Row {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.conns[len(w.conns)-1]
	c.End(false, nil)
	r, entries, ok := w.hub.Find(c.ID())
	if !ok || len(entries) < 3 {
		t.Fatalf("the hub has %d events: %v", len(entries), ok)
	}
	return r
}

// A row says what both sides negotiated, as the server's ConnectionState does.
func TestARowTellsWhatWasNegotiated(t *testing.T) {
	rig.EachVersion(t, testARowTellsWhatWasNegotiated)
}

func testARowTellsWhatWasNegotiated(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Configs(t)
	w := &watched{hub: live.New(live.Options{})}
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert := rig.IssueForClient(t, ca, throwaway.ECDSA, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "<script>alert(1)</script>"}
	})
	version(client)
	version(server)
	client.Certificates, client.ClientSessionCache = []tls.Certificate{cert}, &rig.OneSession{}
	client.NextProtos, server.NextProtos = []string{"vitrine/1"}, []string{"vitrine/1"}
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	server.TraceFor = w.sink
	for _, resumed := range []bool{false, true} {
		_, s, err := rig.Connect(t, client, server)
		if err != nil {
			t.Fatal(err)
		}
		r := w.row(t)
		want := live.Row{Version: iana.Version(s.Version).String(),
			Suite: iana.CipherSuite(s.CipherSuite).String(), Group: s.GroupName, ALPN: "vitrine/1",
			Name: "vitrine.test", Resumed: resumed, State: live.Closed, Reason: "close_notify"}
		got := live.Row{Version: r.Version, Suite: r.Suite, Group: r.Group, ALPN: r.ALPN,
			Name: r.Name, Resumed: r.Resumed, State: r.State, Reason: r.Reason}
		if resumed && s.Version < vitrine.VersionTLS13 {
			want.Group = "" // no keys were exchanged
		}
		if got != want || s.DidResume != resumed {
			t.Errorf("resumed %v:\ngot  %+v\nwant %+v", resumed, got, want)
		}
		if !resumed && (!strings.Contains(r.ClientCertificate, "script") || !r.Verified) {
			t.Errorf("the client is %q, verified %v", r.ClientCertificate, r.Verified)
		}
		if r.Received.Data != 5 || r.Sent.Data != 5 || r.Received.Wire < 100 || r.Sent.Wire < 100 {
			t.Errorf("%+v received, %+v sent", r.Received, r.Sent)
		}
	}
}

// A row says how a connection ended: its code is the same in every run.
func TestARowTellsHowAConnectionEnded(t *testing.T) {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		client func(*vitrine.Config)
		server func(*vitrine.Config)
		state  live.State
		reason string
	}{
		"the client does not trust us": {
			client: func(c *vitrine.Config) { c.RootCAs = stranger.Pool() },
			state:  live.Failed, reason: "alert_from_client_unknown_ca"},
		"no version in common": {
			client: rig.Until12,
			server: rig.Only13,
			state:  live.Failed, reason: "alert_from_server_protocol_version"},
		"a certificate is missing": {
			client: rig.Until12,
			server: func(c *vitrine.Config) { c.ClientAuth = tls.RequireAnyClientCert },
			state:  live.Failed, reason: "alert_from_server_handshake_failure"},
	} {
		client, server := rig.Configs(t)
		if c.client != nil {
			c.client(client)
		}
		if c.server != nil {
			c.server(server)
		}
		w := &watched{hub: live.New(live.Options{})}
		server.TraceFor = w.sink
		near, far := rig.Wires(t)
		a, b := vitrine.Client(near, client), vitrine.Server(far, server)
		if _, err := rig.Shake(a, b); err == nil {
			t.Errorf("%s: the handshake succeeded", name)
		}
		if r := w.row(t); r.State != c.state || r.Reason != c.reason || r.Name != "vitrine.test" {
			t.Errorf("%s: %s, %s (%s), %q", name, r.State, r.Reason, r.Why, r.Name)
		}
		if n := w.hub.Stats(); n.Failed != 1 || n.Open != 0 || n.Connections != 1 {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// A connection that ends without close_notify is no failure, and its row says it.
func TestARowTellsThatNobodySaidGoodbye(t *testing.T) {
	w := &watched{hub: live.New(live.Options{})}
	_, s := rig.Pair(t, rig.ClientConfig(), rig.ServerConfig(t, func(c *vitrine.Config) {
		c.TraceFor = w.sink
	}))
	s.NetConn().Close()
	if r := w.row(t); r.State != live.Closed || r.Reason != "truncated" {
		t.Errorf("%s, %s", r.State, r.Reason)
	}
}

func event(n int, data bool) trace.Entry {
	if data {
		return trace.Entry{Event: &trace.Record{ContentType: iana.RecordApplicationData,
			Plaintext: make([]byte, n), Fragment: make([]byte, n)}}
	}
	return trace.Entry{Event: &trace.Message{Raw: make([]byte, n)}}
}

// Whatever comes, the events take no more than their bound, and the list no more than its places.
func TestTheMemoryOfAHubIsBounded(t *testing.T) {
	const rows, events, each = 50, 1 << 20, 64 << 10
	h := live.New(live.Options{Rows: rows, Events: events, PerConnection: each})
	var open []*live.Conn
	long := strings.Repeat("x", 1<<20)
	for n := range 5000 {
		switch {
		case rand.IntN(3) == 0 || len(open) == 0:
			open = append(open, h.Open(live.Row{Client: fmt.Sprint(n),
				Cause: long}))
		case rand.IntN(6) == 0:
			i := rand.IntN(len(open))
			open[i].End(false, nil)
			open = append(open[:i], open[i+1:]...)
		default:
			open[rand.IntN(len(open))].Put(event(rand.IntN(20<<10), rand.IntN(2) == 0))
		}
		if held := h.Stats().Bytes; held > events {
			t.Fatalf("after %d steps events take %d bytes, expected at most %d", n, held, events)
		}
	}
	for _, c := range open {
		for range 100 {
			c.Put(event(4<<10, false))
		}
	}
	all := h.Changes(0, 1<<20)
	s := h.Stats()
	if len(all.Rows) > rows || s.Bytes > events || s.Unlisted != s.Connections-len(all.Rows) {
		t.Errorf("%d rows, %+v", len(all.Rows), s)
	}
	for _, r := range all.Rows {
		if len(r.Cause) > 600 {
			t.Fatalf("a row holds a text of %d bytes", len(r.Cause))
		}
	}
	if !s.Dropped.Any() {
		t.Error("nothing was said to be dropped")
	}
}

// The events of connections that have ended go before those of open ones.
func TestEndedConnectionsMakeRoom(t *testing.T) {
	h := live.New(live.Options{Events: 64 << 10})
	first, second, third := h.Open(live.Row{}), h.Open(live.Row{}), h.Open(live.Row{})
	for _, c := range []*live.Conn{first, second} {
		c.Put(event(20<<10, false))
	}
	first.End(false, nil)
	third.Put(event(20<<10, false))
	third.Put(event(20<<10, false))
	for c, want := range map[*live.Conn]int{first: 0, second: 1, third: 2} {
		r, entries, _ := h.Find(c.ID())
		if len(entries) != want || r.Forgotten != (want == 0) {
			t.Errorf("%d events are left, forgotten: %v; expected %d", len(entries), r.Forgotten,
				want)
		}
	}
}

// A reader that comes as rarely as it likes sees the last state of every row that is left, and
// learns which are gone.
func TestAReaderGetsEveryLastState(t *testing.T) {
	h := live.New(live.Options{Rows: 30})
	var open []*live.Conn
	seen := map[string]live.Row{}
	var last uint64
	read := func(most int) (more bool) {
		c := h.Changes(last, most)
		if c.Whole {
			clear(seen)
		}
		for _, r := range c.Rows {
			seen[r.ID] = r
		}
		for _, id := range c.Gone {
			delete(seen, id)
		}
		if len(c.Rows) > most {
			t.Fatalf("%d rows at once", len(c.Rows))
		}
		last = c.Last
		return c.More
	}
	for range 10_000 {
		switch n := rand.IntN(100); {
		case n < 10:
			open = append(open, h.Open(live.Row{}))
		case n < 20 && len(open) > 0:
			open[0].End(n%2 == 0, nil)
			open = open[1:]
		case n < 25:
			read(1 + rand.IntN(8))
		case len(open) > 0:
			open[rand.IntN(len(open))].Set(func(r *live.Row) { r.Suite = fmt.Sprint(n) })
		}
	}
	for read(5) {
	}
	want := map[string]live.Row{}
	for _, r := range h.Changes(0, 1000).Rows {
		want[r.ID] = r
	}
	if !reflect.DeepEqual(seen, want) || len(want) != 30 {
		t.Errorf("a reader has %d rows, the hub %d, or their states differ", len(seen), len(want))
	}
	if c := h.Changes(last+1, 10); !c.Whole {
		t.Error("a reader of another run does not get the list again")
	}
}

func TestAReaderIsWoken(t *testing.T) {
	h := live.New(live.Options{})
	c := h.Open(live.Row{})
	last := h.Changes(0, 10).Last
	woken := make(chan error, 1)
	go func() { woken <- h.Wait(t.Context(), last) }()
	select {
	case <-woken:
		t.Fatal("it did not wait")
	case <-time.After(10 * time.Millisecond):
	}
	c.Set(func(r *live.Row) { r.Suite = "changed" })
	if err := <-woken; err != nil || len(h.Changes(last, 10).Rows) != 1 {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Wait(ctx, h.Changes(0, 10).Last); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

// Many connections at once, whose rows somebody reads meanwhile: for the race detector.
func TestConnectionsAtOnceAreFollowedWithoutARace(t *testing.T) {
	w := &watched{hub: live.New(live.Options{Rows: 20})}
	server := rig.ServerConfig(t, func(c *vitrine.Config) { c.TraceFor = w.sink })
	var all sync.WaitGroup
	for range 16 {
		near, far := rig.Wires(t)
		all.Go(func() {
			c, s := vitrine.Client(near, rig.ClientConfig()), vitrine.Server(far, server)
			if _, err := rig.Shake(c, s); err != nil {
				t.Error(err)
			}
			s.Close()
			io.Copy(io.Discard, c)
		})
		w.hub.Changes(0, 5)
	}
	all.Wait()
	for _, c := range w.conns {
		c.End(false, nil)
	}
	for _, r := range w.hub.Changes(0, 100).Rows {
		if r.Version == "" || r.State != live.Closed {
			t.Errorf("a row is %+v", r)
		}
	}
}
