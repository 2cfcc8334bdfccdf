package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// played returns a capture of one connection that a play sends.
func played(f *testing.F, play func(c *capture.Conversation)) []byte {
	var out bytes.Buffer
	w := capture.NewWriter(&out, capture.WriterOptions{})
	play(w.Connection(netip.MustParseAddrPort("192.0.2.1:40000"),
		netip.MustParseAddrPort("192.0.2.2:443")))
	if err := w.Flush(); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
}

// earlyCases are connections of which a server accepted or rejected the early data, with their
// secrets; the last one began at the server's side of TCP.
func earlyCases(f *testing.F) (all []recordedCase) {
	for i, name := range []string{"accepted", "rejected", "retried", "rejected"} {
		a, err := txtar.ParseFile(filepath.Join(testkit.Root(), "observe/testdata/early",
			name+".txtar"))
		if err != nil {
			f.Fatal(err)
		}
		file := played(f, func(c *capture.Conversation) {
			for side := range 2 {
				b, err := hex.DecodeString(strings.ReplaceAll(string(a.Files[side].Data), "\n", ""))
				if err != nil {
					f.Fatal(err)
				}
				from := iana.Side(side)
				if i == 3 {
					from = from.Peer()
				}
				c.Send(from, time.Unix(1, 0), b)
			}
		})
		keys := a.Files[2].Data
		all = append(all, recordedCase{file, keys, 13, 0}, recordedCase{file, keys, 15, 0})
	}
	return all
}

// logCases are key logs with lines that are counted apart.
func logCases(file []byte) (all []recordedCase) {
	zeros := strings.Repeat("00", 32)
	for _, log := range []string{
		"CLIENT_RANDOM " + zeros + " " + zeros + zeros[:32] + "\n",
		"UNHEARD_OF 00 00\n", "UNHEARD_OF 00 00\nUNHEARD_OF 01 00\n", "\n",
	} {
		all = append(all, recordedCase{file, []byte(log), 13, 0},
			recordedCase{file, []byte(log), followed, 0})
	}
	return all
}

// otherPackets is a capture of more kinds of packets that are not read than are named.
func otherPackets() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0)
	for i := range 20 {
		frame := append(make([]byte, 12), 0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, byte(80+i),
			0, 0, 192, 0, 2, 1, 192, 0, 2, 2)
		frame = append(frame, make([]byte, 20)...)
		b = append(b, make([]byte, 8)...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
		b = append(b, frame...)
	}
	return b
}

// long is a compressed capture of 1.2 MB of zeros each way, which are authenticated and not
// encrypted (RFC 5246 §A.5), and its key log.
func long(f *testing.F) (file, keys []byte) {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		f.Fatal(err)
	}
	leaf, err := ca.Issue(throwaway.RSA, []string{"long.test"})
	if err != nil {
		f.Fatal(err)
	}
	config := func() *vitrine.Config {
		return &vitrine.Config{MaxVersion: vitrine.VersionTLS12, InsecureSkipVerify: true,
			CipherSuites: []uint16{uint16(iana.TLS_RSA_WITH_NULL_SHA256)}}
	}
	var packed, log bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := capture.NewWriter(zip, capture.WriterOptions{})
	near, far := net.Pipe()
	tap := capture.Tap(near, w, iana.Client)
	serves, asks := config(), config()
	serves.Certificates, asks.KeyLogWriter = []vitrine.Certificate{leaf}, &log
	done := make(chan error, 1)
	go func() {
		conn := vitrine.Server(far, serves)
		_, err := io.Copy(conn, io.LimitReader(conn, 1200<<10))
		done <- err
	}()
	conn := vitrine.Client(tap, asks)
	go conn.Write(make([]byte, 1200<<10))
	if _, err := io.ReadFull(conn, make([]byte, 1200<<10)); err != nil {
		f.Fatal(err)
	}
	if err := <-done; err != nil {
		f.Fatal(err)
	}
	fmt.Fprint(io.Discard, tap.Close(), far.Close())
	if err := w.Flush(); err != nil {
		f.Fatal(err)
	}
	zip.Close()
	return packed.Bytes(), log.Bytes()
}
