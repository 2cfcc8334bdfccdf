package framing_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/framing"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// However the bytes of a direction are cut, its records come out: those in packets, and those
// behind them.
func TestRecordsComeOutOfPackets(t *testing.T) {
	records := []byte("\x16\x03\x03\x00\x06hello!\x14\x03\x03\x00\x01\x01")
	var sent []byte
	for i := 0; i < len(records); i += 5 { // a record may be in several packets
		sent = framing.TDS.Append(sent, records[i:min(i+5, len(records))], i+5 >= len(records))
	}
	plain := []byte("\x17\x03\x03\x00\x04data")
	sent = append(sent, plain...)
	for n := 1; n <= len(sent); n++ {
		s := framing.Splitter{Framing: framing.TDS}
		var got []byte
		for rest := sent; len(rest) > 0; rest = rest[min(n, len(rest)):] {
			if !s.Split(rest[:min(n, len(rest))], func(b []byte) { got = append(got, b...) }) {
				t.Fatalf("in pieces of %d: refused", n)
			}
		}
		if !bytes.Equal(got, append(bytes.Clone(records), plain...)) {
			t.Errorf("in pieces of %d: got %x", n, got)
		}
	}
	s := framing.Splitter{Framing: framing.TDS}
	if s.Split([]byte("HTTP/1.1 400 Bad Request"), func([]byte) {}) {
		t.Error("text was taken for packets")
	}
}

// A handshake works through packets in both versions, and data follows without them.
func TestAHandshakeInPackets(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(throwaway.ECDSA, []string{"db.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer listener.Close()
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			framed := framing.New(raw, framing.TDS)
			conn := tls.Server(framed, &tls.Config{MaxVersion: version,
				Certificates: []tls.Certificate{leaf}})
			defer conn.Close()
			if conn.Handshake() == nil {
				framed.HandshakeDone()
				io.Copy(conn, conn)
			}
		}()
		raw, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		framed := framing.New(raw, framing.TDS)
		conn := tls.Client(framed, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		framed.HandshakeDone()
		said := bytes.Repeat([]byte("select 1;"), 3000)
		go conn.Write(said)
		heard := make([]byte, len(said))
		if _, err := io.ReadFull(conn, heard); err != nil || !bytes.Equal(said, heard) {
			t.Errorf("%s: got %d bytes back, %v", tls.VersionName(version), len(heard), err)
		}
		conn.Close()
	}
}
