package conformance_test

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/record"
)

func TestTwoRecordsForEachSystemCall(t *testing.T) {
	a, b := rig.Wires(t)
	wire := &rig.Counting{Conn: a}
	other := &rig.Counting{Conn: b}
	client, server := vitrine.Client(wire, rig.ClientConfig(rig.Until12, fullRecords)),
		vitrine.Server(other, rig.ServerConfig(t, rig.Until12))
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	if n := wire.Writes.Load(); n != 2 {
		t.Errorf("a client's handshake took %d writes, expected 2 flights", n)
	}
	if n := other.Writes.Load(); n != 2 {
		t.Errorf("a server's handshake took %d writes, expected 2 flights", n)
	}
	wire.Writes.Store(0)
	other.Reads.Store(0)
	const size = 4 << 20
	go client.Write(make([]byte, size))
	if _, err := io.ReadFull(server, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	const records = size / record.MaxPlaintext
	if n := wire.Writes.Load(); n != records/2 {
		t.Errorf("%d writes for %d records, expected %d", n, records, records/2)
	}
	// one for each header and one for each body would be twice
	if n := other.Reads.Load(); n > records*3/2 {
		t.Errorf("%d reads for %d records", n, records)
	}
	t.Logf("%d records: %d writes, %d reads", records, wire.Writes.Load(), other.Reads.Load())
}

// fullRecords makes the first records as long as those after them.
func fullRecords(c *vitrine.Config) { c.DynamicRecordSizingDisabled = true }

func TestOneReadTakesInManyRecords(t *testing.T) {
	rig.EachVersion(t, testOneReadTakesInManyRecords)
}

func testOneReadTakesInManyRecords(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	wire := &rig.Counting{Conn: a}
	client, server := vitrine.Client(wire, rig.ClientConfig(version)),
		vitrine.Server(b, rig.ServerConfig(t, version))
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	for range 50 {
		server.Write([]byte("record"))
	}
	time.Sleep(10 * time.Millisecond)
	wire.Reads.Store(0)
	if _, err := io.ReadFull(client, make([]byte, 300)); err != nil {
		t.Fatal(err)
	}
	if n := wire.Reads.Load(); n > 5 { // one, unless the kernel is slow to bring them
		t.Errorf("50 short records took %d reads", n)
	}
}

// An empty record is legal and useless, and 33 in a row end a connection.
func TestWritingNothingSendsNothing(t *testing.T) {
	rig.EachVersion(t, testWritingNothingSendsNothing)
}

func testWritingNothingSendsNothing(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	wire := &rig.Counting{Conn: a}
	client, server := vitrine.Client(wire, rig.ClientConfig(version)),
		vitrine.Server(b, rig.ServerConfig(t, version))
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	if n, err := client.Write(nil); n != 0 || err != nil { // which performs the handshake
		t.Fatal(n, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wire.Writes.Store(0)
	for range 40 {
		client.Write([]byte{})
	}
	if n := wire.Writes.Load(); n != 0 {
		t.Errorf("nothing took %d writes", n)
	}
	if n, err := client.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
	client.Close()
	if _, err := client.Write(nil); err == nil {
		t.Error("nothing was written after Close, and nothing said")
	}
}

// recut cuts the handshake messages of a cleartext flight into records of n bytes, and sends each
// write in pieces.
func recut(n, piece int) func([]byte) [][]byte {
	clear := true
	return func(b []byte) (out [][]byte) {
		var cut []byte
		for len(b) > 0 {
			h, err := record.ParseHeader(b)
			if err != nil {
				return [][]byte{b}
			}
			body := b[record.HeaderLen:][:h.Length]
			if clear && h.Type == iana.RecordHandshake {
				for part := range slices.Chunk(body, n) {
					cut = append(append(cut, b[0], b[1], b[2], byte(len(part)>>8), byte(len(part))),
						part...)
				}
			} else {
				cut = append(cut, b[:record.HeaderLen+h.Length]...)
			}
			clear = clear && h.Type != iana.RecordChangeCipherSpec
			b = b[record.HeaderLen+h.Length:]
		}
		return slices.Collect(slices.Chunk(cut, piece))
	}
}

// RFC 5246 §6.2.1: "client message boundaries are not preserved in the record layer".
func TestHandshakeMessagesMayBeFragmented(t *testing.T) {
	rig.EachVersion(t, testHandshakeMessagesMayBeFragmented)
}

func testHandshakeMessagesMayBeFragmented(t *testing.T, version func(*vitrine.Config)) {
	count := 0
	for _, n := range []int{1, 2, 3, 4, 5, 7, 64, 500, 16384} {
		for _, piece := range []int{1, 6, 1 << 20} {
			count++
			a, b := rig.Wires(t)
			client := vitrine.Client(&rig.Middle{TCPConn: a.(*net.TCPConn), Edit: recut(n, piece)},
				rig.ClientConfig(version, func(c *vitrine.Config) {
					c.Certificates = []tls.Certificate{
						rig.IssueForClient(t, rig.Authority(), "ecdsa"),
					}
				}))
			server := vitrine.Server(&rig.Middle{TCPConn: b.(*net.TCPConn), Edit: recut(n, piece)},
				rig.ServerConfig(t, version, func(c *vitrine.Config) {
					c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, rig.Authority().
						Pool()
				}))
			if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
				t.Errorf("records of %d, pieces of %d bytes: %v; %v", n, piece, err, serverErr)
				continue
			}
			go server.Write([]byte("whole"))
			got := make([]byte, 5)
			if _, err := io.ReadFull(client, got); string(got) != "whole" || err != nil {
				t.Errorf("records of %d, pieces of %d bytes: %q, %v", n, piece, got, err)
			}
			a.Close()
			b.Close()
		}
	}
	t.Logf("%d ways to cut", count)
}

// longest is the longest record of application data, as plaintext, that passed a middle.
func longest(overhead int, into *int) func([]byte) [][]byte {
	protected := false
	return func(b []byte) [][]byte {
		for rest := b; len(rest) > 0; {
			h, err := record.ParseHeader(rest)
			if err != nil {
				break
			}
			n := h.Length
			if protected {
				n -= overhead
			}
			*into = max(*into, n)
			protected = protected || h.Type == iana.RecordChangeCipherSpec
			rest = rest[record.HeaderLen+h.Length:]
		}
		return [][]byte{b}
	}
}

func TestLimitsOfRecordsAreObeyed(t *testing.T) { rig.EachVersion(t, testLimitsOfRecordsAreObeyed) }

func testLimitsOfRecordsAreObeyed(t *testing.T, version func(*vitrine.Config)) {
	rsl := func(n int) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.RecordSizeLimit = n }
	}
	mfl := func(n int) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.MaxFragmentLength = n }
	}
	for _, c := range []struct {
		what           string
		client, server func(*vitrine.Config)
		most           [2]int // by sender, under protection
	}{
		{"no limit", rsl(0), rsl(0), [2]int{16384, 16384}},
		{"max_fragment_length 512, RFC 6066 §4", mfl(512), rsl(0), [2]int{512, 512}},
		{"max_fragment_length 4096", mfl(4096), rsl(0), [2]int{4096, 4096}},
		{"record_size_limit 64 on both sides, RFC 8449 §4", rsl(64), rsl(64), [2]int{64, 64}},
		{"record_size_limit 64 of the client", rsl(64), rsl(16384), [2]int{16384, 64}},
		{"record_size_limit 64 of the server", rsl(16384), rsl(64), [2]int{64, 16384}},
		{"record_size_limit that the server does not know", rsl(64), rsl(0), [2]int{16384, 16384}},
		{"both, and the server knows both, RFC 8449 §5",
			func(c *vitrine.Config) { rsl(100)(c); mfl(512)(c) }, rsl(200), [2]int{200, 100}},
		{"both, and the server knows max_fragment_length alone",
			func(c *vitrine.Config) { rsl(100)(c); mfl(512)(c) }, rsl(0), [2]int{512, 512}},
	} {
		a, b := rig.Wires(t)
		var most [2]int
		var limited, agreed vitrine.Config
		c.client(&limited)
		c.server(&agreed)
		gcm := 24
		if version(&limited); limited.MaxVersion == vitrine.VersionTLS13 {
			gcm = 17 // the tag and the type
		}
		client := vitrine.Client(&rig.Middle{TCPConn: a.(*net.TCPConn),
			Edit: longest(gcm, &most[0])}, rig.ClientConfig(version, c.client, fullRecords))
		server := vitrine.Server(&rig.Middle{TCPConn: b.(*net.TCPConn),
			Edit: longest(gcm, &most[1])}, rig.ServerConfig(t, version, c.server, fullRecords))
		if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
			t.Errorf("%s: %v; %v", c.what, err, serverErr)
			continue
		}
		most = [2]int{}
		sent := make([]byte, 40000)
		for _, ends := range [][2]*vitrine.Conn{{client, server}, {server, client}} {
			go ends[0].Write(sent)
			if _, err := io.ReadFull(ends[1], make([]byte, len(sent))); err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if limited.MaxVersion == vitrine.VersionTLS13 && limited.RecordSizeLimit != 0 &&
			agreed.RecordSizeLimit != 0 { // RFC 8449 §4: it counts the type
			c.most[0]--
			c.most[1]--
		}
		if most != c.most {
			t.Errorf("%s: the longest records hold %d bytes, expected %d", c.what, most, c.most)
		}
	}
}
