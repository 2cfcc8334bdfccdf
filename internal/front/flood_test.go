package front_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/flood"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// A client of --forward, or of any other use, sends without end and reads nothing.
func TestClientThatNeverReadsCostsLittle(t *testing.T) {
	rig.EachVersion(t, testClientThatNeverReadsCostsLittle)
}

func testClientThatNeverReadsCostsLittle(t *testing.T, version func(*vitrine.Config)) {
	const requests, most = 30_000, 512 << 10
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	writing := make(chan struct{})
	go func() {
		c, err := back.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		go io.Copy(io.Discard, c)
		for b, i := make([]byte, 32<<10), 0; ; i++ {
			if _, err := c.Write(b); err != nil {
				return
			}
			if i == 8 {
				close(writing)
			}
		}
	}()
	forward := front.Forward(back.Addr().String(), time.Second, func(error) {})
	h := open(t, &front.Server{Use: forward}, time.Second)
	h.edit(version)
	peer, err := flood.Dial(h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	<-writing
	before := flood.Held()
	err = peer.Ask(requests, []byte{1})
	grown := flood.Grown(before, most)
	t.Logf("%d bytes, %v", grown, err) // to end such a connection is as good
	if grown > most {
		t.Errorf("%d requests cost %d bytes, expected at most %d", requests, grown, most)
	}
}
