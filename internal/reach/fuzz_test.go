package reach

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// answering is a connection to a proxy that has sent all that it will send.
type answering struct {
	net.Conn
	answer io.Reader
	sent   bytes.Buffer
	takes  int // writes, before they fail
}

func (a *answering) Read(p []byte) (int, error) { return a.answer.Read(p) }
func (a *answering) Write(p []byte) (int, error) {
	if a.takes--; a.takes < 0 {
		return 0, net.ErrClosed
	}
	return a.sent.Write(p)
}

// FuzzProxy: whatever a proxy answers, it has made a connection, or has not for a reason that is
// bounded and says no password. What follows its answer is left for TLS.
func FuzzProxy(f *testing.F) {
	keep := testkit.SampleSeeds(3)
	for _, scheme := range []string{"http", "socks5"} {
		for _, user := range []string{"", "user:secretpassword@"} {
			for _, answer := range []string{
				"HTTP/1.1 200 Connection established\r\n\r\nTLS", "HTTP/1.0 407 No\r\n\r\n",
				"HTTP/1.1 2", "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50TLS",
				"\x05\x00\x05\x00\x00\x03\x02ab\x00\x50", "\x05\x00\x05\x00\x00\x04",
				"\x05\x02\x01\x00\x05\x05\x00\x01", "\x05\x02\x01\x01", "\x05\xff", "\x04\x5a",
				"\x05\x00\x05\x77\x00\x01", "\x05\x00\x05\x00\x00\x03", "\x05",
				strings.Repeat("x", 9000),
			} {
				for takes := range byte(4) {
					if !keep() {
						continue
					}
					f.Add(scheme+"://"+user+"proxy.test", "server.test", []byte(answer), takes)
				}
				f.Add(scheme+"://"+user+"proxy.test:1", "::1", []byte(answer), byte(9))
				f.Add("proxy.test:1", "127.0.0.1", []byte(answer), byte(9))
				f.Add(
					scheme+"://"+user+"proxy.test",
					strings.Repeat("h", 300),
					[]byte(answer),
					byte(9),
				)
			}
		}
	}
	for _, proxy := range []string{"ftp://x", "http://", "http://%zz"} {
		f.Add(proxy, "server.test", []byte{}, byte(9))
	}
	f.Fuzz(func(t *testing.T, proxy, host string, answer []byte, takes byte) {
		u, err := ParseProxy(proxy)
		if err != nil {
			if strings.Contains(err.Error(), "secretpassword") {
				t.Errorf("%v", err)
			}
			return
		}
		_ = proxyPort(u)
		w := &Way{Host: host, Port: "443", Proxy: u}
		if _, err := netip.ParseAddr(host); err == nil {
			w.Resolve = host
		}
		from := bytes.NewReader(answer)
		conn := &answering{answer: from, takes: int(takes)}
		err = w.throughProxy(conn)
		if err != nil &&
			(len(err.Error()) > 2000 || strings.Contains(err.Error(), "secretpassword") &&
				!strings.Contains(string(answer)+host, "secretpassword")) {
			t.Errorf("%d bytes: %.300v", len(err.Error()), err)
		}
		if i := bytes.Index(answer, []byte("\r\n\r\n")); err == nil && u.Scheme == "http" &&
			from.Len() != len(answer)-i-4 {
			t.Errorf("%d bytes are left behind %q", from.Len(), answer)
		}
	})
}

// FuzzParseProxy agrees with net/url about what a proxy's host is, and quotes no password.
func FuzzParseProxy(f *testing.F) {
	for _, s := range []string{"proxy", "proxy:3128", "http://u:secretpassword@proxy",
		"socks5h://[::1]:1",
		"ftp://x", "http://", "http://a:secretpassword@%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseProxy(s)
		if err != nil {
			if strings.Contains(err.Error(), "secretpassword") {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, err := url.Parse(u.String())
		if u.Hostname() == "" || err == nil && again.Hostname() != u.Hostname() {
			t.Errorf("%q: the host %q", s, u.Hostname())
		}
	})
}
