package browsertest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine"
)

// liveServer is `vitrine serve --ui`, and what connects to it.
type liveServer struct {
	*testing.T
	addr, url string
	roots     *x509.CertPool
}

var listening = regexp.MustCompile(`serves at (\S+),`)
var viewed = regexp.MustCompile(`live view: (\S+)`)

// vitrineCommand builds the command, once for all tests, in the browser's folder, which goes at the
// end.
var vitrineCommand = sync.OnceValues(func() (name string, err error) {
	name = filepath.Join(scratch, "vitrine")
	build := exec.Command("go", "build", "-o", name, "./cmd/vitrine")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return name, nil
})

// serveLive runs vitrine serve with the live view until the test ends.
func serveLive(t *testing.T, args ...string) *liveServer {
	t.Helper()
	name, err := vitrineCommand()
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	cmd := exec.Command(name, append([]string{"serve", "--listen", "127.0.0.1:0", "--ca-out", ca,
		"--ui"}, args...)...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	s := &liveServer{T: t}
	lines := bufio.NewScanner(errs)
	for s.url == "" && lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			s.addr = m[1]
		}
		if m := viewed.FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
		}
	}
	go func() { io.Copy(io.Discard, errs) }()
	pem, err := os.ReadFile(ca)
	if err != nil || s.url == "" {
		t.Fatalf("it did not start: %v", err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(pem)
	return s
}

// connect makes one connection with a request, which fails if bad is set.
func (s *liveServer) connect(bad bool, edit func(*vitrine.Config)) {
	s.Helper()
	c := &vitrine.Config{RootCAs: s.roots, ServerName: "localhost",
		NextProtos: []string{"http/1.1"}}
	if edit != nil {
		edit(c)
	}
	if bad {
		c.RootCAs = x509.NewCertPool()
	}
	conn, err := vitrine.DialWithDialer(nil, "tcp", s.addr, c)
	if (err != nil) != bad {
		s.Fatalf("connecting: %v", err)
	}
	if bad {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if _, err := io.ReadAll(conn); err != nil {
		s.Fatal(err)
	}
}

// old makes a connection that fails: it offers TLS 1.0 and 1.1, and an application protocol.
func (s *liveServer) old(protocol string) {
	s.Helper()
	if _, err := tls.Dial("tcp", s.addr, &tls.Config{MaxVersion: tls.VersionTLS11,
		MinVersion: tls.VersionTLS10, InsecureSkipVerify: true,
		NextProtos: []string{protocol}}); err == nil {
		s.Error("TLS 1.1 was accepted")
	}
}

// openLive opens the page of a live view.
func openLive(t *testing.T, s *liveServer) *tab {
	t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	return openFrom(t, s.url, "http://"+u.Host)
}

// eventually waits until a script is true.
func eventually(p *tab, script string) {
	p.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if eval[bool](p, "!!document.body && "+script) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.Fatalf("never true: %s\nthe page says: %s", script,
		eval[string](p, `document.body.innerText.slice(0, 2000)`))
}

const shownRows = `document.querySelectorAll("#rows tr").length`

// A browser sees connections come, filters the failures, opens one and compares two.
func TestLiveView(t *testing.T) {
	s := serveLive(t)
	p := openLive(t, s)
	eventually(p, `document.getElementById("link").textContent === "live"`)
	is(p, `location.search`, "")
	is(p, `document.cookie`, "")
	s.connect(false, nil)
	s.connect(false, func(c *vitrine.Config) { c.MaxVersion = tls.VersionTLS12 })
	eventually(p, shownRows+` === 2`)
	s.connect(true, nil)
	eventually(p, shownRows+` === 3 && document.querySelectorAll("tr.failed").length === 1`)
	eventually(p, `document.querySelectorAll("tr.closed").length === 2`)
	is(p, `document.querySelector("#rows tr").className.includes("failed")`, true)
	is(p, `document.querySelector("tr.failed .pill").textContent`,
		"alert of the client: unknown_ca")
	is(p, `document.querySelector("tr.failed .code").textContent`, "alert_from_client_unknown_ca")
	is(
		p,
		`[...document.querySelectorAll("tr.closed .say .sub")]
			.map(e => e.textContent.slice(0, 7)).join()`,
		"TLS 1.2,TLS 1.3",
	)

	// one that fails before anything is negotiated shows its offer, which is text
	s.old("<img src=x onerror=\"document.title='pwned'\">")
	const offer = `[...document.querySelectorAll("tr.failed .say")].find(e =>
		e.textContent.startsWith("offered: TLS 1.1, TLS 1.0"))`
	eventually(p, offer+` !== undefined`)
	is(p, offer+`.textContent.includes("<img src=x onerror=")`, true)
	is(p, `document.querySelector("#rows img") === null && document.title !== "pwned"`, true)

	if n := p.named(); n < 20 {
		t.Errorf("the page has %d controls", n)
	}
	p.tabs(20)
	p.do(script(`document.activeElement.blur()`))
	p.press("f")
	is(p, shownRows, 2)
	is(p, `document.querySelector('[data-show="failed"]').getAttribute("aria-pressed")`, "true")
	p.do(chromedp.Click(`[data-show="all"]`))
	is(p, shownRows, 4)
	p.press("/")
	p.do(chromedp.KeyEvent("closed tls 1.2"))
	eventually(p, shownRows+` === 1`)
	p.do(script(`(words => {
		words.value = ""
		words.dispatchEvent(new Event("input", {bubbles: true}))
	})(document.getElementById("find"))`))
	is(p, shownRows, 4)

	p.do(chromedp.Click(`tr.closed:nth-child(3) input`))
	p.do(chromedp.Click(`tr.closed:nth-child(4) input`))
	is(p, `document.getElementById("compare").hidden`, false)
	p.do(chromedp.Click(`#compare`))
	eventually(p, `document.querySelectorAll(".comparison tr").length > 5`)
	p.do(chromedp.Navigate("http://" + hostOf(s) + "/"))
	eventually(p, shownRows+` === 4`)
	p.do(chromedp.Click(`tr.failed:nth-child(2) .when a`))
	eventually(
		p,
		`document.body.innerText.includes("unknown_ca") && !!document.querySelector(".ladder")`,
	)
}

func hostOf(s *liveServer) string {
	u, _ := url.Parse(s.url)
	return u.Host
}

// The pictures of the live view are for people: see TestPictures.
func TestLivePictures(t *testing.T) {
	dir := os.Getenv("VITRINE_SCREENSHOTS")
	if dir == "" {
		t.Log("no pictures were asked for by VITRINE_SCREENSHOTS")
		return
	}
	s := serveLive(t, "--session-ids")
	p := openLive(t, s)
	tickets := vitrine.NewLRUClientSessionCache(4)
	for i := range 9 {
		s.connect(i%3 == 1, func(c *vitrine.Config) {
			c.ClientSessionCache = tickets
			if i%2 == 0 {
				c.MaxVersion = tls.VersionTLS12
			}
		})
	}
	open, err := vitrine.Dial("tcp", s.addr, &vitrine.Config{RootCAs: s.roots,
		ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	s.old("spdy/1")
	eventually(p, shownRows+` === 11`)
	for _, scheme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1280, "narrow": 400} {
			p.do(chromedp.EmulateViewport(width, 860), colorScheme(scheme))
			time.Sleep(1500 * time.Millisecond) // until nothing moves
			if width == 400 {
				is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
			}
			png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, strings.Join([]string{"live", name, scheme}, "-")+".png")
			if err := os.WriteFile(file, png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
