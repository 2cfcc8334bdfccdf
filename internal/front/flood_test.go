package front_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/flood"
	"github.com/vitrine-tls/vitrine/internal/front"
)

// A client of --forward, or of any other use, sends without end and reads nothing.
func TestClientThatNeverReadsCostsLittle(t *testing.T) {
	const requests, most = 200_000, 2 << 20
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
	peer, err := flood.Dial(h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	<-writing
	before := flood.Held()
	err = peer.Ask(requests, []byte{1})
	grown := flood.Held() - before
	t.Logf("%d bytes, %v", grown, err) // to end such a connection is as good
	if grown > most {
		t.Errorf("%d requests cost %d bytes, expected at most %d", requests, grown, most)
	}
}
