package costs_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// idlers returns how many connections TestTenThousandIdleConnectionsCostLittle holds: fewer with
// -short, in both of its processes.
func idlers() int {
	if testing.Short() {
		return 1000
	}
	return 10_000
}

// One half of the connections speaks TLS 1.2, the other TLS 1.3. The clients are another process,
// since each end of a connection is a file, and a process may have only so many.
func TestTenThousandIdleConnectionsCostLittle(t *testing.T) {
	if addr := os.Getenv("VITRINE_IDLE_CLIENTS"); addr != "" {
		idleClients(t, addr)
		return
	}
	if testkit.RaceEnabled {
		t.Skip("the race detector follows at most 8,128 goroutines")
	}
	if files := maxOpenFiles(); files < uint64(idlers()+200) {
		t.Skipf("a process may have %d open files here, and this takes %d: ulimit -n", files,
			idlers()+200)
	}
	_, server := rig.Configs(t)
	cert := server.Certificates[0]
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	var handshakes [2]atomic.Int64 // of TLS 1.2 and 1.3
	testkit.Serve(t, l, func(c net.Conn) {
		open.Add(1)
		defer open.Add(-1)
		conn := c.(*vitrine.Conn)
		if conn.Handshake() == nil {
			handshakes[conn.ConnectionState().Version-vitrine.VersionTLS12].Add(1)
		}
		io.Copy(conn, conn)
	})
	ctx := t.Context()
	if end, ok := t.Deadline(); ok { // no sooner: at a high load it takes some minutes
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-rig.Patience))
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, os.Args[0],
		"-test.run=^TestTenThousandIdleConnectionsCostLittle$", "-test.v",
		fmt.Sprint("-test.short=", testing.Short()))
	cmd.Env = append(os.Environ(), "VITRINE_IDLE_CLIENTS="+l.Addr().String(),
		"VITRINE_IDLE_ROOT="+hex.EncodeToString(cert.Certificate[len(cert.Certificate)-1]))
	stdin, err := cmd.StdinPipe() // closed, it lets the clients go on
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	held := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "all are open") {
			held = open.Load() == int64(idlers())
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			t.Logf("%d connections open after %v; the server holds %d bytes of heap and stack "+
				"for each", open.Load(), time.Since(start).Round(time.Millisecond),
				(m.HeapInuse+m.StackInuse)/uint64(idlers()))
			stdin.Close()
		}
		if strings.Contains(lines.Text(), "FAIL") || strings.Contains(lines.Text(), "_test.go") {
			t.Log(lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil || !held {
		t.Errorf("the clients ended with %v; all connections were open at once: %v", err, held)
	}
	for i := range handshakes {
		if got, want := handshakes[i].Load(), int64(idlers()/2); got != want {
			t.Errorf("%d handshakes of TLS 1.%d, expected %d", got, 2+i, want)
		}
	}
}

// idleClients opens the connections, holds them, and then sees that each still works.
func idleClients(t *testing.T, addr string) {
	der, err := hex.DecodeString(os.Getenv("VITRINE_IDLE_ROOT"))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	config := &vitrine.Config{RootCAs: x509.NewCertPool(), ServerName: "vitrine.test"}
	config.RootCAs.AddCert(leaf)
	tls12 := config.Clone()
	tls12.MaxVersion = vitrine.VersionTLS12
	conns := make([]*vitrine.Conn, idlers())
	each := func(do func(i int) error) {
		var wg sync.WaitGroup
		gate := make(chan struct{}, 200) // handshakes in flight
		for i := range conns {
			wg.Add(1)
			gate <- struct{}{}
			go func() {
				defer wg.Done()
				defer func() { <-gate }()
				if err := do(i); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			}()
		}
		wg.Wait()
	}
	each(func(i int) error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		conns[i] = vitrine.Client(conn, []*vitrine.Config{tls12, config}[i%2])
		return conns[i].Handshake()
	})
	if t.Failed() {
		return
	}
	fmt.Println("all are open")
	if _, err := io.ReadAll(os.Stdin); err != nil {
		t.Fatal(err)
	}
	each(func(i int) error {
		said := fmt.Sprint("connection ", i)
		if _, err := conns[i].Write([]byte(said)); err != nil {
			return err
		}
		got := make([]byte, len(said))
		if _, err := io.ReadFull(conns[i], got); err != nil || string(got) != said {
			return fmt.Errorf("got %q and %v", got, err)
		}
		return conns[i].Close()
	})
}
