package browsertest

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// colorScheme sets the preferred colour scheme, light or dark.
func colorScheme(scheme string) chromedp.Action[chromedp.Void] {
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

func noScript() chromedp.Action[chromedp.Void] {
	return call(emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
}

func TestPageFitsNarrowWindow(t *testing.T) {
	p := open(t, example("ecdhe")+"#key-block")
	for _, width := range testkit.Sample(t, "widths", 3, []int64{360, 768, 1024}) {
		p.do(chromedp.EmulateViewport(width, 740))
		for _, key := range []string{"1", "2", "4", "6"} {
			p.press(key)
			is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
		}
	}
}

// Every step is printed, one below the other, with all details open.
func TestEveryStepIsPrinted(t *testing.T) {
	p := open(t, example("rsa"))
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if len(pdf) < 50_000 {
		t.Errorf("a PDF of %d bytes cannot hold every step", len(pdf))
	}
	p.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
	if got, all := eval[int](p, shownSteps), eval[int](p, allSteps); got != all {
		t.Errorf("printed: %d of %d steps", got, all)
	}
	if dir := os.Getenv("VITRINE_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(dir+"/print.pdf", pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The pictures are for people. VITRINE_SCREENSHOTS names the folder for them. docs/img/page.png is
// one of them.
func TestPictures(t *testing.T) {
	dir := os.Getenv("VITRINE_SCREENSHOTS")
	if dir == "" {
		t.Log("no pictures were asked for by VITRINE_SCREENSHOTS")
		return
	}
	shot := func(name, address, scheme string, w, h int64,
		actions ...chromedp.Action[chromedp.Void]) {
		p := open(t, address)
		p.do(chromedp.EmulateViewport(w, h), colorScheme(scheme))
		p.do(actions...)
		time.Sleep(1600 * time.Millisecond) // until nothing moves
		png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+name+".png", png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	openAll := script(
		`document.querySelectorAll(".step.current details").forEach(d => d.open = true)`)
	key := func(k string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(k) }
	shot("hello-light", example("ecdhe"), "light", 1440, 900)
	shot("bytes-light", example("ecdhe")+"#client-hello", "light", 1440, 1600, openAll)
	shot("cert-dark", example("ecdhe")+"#certificate", "dark", 1440, 1800, openAll)
	shot("ske-light", example("dhe")+"#server-key-exchange", "light", 1440, 1400)
	shot("cke-dark", example("ecdhe")+"#client-key-exchange", "dark", 1440, 1200)
	shot("master-light", example("ecdhe")+"#master-secret", "light", 1440, 1400, openAll)
	shot("keys-dark", example("rsa")+"#key-block", "dark", 1440, 1400)
	shot("record-light", example("rsa")+"#application-data-client", "light", 1440, 1400, openAll)
	shot("record-gcm-dark", example("ecdhe")+"#application-data-client", "dark", 1440, 1200)
	shot("record-etm-light", example("mtls")+"#application-data-client", "light", 1440, 1200)
	shot("eve-light", example("rsa")+"#master-secret", "light", 1440, 900, key("e"))
	shot("quiz-light", example("rsa")+"#key-block", "light", 1440, 1400, key("q"))
	shot("panel-light", example("rsa")+"#key-block", "light", 1440, 900,
		chromedp.Click(`.slot[data-secret="master_secret"]`))
	shot("glossary-dark", example("rsa"), "dark", 1440, 900, key("?"))
	shot("narrow-light", example("rsa")+"#key-block", "light", 390, 844)
	shot("narrow-dark", example("ecdhe")+"#server-hello", "dark", 390, 1400)
	shot("apart-light", example("rsa")+"#left-out", "light", 1440, 1200)
	shot("result-light", example("rsa")+"#result", "light", 1440, 900)
	shot("mtls-dark", example("mtls")+"#certificate-verify", "dark", 1440, 1000)
	shot("compare-light", page(t, perform(t, rsa), perform(t, ecdhe)), "light", 1600, 1400)
	shot("all-light", example("rsa"), "light", 1440, 4000, key("a"))
	shot("schedule-dark", example("tls13-resume")+"#key-schedule", "dark", 1440, 1400)
	shot("schedule-narrow", example("tls13")+"#key-schedule", "light", 390, 1400)
	shot("page", example("tls13")+"#key-schedule", "light", 1440, 1180)
}
