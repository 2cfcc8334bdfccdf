package reach_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/starttls"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// listen accepts connections for do, and returns its host and port.
func listen(t *testing.T, do func(net.Conn)) (host, port string) {
	t.Helper()
	host, port, _ = net.SplitHostPort(testkit.ServeTCP(t, do))
	return host, port
}

func greet(c net.Conn) { io.WriteString(c, "the server itself") }

func readAll(t *testing.T, c net.Conn) string {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGoReportsEachStep(t *testing.T) {
	_, port := listen(t, greet)
	smtp, _ := starttls.ByName("smtp")
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, p, _ := net.SplitHostPort(l.Addr().String())
		return p
	}()
	for _, c := range []struct {
		way    reach.Way
		phases string
		failed string // the phase, or empty
	}{
		{reach.Way{Host: "localhost", Port: port, Network: "tcp4"}, "name tcp", ""},
		{reach.Way{Host: "127.0.0.1", Port: port, Network: "tcp"}, "tcp", ""},
		{reach.Way{Host: "nobody.invalid", Port: port, Network: "tcp", Resolve: "127.0.0.1"}, "tcp",
			""},
		{reach.Way{Host: "nobody.invalid", Port: port, Network: "tcp"}, "name", "name"},
		{reach.Way{Host: "127.0.0.1", Port: closed, Network: "tcp"}, "tcp", "tcp"},
		{reach.Way{Host: "127.0.0.1", Port: port, Network: "tcp6"}, "tcp", "tcp"},
		{reach.Way{Host: "127.0.0.1", Port: port, Network: "tcp", StartTLS: smtp}, "tcp starttls",
			"starttls"},
	} {
		c.way.Timeout = 5 * time.Second
		conn, phases, err := c.way.Go(t.Context())
		var names []string
		for _, p := range phases {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != c.phases {
			t.Errorf("%+v: phases %q, expected %q", c.way, got, c.phases)
		}
		e, _ := errors.AsType[*reach.Error](err)
		switch {
		case c.failed == "" && err == nil:
			if got := readAll(t, conn); got != "the server itself" {
				t.Errorf("%+v: read %q", c.way, got)
			}
			if n, first, end := conn.Received(); n != 17 || string(first) != "the server itself" ||
				end != reach.FIN {
				t.Errorf("remembered %d bytes, %q, %q", n, first, end)
			}
			conn.Close()
		case c.failed == "" || e == nil || e.Phase != c.failed:
			t.Errorf("%+v: got %v, expected a failure of %q", c.way, err, c.failed)
		}
	}
}

func TestStartTLSTimesOutWithSilentServer(t *testing.T) {
	host, port := listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	smtp, _ := starttls.ByName("smtp")
	began := time.Now()
	_, _, err := (&reach.Way{Host: host, Port: port, Network: "tcp", StartTLS: smtp,
		Timeout: 100 * time.Millisecond}).Go(t.Context())
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() ||
		time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err = (&reach.Way{Host: host, Port: port, Network: "tcp", StartTLS: smtp,
		Timeout: time.Minute}).Go(ctx); err == nil {
		t.Error("its context is over")
	}
}

func TestConnKeepsReset(t *testing.T) {
	host, port := listen(t, func(c net.Conn) {
		c.Read(make([]byte, 1)) // until the client is there
		c.(*net.TCPConn).SetLinger(0)
	})
	conn, _, err := (&reach.Way{Host: host, Port: port, Network: "tcp",
		Timeout: 5 * time.Second}).Go(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	conn.Read(make([]byte, 1))
	if _, _, end := conn.Received(); end != reach.Reset {
		t.Errorf("it ended by %q, expected a reset", end)
	}
}

// forward copies what a server sends to c.
func forward(c net.Conn, to string) {
	back, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer back.Close()
	io.Copy(c, back)
}

// httpProxy answers one CONNECT request of the user "me" with the password "secret".
func httpProxy(c net.Conn) {
	in := bufio.NewReader(c)
	request, _ := in.ReadString('\n')
	allowed := false
	for line := ""; line != "\r\n"; line, _ = in.ReadString('\n') {
		allowed = allowed || line == "Proxy-Authorization: Basic "+
			base64.StdEncoding.EncodeToString([]byte("me:secret"))+"\r\n"
	}
	if !allowed {
		io.WriteString(c, "HTTP/1.1 407 Who are you\r\n\r\n")
		return
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
	forward(c, strings.Fields(request)[1])
}

// socksProxy answers one request of the same user for an IPv4 address.
func socksProxy(c net.Conn, port string) {
	b := make([]byte, 64)
	n, _ := c.Read(b)
	if n == 3 { // without a login
		c.Write([]byte{5, 0xFF})
		return
	}
	c.Write([]byte{5, 2})
	n, _ = c.Read(b)
	if string(b[:n]) != "\x01\x02me\x06secret" {
		c.Write([]byte{1, 1})
		return
	}
	c.Write([]byte{1, 0})
	c.Read(b)
	if b[3] != 1 {
		c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	c.Write([]byte{5, 0, 0, 3, 1, 'x', 0, 0})
	forward(c, net.IP(b[4:8]).String()+":"+port)
}

func TestProxiesAreUsedOrSayWhyNot(t *testing.T) {
	_, port := listen(t, greet)
	_, web := listen(t, httpProxy)
	_, socks := listen(t, func(c net.Conn) { socksProxy(c, port) })
	for _, c := range []struct{ proxy, host, err string }{
		{"me:secret@127.0.0.1:" + web, "127.0.0.1", ""},
		{"http://127.0.0.1:" + web, "127.0.0.1", "407"},
		{"socks5://me:secret@127.0.0.1:" + socks, "127.0.0.1", ""},
		{"socks5://me:wrong@127.0.0.1:" + socks, "127.0.0.1", "rejects the user"},
		{"socks5://127.0.0.1:" + socks, "127.0.0.1", "asks for a user"},
		{"socks5://me:secret@127.0.0.1:" + socks, "name.invalid", "host unreachable"},
		{"http://127.0.0.1:" + port, "127.0.0.1", "answer"},
		{"socks5://127.0.0.1:" + port, "127.0.0.1", "does not speak SOCKS"},
	} {
		u, err := reach.ParseProxy(c.proxy)
		if err != nil {
			t.Fatal(err)
		}
		conn, _, err := (&reach.Way{Host: c.host, Port: port, Network: "tcp", Proxy: u,
			Timeout: 5 * time.Second}).Go(t.Context())
		switch {
		case c.err == "" && err == nil:
			if got := readAll(t, conn); got != "the server itself" {
				t.Errorf("%s: read %q", c.proxy, got)
			}
			conn.Close()
		case err == nil || c.err == "" || !strings.Contains(err.Error(), c.err):
			t.Errorf("%s: got %v, expected %q", c.proxy, err, c.err)
		case strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: the error contains the password: %v", c.proxy, err)
		}
	}
	for _, wrong := range []string{"ftp://x", "http://", "http://me:secret@[", "://"} {
		if _, err := reach.ParseProxy(wrong); err == nil ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}
