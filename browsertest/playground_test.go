package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/playpage"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/playground"
)

// playgroundPage is the playground as one file.
var playgroundPage = sync.OnceValues(func() ([]byte, error) {
	assets, err := playpage.FromSource(context.Background(), os.Stderr)
	if err != nil {
		return nil, err
	}
	return playpage.File(assets)
})

// playgroundFile writes the playground to a folder in which nothing else is, after an edit of its
// text, and returns its address.
func playgroundFile(t *testing.T, edit ...string) string {
	t.Helper()
	if browser == nil {
		t.Skip(noBrowser)
	}
	page, err := playgroundPage()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "playground.html")
	text := strings.NewReplacer(edit...).Replace(string(page))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file(name)
}

// playgroundAt opens the playground with a fragment and waits until it has performed its run.
func playgroundAt(t *testing.T, fragment string) *tab {
	t.Helper()
	p := open(t, playgroundFile(t)+fragment)
	p.until(`document.documentElement.dataset.ready > 0`)
	return p
}

// until waits until a condition of the page holds.
func (p *tab) until(condition string) {
	p.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if eval[bool](p, "Boolean("+condition+")") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.Fatalf("this never came: %s\nthe page says: %s", condition, eval[string](p,
		`document.querySelector("#verdict").textContent`))
}

// shown waits until the page shows the run of its state, and returns its digest and its verdict.
func (p *tab) shown() (digest, sentence string) {
	p.Helper()
	p.until(`document.documentElement.dataset.glass === document.documentElement.dataset.shown`)
	return eval[string](p, `document.querySelector("#verdict").dataset.digest`),
		eval[string](p, `document.querySelector("#sentence").textContent`)
}

// address returns the fragment of a setup with acts, as a teacher would hand it out.
func address(s playground.Setup, acts []playground.Act) string {
	var setup map[string]any
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(b, &setup); err != nil {
		panic(err)
	}
	q := url.Values{}
	for k, v := range setup {
		if v == true {
			v = 1
		}
		q.Set(k, fmt.Sprint(v))
	}
	for _, a := range acts {
		place := fmt.Sprintf("%s.%s%d", a.Kind, a.Side.String()[:1], a.Record)
		switch a.Kind {
		case playground.Flip:
			place += fmt.Sprintf(".%d.%02x", a.Offset, a.Mask)
		case playground.Cut:
			place += fmt.Sprintf(".%d", a.Offset)
		case playground.Replay:
			if a.Fresh {
				place += ".fresh"
			} else {
				place += fmt.Sprintf(".%d", a.At)
			}
		}
		q.Add("act", place)
	}
	return "#" + q.Encode()
}

// randomRun returns a setup and acts that are drawn, and what they come to natively.
func randomRun(t *testing.T, r *rand.Rand) (playground.Setup, []playground.Act,
	*playground.Result) {
	t.Helper()
	suites := []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		"TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"}
	s := playground.Setup{
		Seed:                 fmt.Sprint("browser ", r.Uint64()),
		Suite:                suites[r.IntN(len(suites))],
		ExtendedMasterSecret: r.IntN(2) == 0,
		ClientCertificate:    r.IntN(3) == 0,
	}
	if r.IntN(2) == 0 {
		s.Version, s.ExtendedMasterSecret = "1.3", false
		s.Retry, s.KeyUpdate = r.IntN(3) == 0, r.IntN(3) == 0
		s.Suite = []string{"", "TLS_CHACHA20_POLY1305_SHA256",
			"TLS_AES_256_GCM_SHA384"}[r.IntN(3)]
	}
	clean, err := playground.Run(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var acts []playground.Act
	for range 1 + r.IntN(2) {
		of := clean.Records[r.IntN(len(clean.Records))]
		kind := []playground.Kind{playground.Flip, playground.Flip, playground.Flip,
			playground.Drop, playground.Duplicate, playground.Swap, playground.Replay,
			playground.Cut}[r.IntN(8)]
		a := playground.Act{Kind: kind, Side: of.Side, Record: of.Number}
		if kind == playground.Flip || kind == playground.Cut {
			a.Offset, a.Mask = r.IntN(len(of.Sent)), byte(1+r.IntN(255))
		}
		a.Fresh = kind == playground.Replay && of.Side == iana.Client && r.IntN(2) == 0
		acts = append(acts, a)
	}
	want, err := playground.Run(s, acts)
	if err != nil {
		t.Fatal(err)
	}
	return s, acts, want
}

// A run in the page is the run of the same seed and acts natively, to the last byte on the wire and
// the last word of the verdict.
func TestPlaygroundRunsAsNatively(t *testing.T) {
	p := playgroundAt(t, "")
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	n := 40
	if testing.Short() {
		n = 3
	}
	outcomes := map[playground.Outcome]int{}
	for range n {
		s, acts, want := randomRun(t, r)
		fragment := address(s, acts)
		before := eval[string](p, `document.documentElement.dataset.shown`)
		eval[bool](p, fmt.Sprintf(`(location.hash = %q, true)`, fragment))
		p.until(`document.documentElement.dataset.shown !== "` + before + `"`)
		digest, sentence := p.shown()
		if digest != want.Digest || sentence != want.Verdict.Sentence {
			t.Errorf("seed %d, %s:\npage   %s %s\nnative %s %s", seed, fragment, digest, sentence,
				want.Digest, want.Verdict.Sentence)
		}
		outcomes[want.Verdict.Outcome]++
	}
	t.Logf("%d runs: %v", n, outcomes)
	if len(outcomes) < 2 && n > 3 {
		t.Errorf("all %d runs came to the same: %v", n, outcomes)
	}
}

// The file needs 'wasm-unsafe-eval', and says so where it is missing. With it there is no report of
// the policy: open sees to that in each test.
func TestPlaygroundNeedsItsPolicy(t *testing.T) {
	if testing.Short() {
		t.Skip("with -short: a page of 5 MB is loaded for one sentence")
	}
	p := open(t, playgroundFile(t, " &#39;wasm-unsafe-eval&#39;", ""))
	p.until(`document.documentElement.dataset.broken === "true"`)
	is(p, `document.querySelector("#sentence").textContent`, "The playground does not start here.")
	p.mu.Lock()
	p.troubles = nil // the browser's report of the policy
	p.mu.Unlock()
	is(p, `document.documentElement.dataset.ready === undefined`, true)
}

// With the mouse: a click on a byte flips it, a second click takes that back, and so does the
// browser's Back.
func TestAPlaygroundClickFlipsAByteAndTakesItBack(t *testing.T) {
	p := playgroundAt(t, "#version=1.3")
	clean, _ := p.shown()
	act := func(do chromedp.Action[chromedp.Void]) (string, string) {
		before := eval[string](p, `document.documentElement.dataset.shown`)
		p.do(do)
		p.until(`document.documentElement.dataset.shown !== "` + before + `"`)
		return p.shown()
	}
	const random = `[data-key="c1"] .line:nth-child(2) .b:nth-child(5)` // byte 19
	want, err := playground.Run(playground.Setup{Version: "1.3"},
		[]playground.Act{{Kind: playground.Flip, Record: 1, Offset: 19}})
	if err != nil {
		t.Fatal(err)
	}
	digest, sentence := act(chromedp.Click(random))
	if digest != want.Digest || sentence != want.Verdict.Sentence || digest == clean {
		t.Errorf("got %q, expected %q", sentence, want.Verdict.Sentence)
	}
	is(p, `document.querySelector("`+strings.ReplaceAll(random, `"`, `\"`)+
		`").classList.contains("hit")`, true)
	is(p, `document.querySelector("#insp-name").textContent`, "client_hello › random")
	is(p, `document.querySelectorAll("#acts li").length`, 1)
	if digest, _ := act(chromedp.Click(random)); digest != clean {
		t.Error("a second click does not take the first back")
	}
	act(chromedp.Click(`#records .rec:first-child [data-deed="drop"]`))
	is(p, `document.querySelector("#verdict").dataset.outcome`, "stalled")
	if digest, _ := act(script(`history.back()`)); digest != clean {
		t.Error("Back does not go back")
	}
	act(script(`history.forward()`))
	is(p, `document.querySelector("#verdict").dataset.outcome`, "stalled")
}

// With the keyboard alone, from the top of the page: to the wire, to a byte, flip it, read the
// verdict, and take it back.
func TestThePlaygroundWorksByKeyboard(t *testing.T) {
	p := playgroundAt(t, "")
	clean, _ := p.shown()
	change := func(key string) string {
		before := eval[string](p, `document.documentElement.dataset.shown`)
		p.press(key)
		p.until(`document.documentElement.dataset.shown !== "` + before + `"`)
		digest, _ := p.shown()
		return digest
	}
	p.press(kb.Tab)
	is(p, `document.activeElement.dataset.skip`, "wire")
	p.press(kb.Enter)
	is(p, `document.activeElement.offset`, 0)
	for _, k := range []string{kb.ArrowDown, kb.ArrowRight, kb.ArrowRight} {
		p.press(k)
	}
	is(p, `document.activeElement.offset`, 18)
	is(p, `document.activeElement.getAttribute("aria-label").startsWith("byte 18, hex ")`, true)
	changed := change("3")
	want, err := playground.Run(playground.Setup{}, []playground.Act{{Kind: playground.Flip,
		Record: 1, Offset: 18, Mask: 8}})
	if err != nil {
		t.Fatal(err)
	}
	if changed != want.Digest {
		t.Error("3 flips another bit than the fourth")
	}
	is(p, `document.querySelector("#sentence").getAttribute("aria-live")`, "polite")
	is(p, `document.activeElement.offset`, 18) // the focus stays
	if change("u") != clean {
		t.Error("u does not undo")
	}
	p.press(kb.PageDown)
	is(p, `document.activeElement.closest(".rec").dataset.key`, "s1")
	change("[")
	is(p, `document.querySelector("#step-text").textContent.startsWith("12 of ")`, true)
	p.press("l")
	is(p, `document.querySelector("#lessons").hidden`, true)
	p.press("l")
	is(p, `document.activeElement.dataset.lesson`, "1")
	p.press(kb.Enter)
	p.until(`document.activeElement.id === "lesson-1-title"`)

	is(p, `navigator.onLine`, false) // all of this was without a network
	p.do(script(`document.activeElement.blur()`))
	p.press("h")
	p.do(script(`document.querySelector(".skip").focus()`))
	p.tabs(60)
	if n := p.named(); n < 60 {
		t.Errorf("the page has %d controls", n)
	}
}

// A lesson is done once its goals were reached by its knob and its tools, with the mouse.
func TestAPlaygroundLessonEndsWithItsGoals(t *testing.T) {
	p := playgroundAt(t, "#lesson=5")
	p.until(`document.querySelectorAll("#lesson-5 .goal").length === 6`)
	is(p, `document.querySelector("#lesson-5").checkVisibility()`, true)
	is(p, `document.querySelector("#lesson-6").checkVisibility()`, false)
	positions := 2
	if testing.Short() {
		positions = 1
	}
	for position := range positions {
		if position == 1 {
			p.do(chromedp.Click(`#lesson-5 [data-position="1"]`))
			p.until(`document.querySelectorAll("#acts li").length === 0`) // another handshake
		}
		for _, tool := range []string{"bad-block", "bad-length", "bad-version"} {
			p.do(chromedp.Click(`#lesson-5 [data-tool="` + tool + `"]`))
			p.until(`!document.querySelector('#lesson-5 [data-tool="` + tool + `"]').disabled`)
			p.shown()
		}
		is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
		p.until(fmt.Sprintf(`document.querySelectorAll("#lesson-5 .goal.met").length >= %d`,
			3*(position+1)))
	}
	if testing.Short() {
		t.Log("1 of 2 positions of the knob: a sample, because of -short")
		return
	}
	p.until(`document.querySelector("#lesson-5").classList.contains("whole")`)
	is(p, `document.querySelector('#lessons [data-lesson="5"] .done').hidden`, false)
}

// A sweep colours every byte while the page goes on, and finds the two that nobody protects.
func TestAPlaygroundSweepColoursEveryByte(t *testing.T) {
	if testing.Short() {
		t.Skip("with -short: a sweep takes ten seconds or more")
	}
	p := playgroundAt(t, "")
	p.mouse(`#sweep-button`)
	p.until(`document.querySelector("#sweep-bar").value > 0`)
	p.do(chromedp.Click(`[data-key="c1"] .b`)) // the page is alive meanwhile
	p.until(`document.querySelectorAll("#acts li").length === 1`)
	p.until(`document.querySelector("#sweep-bar").hidden`)
	is(p, `document.querySelector("#sweep-legend li").textContent`,
		"nobody: a flip is not noticed2 bytes")
	is(p, `[...document.querySelectorAll(".b.g.open")].map(b => b.offset).join()`, "2,2")
	// each check has a letter and a colour of its own
	const marks = `[...document.querySelectorAll("#sweep-legend .sw")].map(`
	is(p, `new Set(`+marks+`e => e.dataset.g)).size >= 12`, true)
	is(p, `new Set(`+marks+`e => getComputedStyle(e).backgroundColor)).size -
		document.querySelectorAll("#sweep-legend .sw").length`, 0)
}

// Nothing is cut or sticks out, and all text can be read, in both sizes and both schemes.
func TestPlaygroundLooksRight(t *testing.T) {
	p := playgroundAt(t, "#lesson=4&suite=TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA&"+
		"act=flip.c4.40.01&at=c4.40")
	p.mouse(`#setup-button`)
	p.until(`!document.querySelector("#setup").hidden`)
	for _, scheme := range testkit.Sample(t, "schemes", 2, []string{"light", "dark"}) {
		for _, width := range []int64{400, 1280} {
			p.do(chromedp.EmulateViewport(width, 800), colorScheme(scheme))
			is(p, cutScript, "")
			is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
			worst := eval[string](p, contrastScript)
			var ratio float64
			if fmt.Sscan(worst, &ratio); ratio < 4.5 {
				t.Errorf("%s, %d: contrast %s", scheme, width, worst)
			}
		}
	}
}
