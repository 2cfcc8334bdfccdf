package capture_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
)

// full is a writer that fails after a number of bytes.
type full int

func (f *full) Write(p []byte) (int, error) {
	if *f -= full(len(p)); *f < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestATapContinuesIfItsCaptureFails(t *testing.T) {
	client, server := net.Pipe()
	disk := full(1000)
	tap := capture.Tap(client, capture.NewWriter(&disk, capture.WriterOptions{}), iana.Client)
	go func() {
		io.Copy(server, server)
	}()
	for range 20 {
		b := make([]byte, 100)
		if _, err := tap.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(tap, b); err != nil {
			t.Fatal(err)
		}
	}
	tap.Close()
	if tap.Err() != io.ErrShortWrite {
		t.Errorf("got %v, expected the error of the disk", tap.Err())
	}
	if tap.CloseWrite() == nil {
		t.Error("half a pipe was closed")
	}
}

func TestATapRecordsTheEndOfEachDirection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			io.ReadAll(c)
			c.Close()
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	tap := capture.Tap(conn, capture.NewWriter(&out, capture.WriterOptions{}), iana.Client)
	defer tap.Close()
	if err := tap.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(tap); err != nil || tap.Err() != nil {
		t.Fatal(err, tap.Err())
	}
	in, err := capture.Open(&out)
	if err != nil {
		t.Fatal(err)
	}
	var fins []string
	for p, err := in.Next(); err == nil; p, err = in.Next() {
		if p.Data[20+13]&1 != 0 {
			fins = append(fins, fmt.Sprint(int(p.Data[20])<<8|int(p.Data[21])))
		}
	}
	_, clientPort, _ := net.SplitHostPort(conn.LocalAddr().String())
	_, serverPort, _ := net.SplitHostPort(l.Addr().String())
	if !slices.Equal(fins, []string{clientPort, serverPort}) {
		t.Errorf("FINs from ports %v, expected %v and %v", fins, clientPort, serverPort)
	}
}
