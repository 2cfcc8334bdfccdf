package conformance_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// The Config that GetConfigForClient returns is used for the connection, with its padding and its
// KeyLogWriter, and nothing of the original Config.
func TestTheConfigForAClientHoldsForItsConnection(t *testing.T) {
	const size = 300 // of padded records
	var outer, inner bytes.Buffer
	var lengths sealedLengths
	server := rig.ServerConfig(t, only13, func(c *vitrine.Config) {
		special := c.Clone()
		special.RecordPadding, special.KeyLogWriter = vitrine.PadTo(size), &inner
		c.RecordPadding, c.KeyLogWriter, c.Trace = vitrine.PadTo(512), &outer, &lengths
		c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			return special, nil
		}
	})
	c, s := rig.Pair(t, rig.ClientConfig(only13), server)
	rig.Hear(t, c, s)
	for n := range lengths.seen {
		if (n-1-16)%size != 0 {
			t.Errorf("a record of %d bytes, expected a multiple of %d", n-1-16, size)
		}
	}
	if outer.Len() > 0 || strings.Count(inner.String(), "\n") < 5 || len(lengths.seen) == 0 {
		t.Errorf("%d bytes are logged by the one Config, %q by the other", outer.Len(), &inner)
	}
}

// How much rejected early data is skipped depends on the Config for the client: one without early
// data skips 64 KiB, one whose tickets allow more skips as much more.
func TestEarlyDataIsSkippedByTheConfigForAClient(t *testing.T) {
	const most = 200 << 10
	for _, tt := range []struct {
		what         string
		outer, inner uint32
		skipped      bool
	}{
		{"the client's Config allows as much", 0, most, true},
		{"the Config that was asked allows as much", most, 0, false},
	} {
		t.Run(tt.what, func(t *testing.T) {
			z := newZeroRTT(t, func(_, s *vitrine.Config) { s.MaxEarlyData = most })
			special := z.server.Clone()
			z.server = z.server.Clone()
			special.MaxEarlyData, z.server.MaxEarlyData = tt.inner, tt.outer
			// the session does not come back with another protocol, so that nothing is accepted
			special.NextProtos = []string{"b"}
			z.server.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
				return special, nil
			}
			a, b := rig.Wires(t)
			client := vitrine.Client(a, z.client)
			got := make(chan arrived, 1)
			go func() { got <- hear(vitrine.Server(b, z.server)) }()
			_, _ = client.WriteEarly(make([]byte, most)) // may break off
			go func() {
				client.Handshake()
				io.Copy(io.Discard, a)
			}()
			end := <-got
			if len(end.early) > 0 || (end.err == nil) != tt.skipped {
				t.Errorf("the server read %d bytes, and got %v", len(end.early), end.err)
			}
			if !tt.skipped {
				end.conn.Close()
			}
		})
	}
}

// After a fatal alert the tickets of a connection allow no early data: RFC 8446 §6.2.
func TestAFatalAlertWithdrawsEarlyData(t *testing.T) {
	for _, failed := range []bool{false, true} {
		z := newZeroRTT(t)
		c, s := rig.Pair(t, z.client, z.server)
		converse(t, c, s, 8) // behind which the ticket came
		if failed {
			a := c.NetConn().(*net.TCPConn)
			if _, err := a.Write([]byte{byte(iana.RecordApplicationData), 3, 3, 0, 1,
				0}); err != nil {
				t.Fatal(err)
			}
		} else {
			c.CloseWrite()
		}
		io.Copy(io.Discard, s)
		client, server, _, err := z.visit(t, []byte("early data"))
		want := vitrine.EarlyDataAccepted
		if failed {
			want = vitrine.EarlyDataRejected
		}
		if got := client.ConnectionState(); server.err != nil || got.EarlyData != want ||
			!got.DidResume {
			t.Errorf("failed %t: early data %v, resumed %t; %v, %v", failed, got.EarlyData,
				got.DidResume, err, server.err)
		}
	}
}
