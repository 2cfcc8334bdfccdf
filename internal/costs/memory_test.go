package costs_test

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/flood"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// inRecords cuts content into records of n bytes, in the clear.
func inRecords(t iana.ContentType, content []byte, n int) (b []byte) {
	for part := range slices.Chunk(content, n) {
		b = append(append(b, byte(t), 3, 1, byte(len(part)>>8), byte(len(part))), part...)
	}
	return b
}

// A connection whose handshake stops half-way holds about what its peer sent: the bytes, and what
// was read from them once the message is whole.
func TestHalfOpenHandshakeHoldsWhatWasSent(t *testing.T) {
	hello := &message.ClientHello{Version: iana.TLS12,
		CipherSuites:       []iana.CipherSuite{rig.ECDSAGCM},
		CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	hello.Extensions.Add(
		iana.ExtSupportedGroups,
		&message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.Secp256r1}},
	)
	hello.Extensions.Add(
		iana.ExtSignatureAlgorithms,
		&message.SignatureSchemes{Schemes: script.AllSchemes},
	)
	script.FillHello(hello)
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	const conns, fixed = 30, 64 << 10 // a connection that was sent nothing holds about 12 KiB
	for _, c := range []struct {
		what   string
		sent   []byte
		record int
		most   int
	}{
		{"nothing", nil, 1, fixed},
		{"most of a ClientHello", raw[:130_000], record.MaxPlaintext, 130_000*9/8 + fixed},
		{"most of a ClientHello in small records", raw[:130_000], 100, 130_000*9/8 + fixed},
		{"the longest ClientHello", raw, record.MaxPlaintext, len(raw)*9/8 +
			len(hello.CipherSuites)*5/2 + fixed},
	} {
		config := rig.ServerConfig(t, rig.Until12)
		before := flood.Held()
		var wires []net.Conn
		for range conns {
			a, b := net.Pipe() // a Write returns when it was read
			a.SetDeadline(rig.Deadline())
			wires = append(wires, a)
			go vitrine.Server(b, config).Handshake()
			if _, err := a.Write(inRecords(iana.RecordHandshake, c.sent, c.record)); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			if len(c.sent) == len(raw) {
				if _, err := io.ReadFull(a, make([]byte, 100)); err != nil {
					t.Fatalf("%s: %v", c.what, err)
				}
			}
		}
		each := (flood.Held() - before) / conns
		t.Logf("%s: %d bytes sent, %d held", c.what, len(c.sent), each)
		if each > c.most {
			t.Errorf("%s: %d bytes are held for %d that were sent, expected at most %d",
				c.what, each, len(c.sent), c.most)
		}
		for _, a := range wires {
			a.Close()
		}
	}
}

// A client may ask as often as it likes for a renegotiation, or in TLS 1.3 for an update of the
// server's keys, and read none of the answers.
func TestRequestsThatAreNotAnsweredCostNothing(t *testing.T) {
	rig.EachVersion(t, testRequestsThatAreNotAnsweredCostNothing)
}

func testRequestsThatAreNotAnsweredCostNothing(t *testing.T, version func(*vitrine.Config)) {
	const requests, most = 30_000, 256 << 10
	for _, c := range []struct {
		what string
		mute func(*vitrine.Conn, *rig.Deaf) // makes answers impossible
	}{
		{"a Write is blocked", func(conn *vitrine.Conn, wire *rig.Deaf) {
			close(wire.Stuck)
			go conn.Write([]byte("nobody reads this"))
			<-wire.Entered
		}},
		{"after CloseWrite", func(conn *vitrine.Conn, _ *rig.Deaf) { conn.CloseWrite() }},
		{"after a Write that timed out", func(conn *vitrine.Conn, _ *rig.Deaf) {
			conn.SetWriteDeadline(time.Unix(1, 0))
			conn.Write([]byte("too late"))
		}},
	} {
		a, b := rig.Wires(t)
		a.SetDeadline(time.Time{})
		b.SetDeadline(time.Time{})
		wire := rig.NewDeaf(b)
		conn := vitrine.Server(wire, rig.ServerConfig(t, version))
		go conn.Handshake()
		peer, err := flood.Client(a)
		if err != nil {
			t.Fatal(err)
		}
		// The client's handshake ends first, and CloseWrite before the end of the server's does
		// nothing.
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		c.mute(conn, wire)
		before := flood.Held()
		sent := make(chan error, 1)
		go func() { sent <- peer.Ask(requests, []byte{1}) }()
		if _, err := io.ReadFull(conn, make([]byte, requests)); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if err := <-sent; err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		grown := flood.Held() - before
		t.Logf("%s: %d bytes", c.what, grown)
		if grown > most {
			t.Errorf("%s: %d requests cost %d bytes, expected at most %d", c.what, requests, grown,
				most)
		}
		wire.Close() // a Write that is blocked ends
		conn.Close()
		peer.Close()
	}
}
