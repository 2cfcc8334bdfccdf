package costs_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/flood"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// A connection that nobody reads from, and on which all was read, holds no buffer: 33 KiB are what
// large writes are received in.
func TestAConnectionThatWasReadHoldsNoBuffer(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		const pairs, most = 40, 12 << 10
		client, server := rig.ClientConfig(version), rig.ServerConfig(t, version)
		var ends []*vitrine.Conn
		said := make([]byte, 128<<10)
		before := flood.Held()
		for range pairs {
			c, s := rig.Pair(t, client, server)
			ends = append(ends, c, s)
			for _, way := range [][2]*vitrine.Conn{{c, s}, {s, c}} {
				done := make(chan error)
				go func() { _, err := way[0].Write(said); done <- err }()
				if _, err := io.ReadFull(way[1], make([]byte, len(said))); err != nil {
					t.Fatal(err)
				}
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		}
		each := (flood.Held() - before) / len(ends)
		t.Logf("%d bytes are held for each end", each)
		if each > most {
			t.Errorf("%d bytes are held for each end, expected at most %d", each, most)
		}
		runtime.KeepAlive(ends)
	})
}
