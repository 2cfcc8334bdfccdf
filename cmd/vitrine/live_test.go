package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/hostile"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// formsOf returns how a secret could stand in an answer.
func formsOf(secretHex string) []string {
	b, _ := hex.DecodeString(secretHex)
	return []string{string(b), secretHex, strings.ToUpper(secretHex),
		base64.StdEncoding.EncodeToString(b)[:4*(len(b)/3)],
		base64.RawURLEncoding.EncodeToString(b)[:4*(len(b)/3)]}
}

// No answer of the live view has a byte of a connection's keys, or of their data, unless
// --reveal was given.
func TestTheLiveViewKeepsSecrets(t *testing.T) {
	const said = "what nobody else may read\n"
	for _, reveal := range []bool{false, true} {
		args := map[bool][]string{true: {"--reveal"}}[reveal]
		s, ca := serving(t, append(args, "--echo", "--ui")...)
		v := view(t, s.errs.String)
		secrets := []string{hex.EncodeToString([]byte(said[:20]))}
		for _, version := range []uint16{vitrine.VersionTLS12, vitrine.VersionTLS13} {
			seen := talk(t, s, ca, said, func(c *vitrine.Config) {
				c.MinVersion, c.MaxVersion = version, version
			})
			secrets = append(secrets, secretsOf(seen)...)
		}
		rows := v.rows(over(2))
		paths := []string{"/", "/rows", "/compare/" + rows[0].ID + "/" + rows[1].ID}
		for _, r := range rows {
			if r.Received.Data != int64(len(said)) || r.Sent.Data != int64(len(said)) ||
				r.Reason != "close_notify" {
				t.Errorf("%+v", r)
			}
			for _, end := range []string{"", ".json", ".pcapng"} {
				paths = append(paths, "/c/"+r.ID+end)
			}
			if code := map[bool]int{false: 403, true: 200}[reveal]; code == 200 {
				paths = append(paths, "/c/"+r.ID+".keys")
			} else if answer, _ := v.get(code, "/c/"+r.ID+".keys"); strings.Contains(answer,
				"RANDOM") {
				t.Errorf("a refused key log is %q", answer)
			}
		}
		answers := map[string]string{"/events": v.streamed("", rows[1].ID)}
		for _, path := range paths {
			var header http.Header
			answers[path], header = v.get(200, path)
			if header.Get("Cache-Control") != "no-store" ||
				!strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Errorf("%s: %v", path, header)
			}
		}
		shown := map[string]int{}
		for path, answer := range answers {
			for _, secret := range secrets {
				for _, form := range formsOf(secret) {
					if strings.Contains(answer, form) {
						shown[path]++
						break
					}
				}
			}
			if !reveal && shown[path] > 0 {
				t.Errorf("%s shows %d of %d secrets", path, shown[path], len(secrets))
			}
		}
		if page := paths[3]; reveal && shown[page] < 8 || len(secrets) < 20 {
			t.Errorf("with --reveal %s shows %d of %d secrets", page, shown[page], len(secrets))
		}
	}
}

// Only the page's own user gets anything: see internal/gate for all that is refused.
func TestTheLiveViewRefusesStrangers(t *testing.T) {
	s, _ := serving(t, "--ui")
	v := view(t, s.errs.String)
	for _, path := range []string{"/", "/rows", "/events", "/c/x", "/c/x.json", "/compare/x/y"} {
		for what, c := range map[string]struct {
			edit func(*http.Request)
			jar  bool
			want int
		}{
			"no cookie":    {func(*http.Request) {}, false, 401},
			"another Host": {func(r *http.Request) { r.Host = "evil.example" }, true, 403},
			"another Origin": {func(r *http.Request) {
				r.Header.Set("Origin", "http://evil.example")
			}, true, 403},
			"a wrong token": {func(r *http.Request) { r.URL.RawQuery = "token=x" }, true, 401},
		} {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", v.base+path, nil)
			c.edit(req)
			client := *v.Client
			if !c.jar {
				client.Jar = nil
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != c.want {
				t.Errorf("%s, %s: %d, expected %d", path, what, res.StatusCode, c.want)
			}
		}
	}
	v.get(404, "/c/x")
	v.get(404, "/c/x.json")
	v.get(404, "/nothing")
}

// Nothing that a peer chooses becomes markup: names, protocols, the subject of a certificate, and
// what it says instead of TLS.
func TestPeersWriteNoMarkupIntoTheLiveView(t *testing.T) {
	s, ca := serving(t, "--echo", "--ui", "--reveal", "--client-auth", "require", "--client-any",
		"--alpn", "<script>alert(1)</script>")
	v := view(t, s.errs.String)
	ca2, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca2.Issue(throwaway.ECDSA, []string{"x"}, throwaway.ForClient,
		func(c *x509.Certificate) { c.Subject.CommonName = hostile.ASCII })
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{vitrine.VersionTLS12, vitrine.VersionTLS13} {
		talk(t, s, ca, hostile.Text, func(c *vitrine.Config) {
			c.MinVersion, c.MaxVersion = version, version
			c.Certificates, c.NextProtos = []tls.Certificate{
				cert,
			}, []string{
				"<script>alert(1)</script>",
			}
		})
	}
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "<script>alert(1)</script>\r\n\r\n")
	io.Copy(io.Discard, conn)
	conn.Close()
	offerHostile(t, s.addr)
	offered := 0
	rows := v.rows(func(rows []live.Row) bool { // events may come in later than the end of a row
		offered = slices.IndexFunc(rows, func(r live.Row) bool { return r.Offer != nil })
		return over(4)(rows) && offered >= 0
	})
	if o := rows[offered].Offer; !strings.Contains(o.ServerName+o.ALPN[0], "script") {
		t.Errorf("what was offered is %+v", o)
	}
	answers := map[string]string{"/events": v.streamed("", rows[offered].ID)}
	paths := []string{"/rows", "/compare/" + rows[0].ID + "/" + rows[1].ID}
	named := 0
	for _, r := range rows {
		paths = append(paths, "/c/"+r.ID, "/c/"+r.ID+".json")
		if strings.Contains(r.ALPN, "script") && strings.Contains(r.ClientCertificate, "script") {
			named++
		}
	}
	if named != 2 {
		t.Errorf("%d rows have the hostile names: %+v", named, rows)
	}
	for _, path := range paths {
		answers[path], _ = v.get(200, path)
	}
	for path, answer := range answers {
		for _, evil := range []string{"<script>window", "<script>alert", "<img", "\x1b", "\u202e"} {
			if strings.Contains(answer, evil) {
				t.Errorf("%s has %q", path, evil)
			}
		}
	}
}

// offerHostile sends a hello of TLS 1.0 whose texts are hostile, and waits until it was refused.
func offerHostile(t *testing.T, addr string) {
	t.Helper()
	hello := &message.ClientHello{Version: iana.TLS10, CipherSuites: []iana.CipherSuite{0x0A},
		CompressionMethods: []iana.CompressionMethod{0}}
	text := []byte(hostile.Text)
	for extension, content := range map[iana.ExtensionType]message.Content{
		iana.ExtALPN: &message.Protocols{Names: [][]byte{text[:min(len(text), 255)]}},
		iana.ExtServerName: &message.ServerNames{Names: []message.ServerName{
			{Type: iana.HostName, Name: text}}},
	} {
		if err := hello.Extensions.Add(extension, content); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := message.Dialect{}.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	conn.Write(append([]byte{22, 3, 1, byte(len(raw) >> 8), byte(len(raw))}, raw...))
	io.Copy(io.Discard, conn)
}

// A browser that comes again gets what it missed, and one of another run gets everything.
func TestAFollowerGoesOnWhereItWas(t *testing.T) {
	s, ca := serving(t, "--echo", "--ui")
	v := view(t, s.errs.String)
	talk(t, s, ca, "one\n", nil)
	first := v.rows(over(1))[0]
	all := v.streamed("", first.ID)
	ids := regexp.MustCompile(`(?m)^id: (\S+)$`).FindAllStringSubmatch(all, -1)
	last := ids[len(ids)-1][1]
	talk(t, s, ca, "two\n", nil)
	second := v.rows(over(2))[1]
	if again := v.streamed(last, second.ID); strings.Contains(again, first.ID+`"`) ||
		strings.Contains(again, `"whole"`) {
		t.Errorf("it got again what it had:\n%s", again)
	}
	for _, stranger := range []string{"another.5", "x", strings.Replace(last, ".", ".9", 1)} {
		if again := v.streamed(stranger, second.ID); !strings.Contains(again, first.ID+`"`) ||
			!strings.Contains(again, `"whole":true`) {
			t.Errorf("after %s: it did not get everything:\n%s", stranger, again)
		}
	}
}

// Followers that do not read are let go, and cost what one update takes; there is a bound on how
// many there are.
func TestFollowersAreBounded(t *testing.T) {
	s, _ := serving(t, "--echo", "--ui")
	v := view(t, s.errs.String)
	u, _ := url.Parse(v.base)
	cookie := v.Jar.Cookies(u)[0]
	follow := func() *bufio.Reader {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\nCookie: %s=%s\r\n\r\n", u.Host,
			cookie.Name, cookie.Value)
		return bufio.NewReader(c)
	}
	for n := range maxReaders + 1 {
		status, err := follow().ReadString('\n')
		want := "200"
		if n == maxReaders {
			want = "503"
		}
		if err != nil || !strings.Contains(status, want) {
			t.Fatalf("follower %d: %q, %v", n, status, err)
		}
	}
	if page, _ := v.get(200, "/"); !strings.Contains(page, "Live") {
		t.Error("others get no page any more")
	}
}

// A connection without a handshake has a page with what is known.
func TestConnectionsWithoutAStoryHaveAPage(t *testing.T) {
	s, ca := serving(t, "--ui")
	v := view(t, s.errs.String)
	for _, say := range []string{"", "GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n\r\n"} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, say)
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
		c.Close()
	}
	talk(t, s, ca, "", func(c *vitrine.Config) { c.RootCAs = x509.NewCertPool() })
	got := map[string]bool{}
	for _, r := range v.rows(over(4)) {
		got[r.Reason] = true
		page, _ := v.get(200, "/c/"+r.ID)
		story := strings.Contains(page, `class="ladder"`)
		if story != strings.HasPrefix(r.Reason, "alert_") ||
			!story && !strings.Contains(page, r.Reason) {
			t.Errorf("%s: a story: %v", r.Reason, story)
		}
	}
	for _, want := range []string{"left_without_a_word", "plain_http", "not_tls",
		"alert_from_client_unknown_ca"} {
		if !got[want] {
			t.Errorf("no row says %s: %v", want, got)
		}
	}
}

// A client that resets its connection, or is idle for too long, is told apart from one that ends
// it.
func TestRowsTellHowTheSocketEnded(t *testing.T) {
	s, ca := serving(t, "--echo", "--ui", "--idle-timeout", "100ms")
	v := view(t, s.errs.String)
	for _, reset := range []bool{true, false} {
		c, err := vitrine.Dial("tcp", s.addr, &vitrine.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if reset {
			io.WriteString(c, "x\n")
			c.Read(make([]byte, 1))
			c.NetConn().(*net.TCPConn).SetLinger(0)
			c.NetConn().Close()
		}
	}
	talk(t, s, ca, "still there\n", nil)
	reasons := map[string]int{}
	for _, r := range v.rows(over(3)) {
		reasons[r.Reason]++
	}
	if fmt.Sprint(reasons) != "map[close_notify:1 idle:1 reset:1]" {
		t.Errorf("%v", reasons)
	}
}

func TestTheLiveViewListensWhereItsFlagSays(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, args := range [][]string{{"--ui", "127.0.0.1:0"}, {"--ui=127.0.0.1:0"}, {"--ui"}} {
		s, _ := serving(t, args...)
		if v := view(t, s.errs.String); !strings.HasPrefix(v.base, "http://127.0.0.1:") {
			t.Errorf("%v: %s", args, v.base)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--ui", "nowhere"}, exitUsage, "takes no arguments"},
		{[]string{"--ui=nowhere"}, exitUsage, "--ui nowhere"},
		{[]string{"--ui=" + taken.Addr().String()}, exitFailed, "in use"},
		{[]string{"127.0.0.1:0"}, exitUsage, "takes no arguments"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...),
			&out, &errs)
		if code != c.code || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit code %d\n%s", c.args, code, errs.String())
		}
	}
}
