//go:build unix

package socket_test

import (
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/socket"
)

// borrowed is a buffer that counts how often it was given.
type borrowed struct {
	bytes  [16]byte
	out    int // not given back
	spaces int
}

func (b *borrowed) Space() []byte { b.out++; b.spaces++; return b.bytes[:] }
func (b *borrowed) Drained()      { b.out-- }

// socketPair returns both ends of a loopback connection.
func socketPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// A socket reads as its connection does, errors included.
func TestASocketReadsAsItsConnectionDoes(t *testing.T) {
	for _, c := range []struct {
		what string
		then func(ours, theirs net.Conn)
	}{
		{"data that is there", func(_, theirs net.Conn) { theirs.Write([]byte("here")) }},
		{"the end of the stream", func(_, theirs net.Conn) { theirs.Close() }},
		{"a deadline", func(ours, _ net.Conn) { ours.SetReadDeadline(time.Unix(1, 0)) }},
		{"closed", func(ours, _ net.Conn) { ours.Close() }},
		{"a reset", func(ours, theirs net.Conn) {
			theirs.(*net.TCPConn).SetLinger(0)
			theirs.Close()
		}},
	} {
		var got, want [2]any // bytes and error
		for i, read := range []func(net.Conn) (string, error){
			func(conn net.Conn) (string, error) {
				b := new(borrowed)
				n, err := socket.Of(conn).ReadInto(b)
				return string(b.bytes[:n]), err
			},
			func(conn net.Conn) (string, error) {
				b := make([]byte, 16)
				n, err := conn.Read(b)
				return string(b[:n]), err
			},
		} {
			ours, theirs := socketPair(t)
			c.then(ours, theirs)
			data, err := read(ours)
			if op, ok := err.(*net.OpError); ok { // whose addresses differ by their ports
				if op.Addr.String() != ours.RemoteAddr().String() ||
					op.Source.String() != ours.LocalAddr().String() {
					t.Errorf("%s: an error about %v and %v", c.what, op.Source, op.Addr)
				}
				err = &net.OpError{Op: op.Op, Net: op.Net, Err: op.Err}
			}
			if i == 0 {
				got = [2]any{data, err}
			} else {
				want = [2]any{data, err}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, expected %v", c.what, got, want)
		}
	}
}

// A socket that waits has no buffer, and it wakes when bytes arrive.
func TestASocketWaitsWithoutABuffer(t *testing.T) {
	ours, theirs := socketPair(t)
	b, done := new(borrowed), make(chan error)
	go func() {
		n, err := socket.Of(ours).ReadInto(b)
		if err == nil && string(b.bytes[:n]) != "later" {
			err = io.ErrUnexpectedEOF
		}
		done <- err
	}()
	if _, err := theirs.Write([]byte("later")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if b.out != 1 {
		t.Errorf("%d buffers are out, expected the one with the data", b.out)
	}
	ours.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	*b = borrowed{}
	if _, err := socket.Of(ours).ReadInto(b); err == nil || b.spaces == 0 || b.out != 0 {
		t.Errorf("%v; of %d buffers %d are out", err, b.spaces, b.out)
	}
	if socket.Of(struct{ *net.TCPConn }{ours.(*net.TCPConn)}) != nil {
		t.Error("a type that may read in its own way is read by its socket")
	}
}
