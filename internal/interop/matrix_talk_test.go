package interop_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
)

// talk moves data both ways and closes.
func (v *visit) talk(t *testing.T, c *vitrine.Conn, other conn, again bool) {
	t.Helper()
	n := v.amount()
	ours := io.ReadWriter(c)
	if v.scene.has(inFragments) {
		ours = struct {
			io.Reader
			io.Writer
		}{c, crumbs{c}}
	}
	theyAreFirst := v.scene.has(theyClose) && again
	exchange := exchange
	if v.turns {
		exchange = takeTurns
	}
	switch {
	case v.with == goTLS:
		exchange(t, n, n, ours, other)
		v.part(t, c, other.CloseWrite, theyAreFirst)
		if k, err := other.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("they got %d bytes and %v, expected our close_notify", k, err)
		}
	case v.with == interop.NSS && v.them == iana.Server:
		browse(t, n, ours, again)
		v.part(t, c, func() error { return nil }, true)
	case v.with == interop.NSS:
		exchange(t, n, n, ours, fed{v.peer})
		v.part(t, c, nil, false)
	case v.with == interop.GnuTLS && v.them == iana.Server:
		exchange(t, n, n, ours, ours)
		v.part(t, c, nil, false)
	case v.with == interop.GnuTLS && !again: // it closes at once, and comes again
		v.part(t, c, func() error { return nil }, true)
	case v.with == interop.GnuTLS:
		exchange(t, n, small, ours, v.peer) // it writes each byte by itself
		v.part(t, c, v.peer.CloseWrite, true)
	default:
		exchange(t, n, n, ours, v.peer)
		v.part(t, c, v.peer.CloseWrite, theyAreFirst)
	}
}

// takeTurns is exchange, but b writes when it has everything that a wrote.
func takeTurns(t *testing.T, there, back int, a, b io.ReadWriter) {
	t.Helper()
	err := carry(there, a, b, "there")
	if err == nil && a != b {
		err = carry(back, b, a, "back")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// amount returns how many bytes each side sends.
func (v *visit) amount() int {
	if v.can(large) {
		return 1 << 20
	}
	return small
}

// fed is a peer whose input was given before it started, because tstclnt does not notice that its
// standard input, a pipe, is closed.
type fed struct{ io.Reader }

func (fed) Write(b []byte) (int, error) { return len(b), nil }

// part closes both ways. theirs makes the peer close; it is nil if the peer answers our
// close_notify.
func (v *visit) part(t *testing.T, c *vitrine.Conn, theirs func() error, theyAreFirst bool) {
	t.Helper()
	steps := []func() error{c.CloseWrite}
	if theyAreFirst {
		steps[0] = theirs
	} else if v.with == goTLS {
		steps = append(steps, theirs) // which does not answer by itself
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Error(err)
		}
	}
	if k, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %d bytes and %v, expected the peer's close_notify", k, err)
	}
	if err := c.CloseWrite(); err != nil { // once more changes nothing
		t.Error(err)
	}
	if v.with != goTLS { // whose end has not read ours yet
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// browse speaks the HTTP of selfserv: it sends a long request, of which selfserv says how much it
// dropped, and then asks for a file.
func browse(t *testing.T, n int, c io.ReadWriter, again bool) {
	t.Helper()
	ask, want := "POST / HTTP/1.0\r\n"+string(payload("there")[:small])+"\r\n\r\n",
		[]byte("Server: Generic Web Server")
	if again {
		file, err := office.File("page", payload("back")[:n])
		if err != nil {
			t.Fatal(err)
		}
		ask, want = "GET /"+file+" HTTP/1.0\r\n\r\n", payload("back")[:n]
	}
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(c, strings.NewReader(ask))
		sent <- err
	}()
	got := &bytes.Buffer{}
	for !bytes.Contains(got.Bytes(), want) {
		if _, err := io.CopyN(got, c, 1); err != nil {
			t.Fatalf("got %.100q and %v, expected %.40q in it", got, err, want)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	// up to its close_notify, or the next Read says that there was none
	io.Copy(io.Discard, struct{ io.Reader }{c})
}

// crumbled is a socket that reads and writes a few bytes at a time.
type crumbled struct {
	net.Conn
	n int
}

func (c *crumbled) Read(b []byte) (int, error) {
	c.n++
	return c.Conn.Read(b[:min(len(b), 1+c.n*7%61)])
}

func (c *crumbled) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = c.Conn.Write(b[n:min(len(b), n+101)])
		n += m
	}
	return n, err
}

// CloseWrite is for what listens after an alert.
func (c *crumbled) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// crumbs writes records of 1, 2, 3, … bytes.
type crumbs struct{ c io.Writer }

func (w crumbs) Write(b []byte) (n int, err error) {
	for size := 1; n < len(b) && err == nil; size++ {
		var m int
		m, err = w.c.Write(b[n:min(len(b), n+size)])
		n += m
	}
	return n, err
}
