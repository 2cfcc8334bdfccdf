package browsertest

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// clicked flips a byte and resolves to the milliseconds until the verdict stands in the page.
const clicked = `new Promise((done) => {
	const root = document.documentElement, before = root.dataset.shown;
	const b = document.querySelector('[data-key="c1"] .line:nth-child(%d) .b:nth-child(%d)');
	const from = performance.now();
	new MutationObserver((_, o) => {
		if (root.dataset.shown === before) return;
		o.disconnect();
		done(performance.now() - from);
	}).observe(root, {attributes: true});
	b.click();
})`

// The file has 5 MB at most. Under a processor throttled four times it is ready in four seconds,
// and a verdict stands 200 ms after a click: that is for a machine with nothing else to do, and the
// bounds of this test leave room for one that has. VITRINE_BUDGETS=1 holds it to the budgets.
func TestPlaygroundIsQuick(t *testing.T) {
	room := 15.0
	if os.Getenv("VITRINE_BUDGETS") != "" {
		room = 1
	}
	page, err := playgroundPage()
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 5_000_000 {
		t.Errorf("the file has %d bytes", len(page))
	}
	p := open(t, "about:blank")
	throttle := func(rate float64) {
		p.do(call(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: rate}))
	}
	throttle(4)
	address := playgroundFile(t)
	p.do(chromedp.Navigate(address))
	p.until(`document.documentElement.dataset.ready > 0`)
	ready := eval[float64](p, `Number(document.documentElement.dataset.ready)`)
	var all []float64
	lines := 4
	if testing.Short() {
		lines = 1
	}
	for line := 1; line <= lines; line++ {
		for at := 2; at <= 17; at += 2 {
			all = append(all, evalPromise(p, fmt.Sprintf(clicked, line, at)))
			p.shown()
		}
	}
	slices.Sort(all)
	p95 := all[len(all)*95/100]
	t.Logf("%d bytes, ready after %.0f ms, a verdict after %.0f ms (95th percentile of %d clicks "+
		"%.0f)", len(page), ready, all[len(all)/2], len(all), p95)
	if ready > 4000*room || p95 > 200*room {
		t.Errorf("ready after %.0f ms, 95th percentile of a verdict %.0f ms", ready, p95)
	}
}

// evalPromise runs a script in the page and returns what its promise resolves to.
func evalPromise(p *tab, script string) float64 {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", script, err)
	}
	return v
}
