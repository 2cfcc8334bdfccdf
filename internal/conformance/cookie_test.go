package conformance_test

import (
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// cookies makes a server send cookies.
func cookies(c *vitrine.Config) { c.CookieKeys = [][32]byte{{1, 2, 3}} }

// A server that asks each client for a second hello is understood by crypto/tls and by ours.
func TestCookiesComeBack(t *testing.T) {
	for _, groups := range [][]vitrine.CurveID{nil, {vitrine.CurveP521}} {
		edit := func(c *vitrine.Config) { cookies(c); c.CurvePreferences = groups }
		for _, roles := range []string{"our server", "both ours"} {
			r := remembering{vitrine.NewLRUClientSessionCache(0), nil}
			client := rig.ClientConfig(only13, func(c *vitrine.Config) {
				c.ClientSessionCache = r.ours
			})
			server := rig.ServerConfig(t, only13, edit)
			if roles == "both ours" {
				for i := range 3 { // the binder covers the retry
					if resumed := r.connect(t, roles, client, server, nil); resumed != (i > 0) {
						t.Errorf("connection %d: resumed %v", i+1, resumed)
					}
				}
				c, _ := rig.Pair(t, client, server)
				if !c.ConnectionState().HelloRetryRequest {
					t.Error("no second hello")
				}
				continue
			}
			r.connect(t, roles, client, server, go13(t))
		}
	}
}

// One server answers the first hello, and another, which has not seen it, goes on from the cookie.
// See RFC 8446 §4.2.2.
func TestAnotherServerGoesOnFromACookie(t *testing.T) {
	for _, groups := range [][]vitrine.CurveID{nil, {vitrine.CurveP384}} {
		config := rig.ServerConfig(t, only13, cookies, func(c *vitrine.Config) {
			c.CurvePreferences = groups
		})
		wire := func() (net.Conn, *vitrine.Conn) {
			a, b := rig.Wires(t)
			return a, vitrine.Server(b, config)
		}
		toClient, clientEnd := rig.Wires(t)
		client := vitrine.Client(clientEnd, rig.ClientConfig(only13))
		toFirst, first := wire()
		toSecond, second := wire()
		go first.Handshake()
		go func() {
			hello, err := rig.ReadRecord(toClient)
			if err == nil {
				_, err = toFirst.Write(hello)
			}
			for range 2 { // HelloRetryRequest, and the change_cipher_spec behind it
				var b []byte
				if b, err = rig.ReadRecord(toFirst); err == nil {
					_, err = toClient.Write(b)
				}
			}
			if err != nil {
				t.Error(err)
			}
			toFirst.Close()
			go io.Copy(toClient, toSecond)
			io.Copy(toSecond, toClient)
		}()
		if err, other := rig.Shake(client, second); err != nil || other != nil {
			t.Fatalf("client: %v; server: %v", err, other)
		}
		converse(t, client, second, 1<<10)
		if !second.ConnectionState().HelloRetryRequest {
			t.Error("the second server knows of no retry")
		}
	}
}
