package costs_test

import (
	"crypto/tls"
	"io"
	"runtime"
	"runtime/debug"
	"sort"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// An HTTP/2 client and server write in a goroutine for each request. Such a goroutine has 2 or 4
// KiB of stack, and what does not fit costs an allocation and a copy: so a write takes no more
// stack than crypto/tls's.
func TestAWriteTakesNoMoreStackThanCryptoTLS(t *testing.T) {
	if testkit.RaceEnabled {
		t.Skip("the race detector needs stack too")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which shrinks stacks
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		client, server := rig.ClientConfig(version), rig.ServerConfig(t, version)
		a, b := rig.Wires(t)
		ours := stackOfWrite(t, vitrine.Client(a, client), vitrine.Server(b, server))
		a, b = rig.Wires(t)
		theirs := stackOfWrite(t, tls.Client(a, &tls.Config{RootCAs: client.RootCAs,
			ServerName: rig.ServerName, MaxVersion: max(client.MaxVersion, client.MinVersion)}),
			tls.Server(b, &tls.Config{Certificates: server.Certificates}))
		t.Logf("%d bytes of stack; crypto/tls's write takes %d", ours, theirs)
		if ours > theirs {
			t.Errorf("a write takes %d bytes of stack, crypto/tls's %d", ours, theirs)
		}
	})
}

// stackOfWrite returns how many bytes of stack a write takes, when records have their full length.
func stackOfWrite(t *testing.T, c, s rig.Shaker) int {
	t.Helper()
	if err, serverErr := rig.Shake(c, s); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	go io.Copy(io.Discard, s)
	if _, err := c.Write(make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	return stackOf(func() { c.Write([]byte{1}) })
}

// bigStack is a size of stacks beside which those of other goroutines do not matter.
const bigStack = 256 << 10

// stackOf returns how many bytes of stack a call of f takes, to within a frame of below.
func stackOf(f func()) int {
	fits := func(f func()) int { // how many frames fit on a stack above f
		return sort.Search(bigStack, func(n int) bool { return grows(n, f) })
	}
	empty := fits(func() {})
	return (empty - fits(f)) * bigStack / empty
}

// grows reports whether f needs a longer stack than bigStack under n frames.
func grows(n int, f func()) bool {
	goroutines, more := runtime.NumGoroutine(), make(chan int)
	go func() {
		before := held()
		below(n, f)
		more <- held() - before
	}()
	grown := <-more > bigStack*3/2
	for runtime.NumGoroutine() > goroutines { // until its stack is free again
		time.Sleep(time.Millisecond)
	}
	return grown
}

func held() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.StackInuse)
}

// below calls f under n frames.
//
//go:noinline
func below(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	below(n-1, f)
}
