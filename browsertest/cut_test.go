package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// cutScript returns what sticks out of the window, or is cut by a box that does not scroll.
const cutScript = `(() => {
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility({visibilityProperty: true})) continue;
    if (e.closest("svg, .hidden, .skip")) continue;
    const r = e.getBoundingClientRect();
    if (!r.width || !r.height) continue;
    let scrolls = false;
    for (let p = e; p; p = p.parentElement) {
      const o = getComputedStyle(p).overflowX;
      if (o === "auto" || o === "scroll") scrolls = true;
    }
    if (!scrolls && (r.right > innerWidth + 1 || r.left < -1))
      found.push("sticks out: " + e.tagName + "." + e.className + " " + e.textContent.slice(0, 30));
    const s = getComputedStyle(e);
    if (s.overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1)
      found.push("cut: " + e.tagName + "." + e.className + " " + e.textContent.slice(0, 30));
  }
  return found.slice(0, 5).join("; ");
})()`

// Nothing is cut, and nothing sticks out, on a laptop and on a phone, with all steps and all
// details open. On a phone the story has most of the screen.
func TestNothingIsCut(t *testing.T) {
	for _, size := range [][2]int64{{1280, 800}, {400, 800}} {
		for _, name := range []string{"rsa", "mtls", "tls13-hybrid", "tls13-resume"} {
			p := open(t, example(name))
			p.do(chromedp.EmulateViewport(size[0], size[1]))
			is(p, cutScript, "")
			if size[0] == 400 {
				is(p, `document.querySelector(".ladder").offsetHeight <= innerHeight * 0.4`, true)
			}
			p.press("a")
			eval[bool](p,
				`(document.querySelectorAll("details").forEach(d => d.open = true), true)`)
			is(p, cutScript, "")
			is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
		}
	}
}

// The attacker who gets the server's key later opens RSA key exchange, and nothing else.
func TestThiefOpensRSAOnly(t *testing.T) {
	const shown = `[...document.querySelectorAll(".val")].some(e => !e.closest("details") &&
		e.closest(".hid") && e.checkVisibility({visibilityProperty: true}))`
	for name, opens := range map[string]bool{"rsa": true, "ecdhe": false, "tls13": false} {
		p := open(t, example(name))
		p.press("a")
		p.press("k")
		is(p, shown, opens)
		is(p, `[...document.querySelectorAll(".thief-says")].some(e => e.checkVisibility() &&
			e.classList.contains("`+map[bool]string{true: "open", false: "shut"}[opens]+`"))`, true)
		p.press("e") // the other switch ends this one
		is(p, `document.querySelector("#thief").getAttribute("aria-pressed")`, "false")
		is(p, shown, false)
		p.press("e")
		is(p, shown, true)
	}
}
