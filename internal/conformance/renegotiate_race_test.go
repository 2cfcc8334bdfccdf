package conformance_test

import (
	"crypto/tls"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// While a client renegotiates in its Read, everything else may be done with the connection: what
// was written comes whole, before the new keys or after them. This is for the race detector, as is
// TestEverythingMayBeDoneAtOnce of internal/faults, whose servers do not renegotiate. See RFC 5246
// §7.4.1.1.
func TestARenegotiationDisturbsNoOtherCall(t *testing.T) {
	const rounds, writes = 5, 40
	for range rounds {
		ours, wire := rig.Wires(t)
		peer := rig.Script(t, iana.Server, wire, rig.Certificate(t, throwaway.ECDSA),
			script.Edits{})
		done := peer.Play(func() error {
			err := peer.Serve(rig.ECDSAGCM)
			if err == nil {
				err = (&renegotiator{}).renegotiate(peer)
			}
			return err
		})
		conn := vitrine.Client(ours, rig.ClientConfig(rig.Until12, func(c *vitrine.Config) {
			c.Renegotiation = tls.RenegotiateFreelyAsClient
		}))
		var wg sync.WaitGroup
		for _, f := range []func(){
			func() { conn.Write([]byte("w")) },
			func() { conn.SetReadDeadline(time.Now().Add(rig.Patience)) },
			func() { conn.SetWriteDeadline(time.Now().Add(rig.Patience)) },
			func() { conn.ConnectionState(); conn.OCSPResponse() },
			func() { conn.Handshake() },
		} {
			wg.Go(func() {
				for range writes {
					f()
				}
			})
		}
		var got []byte
		b := make([]byte, 100)
		for string(got) != "forgedforged" {
			n, err := conn.Read(b)
			if got = append(got, b[:n]...); err != nil {
				t.Fatalf("got %q and %v", got, err)
			}
		}
		wg.Wait()
		if n := conn.ConnectionState().Renegotiations; n != 1 {
			t.Errorf("%d renegotiations", n)
		}
		for range 2 {
			wg.Go(func() { conn.Close() })
		}
		wg.Wait()
		if err := <-done; err != nil || string(peer.Data) != strings.Repeat("w", writes) {
			t.Errorf("the server got %q; its script ended with %v", peer.Data, err)
		}
	}
}
