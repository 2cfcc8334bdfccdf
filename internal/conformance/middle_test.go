package conformance_test

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// RFC 5246 §7.2.1: an attacker who cuts a connection must not be able to truncate its data
// unnoticed.
func TestStreamCutAnywhereIsNoticed(t *testing.T) {
	rig.EachVersion(t, testStreamCutAnywhereIsNoticed)
}

func testStreamCutAnywhereIsNoticed(t *testing.T, version func(*vitrine.Config)) {
	// whose signatures are of one length
	ed25519 := func(c *vitrine.Config) {
		c.Certificates = []tls.Certificate{rig.Certificate(t, throwaway.Ed25519)}
	}
	const said = "what the sender said"
	server := rig.ServerConfig(t, version, ed25519)
	// run cuts what one side sends, and gives what the other makes of it.
	run := func(t *testing.T, from iana.Side, edit func([]byte) [][]byte) (heard []byte,
		err error) {
		a, b := rig.Wires(t)
		defer a.Close()
		defer b.Close()
		ends := [2]net.Conn{a, b}
		ends[from] = &rig.Middle{TCPConn: ends[from].(*net.TCPConn), Edit: edit}
		conns := [2]*vitrine.Conn{vitrine.Client(ends[0], rig.ClientConfig(version)),
			vitrine.Server(ends[1], server)}
		var wg sync.WaitGroup
		wg.Go(func() {
			c := conns[from]
			if c.Handshake() == nil {
				c.Write([]byte(said))
			}
			c.Close()
		})
		heard, err = io.ReadAll(conns[from.Peer()])
		conns[from.Peer()].Close()
		wg.Wait()
		return heard, err
	}
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		total := 0 // bytes that it sends
		heard, err := run(t, from, func(b []byte) [][]byte { total += len(b); return [][]byte{b} })
		if err != nil || string(heard) != said {
			t.Fatalf("uncut: %q, %v", heard, err)
		}
		t.Run(from.String(), func(t *testing.T) {
			t.Parallel()
			cuts := make([]int, total)
			for n := range cuts {
				cuts[n] = n
			}
			for _, n := range testkit.Sample(t, "cuts", 4, cuts) {
				heard, err := run(t, from, rig.CutAfter(n))
				want := io.ErrUnexpectedEOF
				if n == 0 && from == iana.Client {
					want = io.EOF // a client that sent nothing has lost nothing
				}
				if !errors.Is(err, want) {
					t.Errorf("after %d of %d bytes: got %v, expected %v", n, total, err, want)
				}
				if len(heard) > 0 && string(heard) != said {
					t.Errorf("after %d of %d bytes: %q was delivered", n, total, heard)
				}
			}
			t.Logf("%v: it sends %d bytes", from, total)
		})
	}
}

// tampering is what is done to the three records that carry "one", "two" and "three".
type tampering struct {
	want13 alert.Description // in TLS 1.3, if it is another
	what   string
	edit   func(records [][]byte) [][]byte
	heard  string // what may be delivered, all of it authentic
	want   alert.Description
	cut    bool // no alert: the stream ends
}

var tamperings = []tampering{
	{what: "nothing", heard: "onetwothree", cut: true,
		edit: func(r [][]byte) [][]byte { return r }},
	{what: "replayed", heard: "one", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[0], r[0], r[1], r[2]} }},
	{what: "replayed later", heard: "onetwo", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[0], r[1], r[0]} }},
	{what: "the first dropped", heard: "", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return r[1:] }},
	{what: "one in the middle dropped", heard: "one", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[0], r[2]} }},
	{what: "reordered", heard: "", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[1], r[0], r[2]} }},
	{what: "the last cut short", heard: "onetwo", cut: true,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[0], r[1], r[2][:len(r[2])-1]} }},
	{what: "a record without content", heard: "one", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[0], {23, 3, 3, 0, 0}, r[1]} }},
	{what: "a record of one byte", heard: "one", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte { return [][]byte{r[0], {23, 3, 3, 0, 1, 7}, r[1]} }},
	{what: "two joined under one header", heard: "", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte {
			joined := append(r[0], r[1][record.HeaderLen:]...)
			joined[4] = byte(len(joined) - record.HeaderLen)
			return [][]byte{joined, r[2]}
		}},
	{what: "application data called a handshake", heard: "one", want: alert.BadRecordMAC,
		want13: alert.UnexpectedMessage, // RFC 8446 §5
		edit:   func(r [][]byte) [][]byte { r[1][0] = 22; return r }},
	{what: "application data called an alert", heard: "one", want: alert.BadRecordMAC,
		want13: alert.UnexpectedMessage, // RFC 8446 §5
		edit:   func(r [][]byte) [][]byte { r[1][0] = 21; return r }},
	{what: "its last block cut off", heard: "one", want: alert.BadRecordMAC,
		edit: func(r [][]byte) [][]byte {
			r[1] = r[1][:len(r[1])-8]
			r[1][4] -= 8
			return r
		}},
}

func TestTamperedRecordsAreRefused(t *testing.T) {
	count := 0
	for _, p := range rig.Protections {
		name := p.ID.String()
		if p.EncryptThenMAC == vitrine.Required {
			name += ", encrypt-then-MAC"
		}
		t.Run(name, func(t *testing.T) {
			for _, c := range tamperings {
				count++
				tamper(t, p.ID, p.EncryptThenMAC, c)
			}
			count += flipEveryByte(t, p.ID, p.EncryptThenMAC)
		})
	}
	for _, id := range []iana.CipherSuite{iana.TLS_AES_256_GCM_SHA384,
		iana.TLS_CHACHA20_POLY1305_SHA256, iana.TLS_AES_128_CCM_8_SHA256} {
		t.Run(id.String(), func(t *testing.T) {
			for _, c := range tamperings {
				count++
				c.want = cmp.Or(c.want13, c.want)
				tamper(t, id, vitrine.Preferred, c)
			}
			count += flipEveryByte(t, id, vitrine.Preferred)
		})
	}
	t.Logf("%d tamperings", count)
}

// flipEveryByte changes one bit of each byte of the second record, another bit each time.
func flipEveryByte(t *testing.T, id iana.CipherSuite, etm vitrine.Demand) int {
	n := 1
	for i := 0; i < n; i++ {
		c := tampering{what: fmt.Sprintf("bit %d of byte %d flipped", i%8, i), heard: "one",
			want: alert.BadRecordMAC}
		c.edit = func(r [][]byte) [][]byte { n = len(r[1]); r[1][i] ^= 1 << (i % 8); return r }
		of13 := suite.ByID13(id) != nil
		switch i {
		case 0: // 23 becomes 22, a handshake
			if of13 {
				c.want = alert.UnexpectedMessage
			}
		case 1:
			c.want = alert.ProtocolVersion
		case 2:
			if !of13 { // which ignores it, and authenticates it: RFC 8446 §5.2
				c.want = alert.ProtocolVersion
			}
		case 3: // 2,048 bytes that do not come
			c.cut = true
		case 4:
			c.edit = func(r [][]byte) [][]byte { r[1][4] -= 8; return r }
		}
		tamper(t, id, etm, c)
	}
	return n
}

func tamper(t *testing.T, id iana.CipherSuite, etm vitrine.Demand, c tampering) {
	t.Helper()
	named := func(v *vitrine.Config) {
		if suite.ByID13(id) != nil {
			rig.Only13(v)
			v.CipherSuites13 = []uint16{uint16(id)}
			return
		}
		rig.Until12(v)
		v.CipherSuites, v.EncryptThenMAC = []uint16{uint16(id)}, etm
	}
	a, b := rig.Wires(t)
	defer a.Close()
	defer b.Close()
	wire := &rig.Middle{TCPConn: b.(*net.TCPConn)}
	client, server := vitrine.Client(a, rig.ClientConfig(named)),
		vitrine.Server(wire, rig.ServerConfig(t, named))
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatalf("client: %v; server: %v", err, serverErr)
	}
	var records [][]byte
	wire.SetEdit(func(r []byte) [][]byte { records = append(records, r); return [][]byte{} })
	for _, s := range []string{"one", "two", "three"} {
		server.Write([]byte(s))
	}
	sent := slices.Concat(c.edit(records)...)
	wire.SetEdit(func([]byte) [][]byte { return [][]byte{sent, nil} })
	server.Write([]byte("four"))
	heard, err := io.ReadAll(client)
	if string(heard) != c.heard {
		t.Errorf("%s: %q was delivered, expected %q", c.what, heard, c.heard)
	}
	if c.cut {
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %v, expected %v", c.what, err, io.ErrUnexpectedEOF)
		}
		return
	}
	if got, ok := rig.AlertOf(err); !ok || got != c.want {
		t.Errorf("%s: got %v, expected %v", c.what, err, c.want)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Errorf("%s: reading goes on", c.what)
	}
	server.SetReadDeadline(rig.Deadline())
	if _, err := server.Read(make([]byte, 1)); err == nil ||
		!strings.Contains(err.Error(), c.want.String()) {
		t.Errorf("%s: the server read %v, expected the alert %v", c.what, err, c.want)
	}
}

// A record of our own, or of another connection, authenticates nothing.
func TestReflectedAndForeignRecordsAreRefused(t *testing.T) {
	rig.EachVersion(t, testReflectedAndForeignRecordsAreRefused)
}

func testReflectedAndForeignRecordsAreRefused(t *testing.T, version func(*vitrine.Config)) {
	for _, p := range rig.Protections {
		named := func(v *vitrine.Config) {
			v.CipherSuites, v.EncryptThenMAC = []uint16{uint16(p.ID)}, p.EncryptThenMAC
		}
		record := func(reflected bool) (client *vitrine.Conn, wire *rig.Middle, sealed []byte) {
			a, b := rig.Wires(t)
			mine, theirs := &rig.Middle{TCPConn: a.(*net.TCPConn)},
				&rig.Middle{TCPConn: b.(*net.TCPConn)}
			client, server := vitrine.Client(mine, rig.ClientConfig(version, named)),
				vitrine.Server(theirs, rig.ServerConfig(t, version, named))
			if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
				t.Fatalf("client: %v; server: %v", err, serverErr)
			}
			take := func(b []byte) [][]byte { sealed = b; return [][]byte{} }
			if reflected {
				mine.SetEdit(take)
				client.Write([]byte("secret"))
				mine.SetEdit(nil)
			} else {
				theirs.SetEdit(take)
				server.Write([]byte("secret"))
				theirs.SetEdit(nil)
			}
			return client, theirs, sealed
		}
		_, _, foreign := record(false)
		client, wire, _ := record(false)
		other, otherWire, own := record(true)
		wire.TCPConn.Write(foreign)
		otherWire.TCPConn.Write(own)
		for what, c := range map[string]*vitrine.Conn{"foreign": client, "reflected": other} {
			n, err := c.Read(make([]byte, 10))
			if got, ok := rig.AlertOf(err); n > 0 || !ok || got != alert.BadRecordMAC {
				t.Errorf("%v, %s: got %d bytes and %v", suite.ByID(p.ID), what, n, err)
			}
		}
	}
	t.Logf("%d protections, a foreign and a reflected record each", len(rig.Protections))
}
