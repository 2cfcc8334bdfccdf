package faults

import (
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// Everything that a program may do with a connection is done at once by both ends, for the race
// detector, and every call ends. What is read is what was written: each end writes one byte only.
func TestEverythingMayBeDoneAtOnce(t *testing.T) {
	rig.EachVersion(t, testEverythingMayBeDoneAtOnce)
}

func testEverythingMayBeDoneAtOnce(t *testing.T, version func(*vitrine.Config)) {
	const rounds, each = 6, 25
	var moved atomic.Int64
	for round := range rounds {
		a, b := rig.Wires(t)
		ends := []*vitrine.Conn{vitrine.Client(a, rig.ClientConfig(version)),
			vitrine.Server(b, rig.ServerConfig(t, version))}
		var wg, readers sync.WaitGroup
		for side, c := range ends {
			theirs := byte('a' + 1 - side)
			readers.Go(func() {
				buf := make([]byte, 3000)
				for {
					n, err := c.Read(buf)
					moved.Add(int64(n))
					if slices.ContainsFunc(buf[:n], func(b byte) bool { return b != theirs }) {
						t.Error("a byte that was not written")
					}
					if err == nil {
						continue
					}
					if timeout, ok := err.(interface{ Timeout() bool }); !ok || !timeout.Timeout() {
						return
					}
				}
			})
			do := func(seed uint64, f func(random *rand.Rand)) {
				random := rand.New(rand.NewPCG(seed, uint64(round)))
				wg.Go(func() {
					for range each {
						f(random)
					}
				})
			}
			do(1, func(random *rand.Rand) {
				c.Write(slices.Repeat([]byte{byte('a' + side)}, 1+random.IntN(20_000)))
			})
			do(2, func(random *rand.Rand) {
				soon := time.Duration(random.IntN(1000)) * time.Microsecond
				c.SetReadDeadline(time.Now().Add(soon))
				c.SetReadDeadline(time.Now().Add(rig.Patience))
			})
			do(3, func(random *rand.Rand) { c.KeyUpdate(random.IntN(2) == 0) })
			do(4, func(*rand.Rand) { c.ConnectionState(); c.OCSPResponse(); c.Handshake() })
			do(5, func(random *rand.Rand) {
				if random.IntN(each) == 0 {
					c.CloseWrite()
				}
			})
		}
		wg.Wait()
		if round%2 == 0 {
			ends[0].CloseWrite()
			ends[1].CloseWrite()
		}
		for range 2 {
			for _, c := range ends {
				wg.Go(func() { c.Close() })
			}
		}
		wg.Wait()
		readers.Wait()
	}
	t.Logf("%d bytes were read", moved.Load())
	if moved.Load() < rounds*20_000 {
		t.Errorf("only %d bytes were read: the connections end too early", moved.Load())
	}
}

// Connections that come and go, with the network's faults, leave nothing behind: what the heap
// holds after half of the time it holds at the end.
func TestSoakKeepsMemoryFlat(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 1))
	all := scenes(t)
	var cases [][][2]Fault
	for _, s := range all {
		cases = append(cases, s.cases(random))
	}
	var held []int
	connections, began := 0, time.Now()
	for next := began; time.Since(began) < *soak; {
		i := random.IntN(len(all))
		s, faults := all[i], cases[i][random.IntN(len(cases[i]))]
		if random.IntN(2) == 0 {
			faults = [2]Fault{}
		}
		if wrong := s.judge(connect(s.client, s.server, faults), faults); wrong != "" {
			t.Errorf("%s: %v: %s", s.name, faults, wrong)
		}
		s.secrets.forget()
		connections++
		if time.Now().After(next) {
			held = append(held, live())
			next = next.Add(max(*soak/20, 100*time.Millisecond))
		}
	}
	t.Logf("%d connections in %v; KiB of heap: %v", connections,
		time.Since(began).Round(time.Millisecond), held)
	if len(held) < 6 {
		t.Fatalf("%d measurements", len(held))
	}
	early, late := slices.Max(held[:len(held)/2]), slices.Min(held[len(held)/2:])
	if late > early+512 {
		t.Errorf("%d KiB of heap were the most in the first half, %d are the least in the second",
			early, late)
	}
}

// live returns how many KiB the heap holds that are in use.
func live() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 10)
}

func (s *secrets) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

// A network with no fault is one: the tests above would else test nothing.
func TestANetworkWithoutFaultsPassesOnWhatIsWritten(t *testing.T) {
	n := newNetwork([2]Fault{})
	go func() {
		n.ends[0].Write([]byte("all of it"))
		n.ends[0].Close()
	}()
	if got, err := io.ReadAll(n.ends[1]); string(got) != "all of it" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
