package costs_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/flood"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/record"
)

// halfOpen is how many connections TestHalfOpenConnectionsCostLittle holds at a time. The variable
// VITRINE_HALF_OPEN_CONNS makes it more: docs/security.md has the figures of 10,000.
const halfOpen = 2000

// What a server may hold for a client besides twice the bytes that it has sent: until its first
// message is whole; for one whose handshake has begun; and for one that was answered, with the keys
// and the stack that this takes: on a socket, in the command's server, and where a read waits with
// a buffer and more stack.
const (
	mostSilent = 8 << 10
	mostBegun  = 18 << 10

	mostAnswered = 15 << 10
	mostFronted  = 18 << 10
	mostPiped    = 34 << 10

	buffered = 4 << 10 // more for one that has sent a part of the next record
)

// A client that connects and says nothing, or stops in its first message, costs little, whoever
// serves it. What is held is heap and stacks, with those of crypto/tls in the same run beside it.
func TestHalfOpenConnectionsCostLittle(t *testing.T) {
	n := halfOpen
	if s := os.Getenv("VITRINE_HALF_OPEN_CONNS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if addr := os.Getenv("VITRINE_HALF_OPEN"); addr != "" {
		stopHalfWay(t, addr, n)
		return
	}
	switch files := maxOpenFiles(); {
	case testkit.RaceEnabled:
		t.Skip("the race detector follows at most 8,128 goroutines, and holds memory of its own")
	case files < uint64(n+200):
		t.Skipf("a process may have %d open files here, and this takes %d: ulimit -n", files, n+200)
	}
	for _, s := range servers(rig.ServerConfig(t), 2*n) {
		if s.name == "front" {
			n = min(n, 2500) // more than that it sends away: see seats.go
		}
		for n, sent := range map[int][]int{n: {0, 1, 5, 100, 1000},
			n / 40: {10_000, 16_500, 33_000, 60_000}} {
			sent = testkit.Sample(t, "lengths", 3, sent)
			for sent, held := range holds(t, s.serve, n, sent...) {
				t.Logf("%-10s %5d bytes sent: %6d held for each of %d", s.name, sent, held, n)
				if most := mostSilent + 2*sent; s.name != "crypto/tls" && held > most {
					t.Errorf("%s: a client that sent %d bytes costs %d, expected at most %d",
						s.name, sent, held, most)
				}
			}
		}
	}
}

// A client that was answered, and then says nothing or sends a part of a record, costs little
// besides twice the bytes that it has sent: what the handshake knows, the keys, and a stack that
// has become small again.
func TestHalfOpenAnsweredConnectionsCostLittle(t *testing.T) {
	if testkit.RaceEnabled {
		t.Skip("the race detector holds memory of its own")
	}
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		const n = 200
		hello := hello(t, version)
		for _, s := range servers(rig.ServerConfig(t, version), 2*n) {
			answered(t, s.serve, hello, 0, 10) // what is made once
			for _, more := range testkit.Sample(t, "lengths", 4, []int{0, 1000, 5000, 16_000}) {
				held, sent := answered(t, s.serve, hello, more, n), len(hello)+more
				t.Logf("%-10s %5d bytes sent: %5d held for each of %d", s.name, sent, held, n)
				most := map[string]int{"vitrine": mostAnswered, "front": mostFronted}[s.name]
				if more > 0 {
					most += buffered
				}
				if most += 2 * sent; s.name != "crypto/tls" && held > most {
					t.Errorf("%s: a client that was answered and has sent %d bytes costs %d, "+
						"expected at most %d", s.name, sent, held, most)
				}
			}
		}
	})
}

// answered returns how many bytes a server holds for each of n clients that it has answered, and
// that have then sent so many bytes of a record.
func answered(t *testing.T, serve func(context.Context, net.Listener), hello []byte,
	more, n int) int {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &keeping{Listener: inner}
	clients := make([]net.Conn, n)
	for i := range clients {
		if clients[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer clients[i].Close()
		clients[i].SetDeadline(rig.Deadline())
		records := inRecords(iana.RecordHandshake, hello, record.MaxPlaintext)
		if _, err := clients[i].Write(records); err != nil {
			t.Fatal(err)
		}
	}
	before := flood.Held()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); serve(ctx, l) }()
	defer func() { cancel(); <-done }()
	var kind [1]byte
	for _, c := range clients {
		if _, err := c.Read(kind[:]); err != nil || kind[0] != byte(iana.RecordHandshake) {
			t.Fatalf("got a record of %v and %v, expected an answer", kind, err)
		}
		next := inRecords(iana.RecordHandshake, make([]byte, record.MaxPlaintext), 1<<14)
		next[2] = byte(iana.TLS12 & 0xff)
		if _, err := c.Write(next[:more]); err != nil {
			t.Fatal(err)
		}
	}
	for !l.allRead(n) {
		time.Sleep(10 * time.Millisecond)
	}
	return (flood.Held() - before) / n
}

// A server serves all connections of a listener.
type server struct {
	name  string
	serve func(context.Context, net.Listener)
}

// servers returns the library and the server of the command for so many connections, and without
// -short crypto/tls before them.
func servers(config *vitrine.Config, conns int) []server {
	theirs := &tls.Config{Certificates: config.Certificates, MinVersion: config.MinVersion,
		MaxVersion: config.MaxVersion}
	all := []server{
		{"crypto/tls", each(func(c net.Conn) { tls.Server(c, theirs).Handshake() })},
		{"vitrine", each(func(c net.Conn) { vitrine.Server(c, config).Handshake() })},
		{"front", func(ctx context.Context, l net.Listener) {
			s := &front.Server{
				Config: func(net.Conn) *vitrine.Config { return config },
				Use:    front.Echo, Report: func(front.Visit) {},
				Limits: front.Limits{MaxConns: conns, Handshake: time.Hour, Idle: time.Hour,
					Write: time.Hour},
			}
			s.Serve(ctx, l, 0)
		}},
	}
	if testing.Short() {
		return all[1:] // crypto/tls is for comparison
	}
	return all
}

// each returns a server that handles every connection in a goroutine of its own.
func each(handle func(net.Conn)) func(context.Context, net.Listener) {
	return func(ctx context.Context, l net.Listener) {
		stop := context.AfterFunc(ctx, func() { l.Close() })
		defer stop()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}
}

// keeping keeps all connections of a listener.
type keeping struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *keeping) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.conns = append(l.conns, c)
	}
	return c, err
}

// allRead reports whether so many connections have come, and all that came on them was read.
func (l *keeping) allRead(conns int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns) == conns && !slices.ContainsFunc(l.conns, unread)
}

// holds yields how many bytes of heap and stack a server holds for each of conns clients, once all
// of them have sent so many bytes of a ClientHello. They are another process, since each end of a
// connection is a file, and a process may have only so many.
func holds(t *testing.T, serve func(context.Context, net.Listener),
	conns int, sent ...int) iter.Seq2[int, int] {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &keeping{Listener: inner}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHalfOpenConnectionsCostLittle$")
	cmd.Env = append(os.Environ(), "VITRINE_HALF_OPEN="+inner.Addr().String(),
		fmt.Sprint("VITRINE_HALF_OPEN_CONNS=", conns))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // takes how much to send; closed, it ends the clients
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe() // answers when that is sent
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(int, int) bool) {
		before := flood.Held()
		done := make(chan struct{})
		go func() { defer close(done); serve(ctx, l) }()
		defer func() { cancel(); <-done }()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		answers := bufio.NewReader(stdout)
		for _, n := range sent {
			fmt.Fprintln(stdin, n)
			if _, err := answers.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			for !l.allRead(conns) {
				if ctx.Err() != nil {
					t.Fatalf("of %d connections %d have come in time", conns, len(l.conns))
				}
				time.Sleep(10 * time.Millisecond)
			}
			if !yield(n, (flood.Held()-before)/conns) {
				break
			}
		}
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// stopHalfWay opens connections, sends as much of a ClientHello on each as standard input says, and
// holds them until that ends.
func stopHalfWay(t *testing.T, addr string, n int) {
	hello := append([]byte{byte(iana.ClientHello), 0, 0xf0, 0, 3, 3}, make([]byte, 0xf000-2)...)
	records := inRecords(iana.RecordHandshake, hello, record.MaxPlaintext)
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	said := 0
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range conns {
			if _, err := c.Write(records[said:n]); err != nil {
				t.Fatal(err)
			}
		}
		said = n
		fmt.Println("sent", n)
	}
}
