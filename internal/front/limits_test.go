package front_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// ends reads until the connection ends, and fails if it does not end in time.
func ends(t *testing.T, c net.Conn, what string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, c); isTimeout(err) {
		t.Errorf("%s: the connection goes on", what)
	}
}

// mute is a service behind --forward that accepts, and neither reads nor writes.
func mute(t *testing.T) string {
	t.Helper()
	return testkit.ServeTCP(t, func(net.Conn) { <-t.Context().Done() })
}

// gushing is a service behind --forward that writes for ever.
func gushing(t *testing.T) string {
	t.Helper()
	return testkit.ServeTCP(t, func(c net.Conn) {
		var err error
		for block := make([]byte, 64<<10); err == nil; {
			_, err = c.Write(block)
		}
	})
}

// uses returns what serve can do with a connection, by the flag.
func uses(t *testing.T) map[string]func(context.Context, *vitrine.Conn) {
	t.Helper()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for block := make([]byte, 64<<10); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	use, stop := front.HTTP(page, time.Hour, nil, func(err error) { t.Error(err) })
	t.Cleanup(func() { stop(context.Background()) })
	quiet := func(error) {}
	return map[string]func(context.Context, *vitrine.Conn){
		"--echo": front.Echo, "--dir": use,
		"--forward to who says nothing": front.Forward(mute(t), time.Second, quiet),
	}
}

func TestAnIdleConnectionLosesItsSeat(t *testing.T) {
	rig.EachVersion(t, testAnIdleConnectionLosesItsSeat)
}

func testAnIdleConnectionLosesItsSeat(t *testing.T, version func(*vitrine.Config)) {
	for name, use := range uses(t) {
		h := open(t, &front.Server{Use: use, Limits: front.Limits{Idle: 200 * time.Millisecond}},
			time.Hour)
		h.edit(version)
		c := h.dial(t)
		began := time.Now()
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: got %v, expected close_notify", name, err)
		}
		if took := time.Since(began); took < 150*time.Millisecond {
			t.Errorf("%s: it ended after %v", name, took)
		}
		if err := h.stop(); err != nil { // waits for whoever is in: the grace is an hour
			t.Error(name, err)
		}
	}
}

// A connection over which something passes is kept: here one byte in each direction in turn.
func TestAConnectionThatIsUsedKeepsItsSeat(t *testing.T) {
	rig.EachVersion(t, testAConnectionThatIsUsedKeepsItsSeat)
}

func testAConnectionThatIsUsedKeepsItsSeat(t *testing.T, version func(*vitrine.Config)) {
	const idle = 500 * time.Millisecond
	h := open(t, &front.Server{Use: front.Echo, Limits: front.Limits{Idle: idle, Write: idle}},
		time.Second)
	h.edit(version)
	c := h.dial(t)
	for began := time.Now(); time.Since(began) < 3*idle; time.Sleep(idle / 10) {
		said(t, c, "x\n", "x\n")
	}
}

// A client that sends or asks and never reads is closed, whatever the server does for it.
func TestAClientThatNeverReadsIsCut(t *testing.T) {
	rig.EachVersion(t, testAClientThatNeverReadsIsCut)
}

func testAClientThatNeverReadsIsCut(t *testing.T, version func(*vitrine.Config)) {
	quiet := func(error) {}
	all := uses(t)
	all["--forward to who never ends"] = front.Forward(gushing(t), time.Second, quiet)
	for name, use := range all {
		limits := front.Limits{Idle: time.Second, Write: 200 * time.Millisecond}
		h := open(t, &front.Server{Use: use, Limits: limits}, time.Hour)
		h.edit(version)
		c := h.dial(t)
		c.SetDeadline(time.Now().Add(20 * time.Second))
		var err error
		io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		for block := []byte(strings.Repeat("x", 16<<10-1) + "\n"); err == nil; {
			// until its own buffers and the server's are full, and it is cut
			_, err = c.Write(block)
		}
		if isTimeout(err) {
			t.Errorf("%s: the connection goes on", name)
		}
		if err := h.stop(); err != nil {
			t.Error(name, err)
		}
	}
}

// dialFrom connects from a given address of the loopback network.
func (h *hall) dialFrom(t *testing.T, from string) (net.Conn, error) {
	t.Helper()
	local := &net.TCPAddr{IP: net.ParseIP(from)}
	c, err := (&net.Dialer{LocalAddr: local}).Dial("tcp", h.addr)
	if err != nil {
		t.Skipf("%s is no address of this machine: %v", from, err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	tls := vitrine.Client(c, h.client)
	return tls, tls.Handshake()
}

// An address may have any number of connections while there is room. When there is little, it may
// have its share, so that clients with other addresses are served.
func TestWhenSeatsAreShortAnAddressIsLimited(t *testing.T) {
	h := open(t, &front.Server{Use: front.Echo, Limits: front.Limits{MaxConns: 16, PerAddr: 4}},
		time.Second)
	var greedy []net.Conn
	for range 12 { // three quarters
		c, err := h.dialFrom(t, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		said(t, c, "in\n", "in\n")
		greedy = append(greedy, c)
	}
	if _, err := h.dialFrom(t, "127.0.0.1"); err == nil {
		t.Error("an address with three quarters of all seats got one more")
	}
	h.wait(t, 1, func(v front.Visit) bool { return errors.Is(v.Err, front.ErrShare) })
	for range 4 {
		c, err := h.dialFrom(t, "127.0.0.2")
		if err != nil {
			t.Fatalf("somebody else found no seat: %v", err)
		}
		said(t, c, "in\n", "in\n")
	}
	for _, c := range greedy[:8] { // seats are not short any more
		c.Close()
	}
	h.wait(t, 16, func(v front.Visit) bool { return v.Err == nil })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := h.dialFrom(t, "127.0.0.1"); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatalf("seats are free, and the address gets none: %v", err)
		}
	}
}

// If an address has its share, its oldest connection whose handshake is not done is closed for its
// newest.
func TestAnAddressMakesRoomForItself(t *testing.T) {
	h := open(t, &front.Server{Use: front.Echo, Limits: front.Limits{MaxConns: 8, PerAddr: 2}},
		time.Second)
	waiting := h.silent(t, 6, []byte{22})
	c := h.dial(t)
	said(t, c, "in\n", "in\n")
	h.wait(t, 1, func(v front.Visit) bool { return errors.Is(v.Err, front.ErrRoom) })
	ends(t, waiting[0], "the oldest")
}

// bugs collects the calls of Bug.
type bugs struct {
	mu   sync.Mutex
	told []string
}

func (b *bugs) tell(_ net.Addr, err error) { b.failed(err) }

func (b *bugs) failed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, err.Error())
}

func (b *bugs) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.told, "\n")
}

// springing is a Trace that panics at the first record of application data in one direction.
type springing trace.Direction

func (d springing) Put(e trace.Entry) {
	if r, ok := e.Event.(*trace.Record); ok && r.Direction == trace.Direction(d) &&
		r.ContentType == iana.RecordApplicationData {
		panic("deliberate")
	}
}

// noKeys is a source of ticket keys that panics.
type noKeys struct{}

func (noKeys) Keys(context.Context) ([]session.TicketKey, error) { panic("deliberate") }

// A panic on behalf of a connection ends that connection; it is reported in a few lines, and the
// seat is free.
func TestAPanicEndsOneConnectionAndNotTheServer(t *testing.T) {
	rig.EachVersion(t, testAPanicEndsOneConnectionAndNotTheServer)
}

func testAPanicEndsOneConnectionAndNotTheServer(t *testing.T, version func(*vitrine.Config)) {
	var b bugs
	page, stop := front.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("deliberate")
	}), time.Second, nil, b.failed)
	defer stop(t.Context())
	hook := func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) { panic("deliberate") }
	traced := func(d trace.Direction) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.Trace = springing(d) }
	}
	nothing := func(*vitrine.Config) {}
	for _, c := range []struct {
		name   string
		config func(*vitrine.Config)
		use    func(context.Context, *vitrine.Conn)
	}{
		{"a Config's callback", func(c *vitrine.Config) { c.GetConfigForClient = hook },
			front.Echo},
		{"the making of a Config", func(*vitrine.Config) { panic("deliberate") }, front.Echo},
		{"a source of ticket keys", func(c *vitrine.Config) { c.TicketKeys = noKeys{} },
			front.Echo},
		{"the use", nothing, func(context.Context, *vitrine.Conn) { panic("deliberate") }},
		{"a page", nothing, page},
		{"reading for --echo", traced(trace.Opened), front.Echo},
		{"writing for --echo", traced(trace.Sealed), front.Echo},
		{"reading for --forward", traced(trace.Opened),
			front.Forward(mute(t), time.Second, b.failed)},
		{"writing for --forward", traced(trace.Sealed),
			front.Forward(gushing(t), time.Second, b.failed)},
	} {
		h := open(t, &front.Server{Use: c.use, Bug: b.tell, Limits: front.Limits{MaxConns: 1}},
			time.Hour)
		h.edit(version)
		b.told = nil
		h.edit(func(v *vitrine.Config) { version(v); c.config(v) })
		for range 2 { // the first leaves the only seat to the second
			raw := h.silent(t, 1, nil)[0]
			config := h.client.Clone()
			config.ClientSessionCache = vitrine.NewLRUClientSessionCache(1) // it asks for a ticket
			io.WriteString(vitrine.Client(raw, config), "GET / HTTP/1.0\r\n\r\n")
			ends(t, raw, c.name)
			raw.Close()
		}
		if err := h.stop(); err != nil { // waits for whoever is in: the grace is an hour
			t.Errorf("%s: %v", c.name, err)
		}
		text := b.text()
		if strings.Count(text, "a bug: deliberate") != 2 ||
			!strings.Contains(text, "internal/front/") ||
			len(text) > 16<<10 {
			t.Errorf("%s: told were %d bytes:\n%s", c.name, len(text), text)
		}
	}
}

// Report may panic too, in the goroutine that accepts connections.
func TestAPanicOfTheReportEndsNothing(t *testing.T) {
	rig.EachVersion(t, testAPanicOfTheReportEndsNothing)
}

func testAPanicOfTheReportEndsNothing(t *testing.T, version func(*vitrine.Config)) {
	var b bugs
	s := &front.Server{Use: front.Echo, Bug: b.tell, Limits: front.Limits{MaxConns: 1}}
	h := open(t, s, time.Second)
	h.edit(version)
	h.mu.Lock()
	h.panics = true
	h.mu.Unlock()
	c := h.dial(t)
	said(t, c, "in\n", "in\n")
	ends(t, h.silent(t, 1, nil)[0], "the maximum number of connections")
	c.Close()
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	if strings.Count(b.text(), "a bug: deliberate") != 2 {
		t.Errorf("told were:\n%s", b.text())
	}
}
