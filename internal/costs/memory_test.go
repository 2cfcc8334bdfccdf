package costs_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
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

// mostSent is what a connection may hold whose peer has not proved anything, whatever it has sent.
const mostSent = 300 << 10

// longHello returns the longest ClientHello there can be. With filler, it is one of TLS 1.3 with 32
// KiB of suites and so many bytes in an extension, which asks for a HelloRetryRequest.
func longHello(t *testing.T, filler int) []byte {
	t.Helper()
	hello := &message.ClientHello{Version: iana.TLS12,
		CipherSuites:       []iana.CipherSuite{rig.ECDSAGCM, iana.TLS_AES_128_GCM_SHA256},
		CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	hello.Extensions.Add(iana.ExtSupportedGroups,
		&message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.Secp256r1}})
	hello.Extensions.Add(iana.ExtSignatureAlgorithms,
		&message.SignatureSchemes{Schemes: script.AllSchemes})
	if filler > 0 {
		hello.Extensions.Add(iana.ExtSupportedVersions,
			&message.SupportedVersions{Versions: []iana.Version{iana.TLS13}})
		hello.Extensions.Add(iana.ExtKeyShare, &message.KeyShares{})
	}
	script.FillHello(hello)
	if filler > 0 {
		hello.CompressionMethods = []iana.CompressionMethod{iana.CompressionNull}
		hello.CipherSuites = hello.CipherSuites[:1<<14-1000]
		last := &hello.Extensions[len(hello.Extensions)-1]
		last.Data = last.Data[:filler]
	}
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// hello returns the ClientHello of our own client.
func hello(t *testing.T, version func(*vitrine.Config)) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		vitrine.Client(b, rig.ClientConfig(version)).Handshake()
		b.Close()
	}()
	raw := make([]byte, 1<<14)
	n, err := a.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	return raw[record.HeaderLen:n]
}

// A hello that is too long to be held twice is refused, and not asked for again: RFC 8446 §4.1.4.
func TestAVeryLongHelloIsNotAskedForAgain(t *testing.T) {
	for filler, want := range map[int]iana.ContentType{1 << 15: iana.RecordHandshake,
		1<<15 + 4<<10: iana.RecordAlert} {
		a, b := net.Pipe()
		a.SetDeadline(rig.Deadline())
		go vitrine.Server(b, rig.ServerConfig(t, rig.Only13)).Handshake()
		hello := longHello(t, filler)
		if _, err := a.Write(inRecords(iana.RecordHandshake, hello,
			record.MaxPlaintext)); err != nil {
			t.Fatal(err)
		}
		var answer [100]byte
		_, err := a.Read(answer[:])
		if got := iana.ContentType(answer[0]); err != nil || got != want {
			t.Errorf("a hello of %d bytes: got a record of %v and %v, expected %v", len(hello), got,
				err, want)
		}
		a.Close()
	}
}

// halfway is a client that stops in the middle of a handshake.
type halfway struct {
	what    string
	version func(*vitrine.Config)
	flights [][]byte // the server answers each but the last, unless that is whole
	answers int      // how many
	record  int      // bytes of a record, at most
}

// held returns what a server holds for each of such clients, and how much each has sent. It fails
// if the server does not take all of that.
func (c *halfway) held(shake func(net.Conn)) (each, sent int, err error) {
	const conns = 30
	before := flood.Held()
	for range conns {
		a, b := net.Pipe() // a Write returns when it was read
		a.SetDeadline(rig.Deadline())
		defer a.Close()
		go shake(b)
		sent = 0
		for i, flight := range c.flights {
			sent += len(flight)
			if _, err := a.Write(inRecords(iana.RecordHandshake, flight, c.record)); err != nil {
				return 0, sent, err
			}
			if i >= c.answers {
				continue
			}
			answer := make([]byte, 1<<14)
			if _, err := a.Read(answer); err != nil {
				return 0, sent, err
			}
			if iana.ContentType(answer[0]) == iana.RecordAlert {
				return 0, sent, errors.New("an alert")
			}
		}
	}
	return (flood.Held() - before) / conns, sent, nil
}

// byCryptoTLS returns what crypto/tls holds for such a client, or that it refuses it.
func (c *halfway) byCryptoTLS(config *vitrine.Config) string {
	each, _, err := c.held(func(b net.Conn) {
		defer b.Close()
		tls.Server(b, &tls.Config{Certificates: config.Certificates,
			MinVersion: config.MinVersion, MaxVersion: config.MaxVersion}).Handshake()
	})
	if err != nil {
		return "refused"
	}
	return fmt.Sprint(each)
}

// A connection whose handshake stops half-way holds at most twice what its peer sent: the bytes,
// and what was read from them once the message is whole. With VITRINE_HALF_OPEN_CONNS, what
// crypto/tls holds is logged beside it.
func TestHalfOpenHandshakeHoldsWhatWasSent(t *testing.T) {
	whole, retried := longHello(t, 0), longHello(t, 1<<15)
	const full = record.MaxPlaintext
	for _, c := range []halfway{
		{"nothing", rig.Until12, [][]byte{nil}, 0, 1},
		{"what is no hello", rig.Only13, [][]byte{{2, 0, 1, 0}}, 0, 1},
		{"an ordinary ClientHello", rig.Until12, [][]byte{hello(t, rig.Until12)}, 1, full},
		{"an ordinary ClientHello of TLS 1.3", rig.Only13, [][]byte{hello(t, rig.Only13)}, 1, full},
		{"many suites, to be sent again", rig.Only13, [][]byte{longHello(t, 1)}, 1, full},
		{"most of a ClientHello", rig.Until12, [][]byte{whole[:130_000]}, 0, full},
		{"most of a ClientHello in small records", rig.Until12, [][]byte{whole[:130_000]}, 0, 100},
		{"the longest ClientHello", rig.Until12, [][]byte{whole}, 1, full},
		{"a ClientHello to be sent again", rig.Only13, [][]byte{retried}, 1, full},
		{"most of a second ClientHello", rig.Only13, [][]byte{retried, whole[:131_000]}, 1, full},
	} {
		config := rig.ServerConfig(t, c.version)
		theirs := ""
		if os.Getenv("VITRINE_HALF_OPEN_CONNS") != "" {
			theirs = c.byCryptoTLS(config)
		}
		each, sent, err := c.held(func(b net.Conn) { vitrine.Server(b, config).Handshake() })
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		t.Logf("| %s | %d | %d | %s |", c.what, sent, each, theirs)
		most := mostBegun
		if c.answers > 0 {
			most = mostPiped
		}
		if most = min(most+2*sent, mostSent); each > most {
			t.Errorf("%s: %d bytes are held for %d that were sent, expected at most %d",
				c.what, each, sent, most)
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
		grown := flood.Grown(before, most)
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
