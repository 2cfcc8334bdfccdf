package capture_test

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
)

// sizes counts what each side sent.
type sizes struct {
	conn *capture.Connection
	sent [2]int
}

func (s *sizes) Bytes(from iana.Side, _ time.Time, b []byte) { s.sent[from] += len(b) }
func (s *sizes) Gap(from iana.Side,
	n int64) {
	fmt.Printf("%v: %d bytes are missing\n", from, n)
}
func (s *sizes) End() {
	fmt.Printf("stream %d: %v sent %d bytes, %v %d\n", s.conn.Stream, s.conn.Client,
		s.sent[iana.Client], s.conn.Server, s.sent[iana.Server])
}

func ExampleAssembler() {
	file, err := os.Open("../testdata/captures/illustrated/illustrated-tls12.pcap")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	packets, err := capture.Open(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	a := capture.Assembler{New: func(c *capture.Connection) capture.Handler {
		return &sizes{conn: c}
	}}
	for {
		p, err := packets.Next()
		if err != nil {
			if err != io.EOF {
				fmt.Println(err) // what came before it is good
			}
			break
		}
		if err := a.Add(p); err != nil {
			fmt.Println(err)
		}
	}
	a.Close()
	// Output:
	// stream 0: [::1]:50159 sent 393 bytes, [::1]:8443 1316
}

func ExampleWriter() {
	var file bytes.Buffer
	w := capture.NewWriter(&file, capture.WriterOptions{HoldsSecrets: true})
	c := w.Connection(netip.MustParseAddrPort("192.0.2.1:50000"),
		netip.MustParseAddrPort("192.0.2.2:443"))
	c.Send(iana.Client, time.Time{}, []byte("a ClientHello"))
	c.Send(iana.Server, time.Time{}, []byte("a ServerHello"))
	c.Close()
	if err := w.Flush(); err != nil { // the first error of all
		fmt.Println(err)
	}
	packets, _ := capture.Open(&file)
	n := 0
	for _, err := packets.Next(); err == nil; _, err = packets.Next() {
		n++
	}
	fmt.Println(n, "packets") // three to open, two for each that sent something, four to close
	// Output:
	// 11 packets
}
