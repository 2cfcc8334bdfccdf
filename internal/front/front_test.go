package front_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// hall is a server under test, and its clients' Config.
type hall struct {
	addr   string
	client *vitrine.Config
	stop   func() error // ends it, and gives Serve's error

	mu     sync.Mutex
	visits []front.Visit
	change func(*vitrine.Config) // of each connection's Config
	panics bool                  // when there is something to report
}

// edit changes the Config of each connection from now on.
func (h *hall) edit(change func(*vitrine.Config)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.change = change
}

func (h *hall) seen(is func(front.Visit) bool) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.visits {
		if is(v) {
			n++
		}
	}
	return n
}

// wait waits until n visits are so.
func (h *hall) wait(t *testing.T, n int, is func(front.Visit) bool) {
	t.Helper()
	for range 1000 {
		if h.seen(is) >= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d visits are so, expected %d", h.seen(is), n)
}

func open(t *testing.T, s *front.Server, grace time.Duration) *hall {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{addr: l.Addr().String(),
		client: &vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost"}}
	config := &vitrine.Config{Certificates: []tls.Certificate{cert}, NextProtos: front.Protocols()}
	s.Config = func(net.Conn) *vitrine.Config {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.change == nil {
			return config
		}
		edited := config.Clone()
		h.change(edited)
		return edited
	}
	s.Report = func(v front.Visit) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.panics {
			panic("deliberate")
		}
		h.visits = append(h.visits, v)
	}
	if s.Limits.MaxConns == 0 {
		s.Limits.MaxConns = 4096
	}
	if s.Limits.Handshake == 0 {
		s.Limits.Handshake = 20 * time.Second
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, grace) }()
	h.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *hall) dial(t *testing.T) *vitrine.Conn {
	t.Helper()
	c, err := vitrine.Dial("tcp", h.addr, h.client)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c
}

// silent opens connections that say what is given and nothing more.
func (h *hall) silent(t *testing.T, n int, say []byte) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Write(say)
		conns = append(conns, c)
		t.Cleanup(func() { c.Close() })
	}
	return conns
}

func said(t *testing.T, c net.Conn, say, want string) {
	t.Helper()
	if _, err := io.WriteString(c, say); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q and %v, expected %q", got, err, want)
	}
}

// A thousand connections that stop in the handshake cost little, and other clients are served as
// usual.
func TestAThousandHalfOpenConnectionsCostLittle(t *testing.T) {
	h := open(t, &front.Server{Use: front.Echo}, time.Second)
	before := memory()
	h.silent(t, 500, nil)
	h.silent(t, 500, []byte{22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3}) // a ClientHello that never ends
	began := time.Now()
	for range 20 {
		c := h.dial(t)
		said(t, c, "still here\n", "still here\n")
		c.Close()
	}
	took := time.Since(began)
	cost := int(memory()) - int(before)
	t.Logf("1000 half-open connections hold %d KiB each; 20 others took %v", cost>>10/1000, took)
	if cost > 64<<20 {
		t.Errorf("they hold %d MiB, expected at most 64", cost>>20)
	}
	if took > 5*time.Second {
		t.Errorf("others waited: %v", took)
	}
}

// memory returns the size of the heap and the stacks.
func memory() uint64 {
	var m runtime.MemStats
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// Connections that send much before their handshake is done are bounded together: the oldest are
// closed.
func TestAFloodOfHelloBytesIsBounded(t *testing.T) {
	h := open(t, &front.Server{Use: front.Echo}, time.Second)
	part := make([]byte, 5+4+16000) // a ClientHello of 128 KiB, in records
	copy(part, []byte{22, 3, 1, byte((len(part) - 5) >> 8), byte((len(part) - 5) & 255), 1, 1, 0xF0,
		0})
	more := make([]byte, 5+16000)
	copy(more, []byte{22, 3, 1, 16000 >> 8, 16000 & 255})
	for range 6 {
		part = append(part, more...)
	}
	before := memory()
	conns := h.silent(t, 700, part) // 700 times 112 KiB
	h.wait(t, 1, func(v front.Visit) bool { return errors.Is(v.Err, front.ErrRoom) })
	said(t, h.dial(t), "still here\n", "still here\n")
	n := h.seen(func(v front.Visit) bool { return errors.Is(v.Err, front.ErrRoom) })
	if n < 50 || n >= len(conns) {
		t.Errorf("%d of %d were sent away", n, len(conns))
	}
	cost := int(memory()) - int(before)
	t.Logf("the %d that are left hold %d MiB", len(conns)-n, cost>>20)
	if cost > 60<<20 {
		t.Errorf("they hold %d MiB, expected at most 60", cost>>20)
	}
}

// When all seats are taken, the connection whose handshake has taken the longest is closed, and
// never one whose handshake is done.
func TestTheOldestThatWaitsMakesRoom(t *testing.T) {
	rig.EachVersion(t, testTheOldestThatWaitsMakesRoom)
}

func testTheOldestThatWaitsMakesRoom(t *testing.T, version func(*vitrine.Config)) {
	h := open(t, &front.Server{Use: front.Echo, Limits: front.Limits{MaxConns: 3}}, time.Second)
	h.edit(version)
	seated := h.dial(t)
	said(t, seated, "s\n", "s\n") // the server's handshake, too, is done
	waiting := h.silent(t, 2, nil)
	time.Sleep(50 * time.Millisecond)
	late := h.dial(t)
	h.wait(t, 1, func(v front.Visit) bool { return errors.Is(v.Err, front.ErrRoom) })
	waiting[0].SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := waiting[0].Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("the first to wait is still there: %v", err)
	}
	said(t, seated, "a\n", "a\n")
	said(t, late, "b\n", "b\n")
	third := h.dial(t) // the second that waits goes
	said(t, third, "t\n", "t\n")
	full, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	full.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := full.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("there was no place left: %v", err)
	}
	h.wait(t, 1, func(v front.Visit) bool { return errors.Is(v.Err, front.ErrFull) })
	for _, c := range []net.Conn{seated, late, third} {
		said(t, c, "c\n", "c\n")
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func TestAStallingClientIsSentAwayInTime(t *testing.T) {
	h := open(t,
		&front.Server{Use: front.Echo, Limits: front.Limits{Handshake: 200 * time.Millisecond}},
		time.Second)
	h.silent(t, 3, []byte{22, 3})
	h.wait(t, 3, func(v front.Visit) bool { return v.Err != nil && v.Took < 5*time.Second })
}

// A client that speaks HTTP without TLS gets an answer in words and an orderly end, however its
// first bytes are split.
func TestPlainHTTPGetsAnAnswerInWords(t *testing.T) {
	h := open(t, &front.Server{Use: front.Echo}, time.Second)
	for _, parts := range [][]string{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, {"G", "E", "T / HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"OPTIONS", " * HTTP/1.1\r\n\r\n"},
		{"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000)},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	} {
		c := h.silent(t, 1, nil)[0]
		for _, p := range parts {
			io.WriteString(c, p)
			time.Sleep(5 * time.Millisecond)
		}
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		got, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 400 ") ||
			!strings.Contains(string(got), "https://") {
			t.Errorf("%.20q: got %q and %v", parts, got, err)
		}
		c.Close()
	}
	h.wait(t, 5, func(v front.Visit) bool { return v.Plain })
	for _, garbage := range []string{"HELLO?", "SSH-2.0-x\r\n",
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", "ABCDEFGHIJKL"} {
		c := h.silent(t, 1, []byte(garbage))[0]
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		c.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(c)
		if err != nil || len(got) != 0 && got[0] != 21 {
			t.Errorf("%q: got %q and %v, expected an alert", garbage, got, err)
		}
	}
}

// Two hundred handshakes at a time all succeed.
func TestTwoHundredHandshakesInFlightSucceed(t *testing.T) {
	rig.EachVersion(t, testTwoHundredHandshakesInFlightSucceed)
}

func testTwoHundredHandshakesInFlightSucceed(t *testing.T, version func(*vitrine.Config)) {
	h := open(t, &front.Server{Use: front.Echo}, time.Second)
	h.edit(version)
	var all sync.WaitGroup
	failed := make(chan error, 200)
	for range 200 {
		all.Go(func() {
			c, err := vitrine.Dial("tcp", h.addr, h.client)
			if err != nil {
				failed <- err
				return
			}
			defer c.Close()
			got := make([]byte, 6)
			io.WriteString(c, "hello\n")
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello\n" {
				failed <- err
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if n := h.seen(func(v front.Visit) bool { return v.Err == nil }); n != 200 {
		t.Errorf("%d handshakes, expected 200", n)
	}
}

// The server ends gracefully: it accepts no new connections, open ones may finish, and those that
// do not are cut after the grace period.
func TestServeEndsGracefully(t *testing.T) { rig.EachVersion(t, testServeEndsGracefully) }

func testServeEndsGracefully(t *testing.T, version func(*vitrine.Config)) {
	h := open(t, &front.Server{Use: front.Echo}, 500*time.Millisecond)
	h.edit(version)
	c, stays := h.dial(t), h.dial(t)
	// both are past their handshake on the server's side, too
	for _, served := range []net.Conn{c, stays} {
		said(t, served, "here\n", "here\n")
	}
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- h.stop() }()
	time.Sleep(100 * time.Millisecond)
	said(t, c, "not yet\n", "not yet\n")
	if another, err := net.Dial("tcp", h.addr); err == nil {
		another.Close()
		t.Error("somebody new was let in")
	}
	c.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %v, expected the half second that the other one stayed", took)
	}
	stays.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := stays.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("it is still served: %v", err)
	}
}
