package vitrine_test

import (
	"io"
	"net"
	"runtime"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// held returns how many bytes are reachable, stacks included.
func held() int {
	var m runtime.MemStats
	for range 3 { // pools give their contents up at the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

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
	hello := &message.ClientHello{Version: iana.TLS12, CipherSuites: []iana.CipherSuite{ecdsaGCM},
		CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	hello.Extensions.Add(iana.ExtSupportedGroups, &message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.Secp256r1}})
	hello.Extensions.Add(iana.ExtSignatureAlgorithms, &message.SignatureSchemes{Schemes: everyScheme})
	fillHello(hello)
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
		{"the longest ClientHello", raw, record.MaxPlaintext, len(raw)*9/8 + len(hello.CipherSuites)*5/2 + fixed},
	} {
		config := serverConfig(t)
		before := held()
		var wires []net.Conn
		for range conns {
			a, b := net.Pipe() // a Write returns when it was read
			a.SetDeadline(deadline())
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
		each := (held() - before) / conns
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
