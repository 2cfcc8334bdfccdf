package front_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A line of up to 16 KiB comes back in one record, a longer one in several.
func TestEchoKeepsLines(t *testing.T) { rig.EachVersion(t, testEchoKeepsLines) }

func testEchoKeepsLines(t *testing.T, version func(*vitrine.Config)) {
	h := open(t, &front.Server{Use: front.Echo}, time.Second)
	h.edit(func(c *vitrine.Config) { version(c); c.DynamicRecordSizingDisabled = true })
	c := h.dial(t)
	line := strings.Repeat("x", 16<<10-1) + "\n"
	io.WriteString(c, line)
	buf := make([]byte, 32<<10)
	if n, err := c.Read(buf); n != len(line) || err != nil {
		t.Errorf("the first Read gives %d bytes and %v, expected %d: one record", n, err, len(line))
	}
	long := strings.Repeat("y", 100<<10) + "\n"
	go io.WriteString(c, long)
	said(t, c, "", long)
	io.WriteString(c, "no line feed")
	c.CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "no line feed" || err != nil {
		t.Errorf("got %q and %v", got, err)
	}
}

// The end of each direction is forwarded.
func TestForwardPassesEndsOn(t *testing.T) { rig.EachVersion(t, testForwardPassesEndsOn) }

func testForwardPassesEndsOn(t *testing.T, version func(*vitrine.Config)) {
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	testkit.Serve(t, back, func(c net.Conn) {
		all, _ := io.ReadAll(c) // up to the client's end
		c.Write(append([]byte("got: "), all...))
	})
	failed := make(chan error, 1)
	h := open(t,
		&front.Server{Use: front.Forward(back.Addr().String(), time.Second,
			func(err error) { failed <- err })}, time.Second)
	h.edit(version)
	c := h.dial(t)
	io.WriteString(c, "all of it")
	c.CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "got: all of it" || err != nil {
		t.Errorf("got %q and %v", got, err)
	}
	back.Close()
	lost := h.dial(t)
	if _, err := lost.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, expected close_notify", err)
	}
	if err := <-failed; err == nil {
		t.Error("nobody was told that the service is gone")
	}
}

// An HTTP/1.1 client gets the page and then close_notify. The whole head of a request is read.
func TestHelloIsFollowedByCloseNotify(t *testing.T) {
	rig.EachVersion(t, testHelloIsFollowedByCloseNotify)
}

func testHelloIsFollowedByCloseNotify(t *testing.T, version func(*vitrine.Config)) {
	use, stop := front.HTTP(http.HandlerFunc(front.Hello), 5*time.Second, nil,
		func(err error) { t.Error(err) })
	defer stop(t.Context())
	h := open(t, &front.Server{Use: use}, time.Second)
	h.edit(version)
	for _, request := range []string{"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
		c := h.dial(t)
		io.WriteString(c, request)
		got, err := io.ReadAll(c)
		if err != nil ||
			!strings.Contains(string(got), "suite        "+
				vitrine.CipherSuiteName(c.ConnectionState().CipherSuite)+"\n") {
			t.Errorf("%q: got %q and %v", request, got, err)
		}
	}
}
