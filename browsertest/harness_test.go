// Package browsertest opens Vitrine's pages in a real browser, headless, driven by chromedp. It is a
// module of its own, so that programs that import Vitrine do not depend on chromedp.
//
// The browser is the one that VITRINE_BROWSER names; else Debian's chromium-headless-shell, which is
// Chromium's engine without the rest of the browser, and takes less than half of its time; else
// chromium.
package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/render/html"
)

// browser is the one that all tests use.
var browser context.Context

const noBrowser = "no browser here: install the Debian package chromium-headless-shell"

// scratch is a folder that is there until the last test has ended.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	path, err := installed()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if path == "" {
		return m.Run() // each test skips itself with a reason
	}
	profile, err := os.MkdirTemp("", "vitrine-browser-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(profile)
	scratch = profile
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(1440, 900))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	defer cancel()
	var stop context.CancelFunc
	browser, stop = chromedp.NewContext(allocator)
	defer stop()
	if err := chromedp.Do(browser); err != nil {
		fmt.Fprintln(os.Stderr, path, "does not start:", err)
		return 1
	}
	return m.Run()
}

// installed returns the path of the browser, or "" if none is installed.
func installed() (path string, err error) {
	if named := os.Getenv("VITRINE_BROWSER"); named != "" {
		return exec.LookPath(named)
	}
	return testkit.FindChromium(true), nil
}

// tab is a page in the browser, and the errors that it reported.
type tab struct {
	*testing.T
	ctx  context.Context
	from string // how the addresses of its own requests begin

	mu       sync.Mutex
	troubles []string
	requests []string
}

// open opens a page. It fails the test at its end if the page reported an error or made a network
// request.
func open(t *testing.T, address string) *tab {
	t.Helper()
	return openFrom(t, address, "file://")
}

// openFrom opens a page as open does. Requests for addresses that begin with from are its own.
func openFrom(t *testing.T, address, from string) *tab {
	t.Helper()
	if browser == nil {
		t.Skip(noBrowser)
	}
	ctx, cancel := chromedp.NewContext(browser)
	ctx, timeout := context.WithTimeout(ctx, 3*time.Minute)
	p := &tab{T: t, ctx: ctx, from: from}
	t.Cleanup(func() {
		timeout()
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.troubles {
			t.Errorf("the page complained: %s", s)
		}
		if len(p.requests) > 0 {
			t.Errorf("the page asked the network: %v", p.requests)
		}
	})
	p.do() // makes the tab
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	p.do(call(network.Enable, network.EnableParams{}), call(cdplog.Enable, cdp.Empty{}),
		call(runtime.Enable, cdp.Empty{}))
	if from == "file://" {
		p.do(unplug)
	}
	p.do(chromedp.Navigate(address))
	return p
}

func (p *tab) listen(e any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.troubles = append(p.troubles, fmt.Sprintf("console.%s", e.Type))
	case *cdplog.EventEntryAdded:
		p.troubles = append(p.troubles, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.from) &&
			!strings.HasPrefix(e.Request.URL, "blob:") {
			p.requests = append(p.requests, e.Request.URL)
		}
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.Fatal(err)
	}
}

// call returns an action for a command of the protocol whose result is ignored.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, command, params)
		return err
	})
}

// script returns an action that runs a script without a result.
func script(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("("+text+", true)"))
		return err
	})
}

// eval runs a script in the page and returns its result.
func eval[V any](p *tab, script string) V {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[V](script))
	if err != nil {
		p.Fatalf("%s: %v", script, err)
	}
	return v
}

// metric returns one of the browser's figures of a page. Performance.enable starts them.
func (p *tab) metric(name string) float64 {
	p.Helper()
	var value float64
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		all, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range all.Metrics {
			if m.Name == name {
				value = m.Value
				return nil
			}
		}
		return fmt.Errorf("the browser does not tell %s: %v", name, all.Metrics)
	}))
	return value
}

// is compares the result of a script.
func is[V comparable](p *tab, script string, want V) {
	p.Helper()
	if got := eval[V](p, script); got != want {
		p.Errorf("%s\ngot  %v\nwant %v", script, got, want)
	}
}

// mouse clicks on the middle of what a selector names, as a hand does: whatever lies above it there
// gets the click.
func (p *tab) mouse(selector string) {
	p.Helper()
	at := eval[[]float64](p, `(e => {
		e.scrollIntoView({block: "nearest"});
		const r = e.getBoundingClientRect();
		return [r.left + r.width / 2, r.top + r.height / 2];
	})(document.querySelector(`+strconv.Quote(selector)+`))`)
	for _, kind := range []input.DispatchMouseEventType{"mouseMoved", "mousePressed",
		"mouseReleased"} {
		p.do(call(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at[0],
			Y: at[1], Button: input.MouseButtonLeft, ClickCount: 1}))
	}
}

// press types a key on the page.
func (p *tab) press(key string) {
	p.Helper()
	p.do(chromedp.KeyEvent(key))
	time.Sleep(50 * time.Millisecond) // hashchange comes later
}

func example(name string) string { return file("../docs/pages/" + name + ".html") }

func file(name string) string {
	path, err := filepath.Abs(name)
	if err != nil {
		panic(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// page writes a page of runs to a temporary file and returns its address.
func page(t *testing.T, runs ...html.Run) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "page.html"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := html.Write(f, html.Options{}, runs...); err != nil {
		t.Fatal(err)
	}
	return file(f.Name())
}

func perform(t *testing.T, o demo.Options) html.Run {
	t.Helper()
	o.Data, o.Seed = demo.Request, "docs"
	out, err := demo.Perform(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return html.Run{Entries: out.Entries, About: out.Run}
}

var (
	rsa   = demo.Options{Suite: iana.TLS_RSA_WITH_AES_256_CBC_SHA256, Auth: throwaway.RSA}
	ecdhe = demo.Options{Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: iana.X25519,
		Auth: throwaway.RSA, ExtendedMasterSecret: true}
)
