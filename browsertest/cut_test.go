package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// cutScript returns what sticks out of the window, or is cut by a box that does not scroll.
const cutScript = `(() => {
  const found = [];
  const known = new Map([[null, false]]); // whether an element or one around it scrolls
  const scrolls = (e) => {
    if (!known.has(e)) {
      const o = getComputedStyle(e).overflowX;
      known.set(e, o === "auto" || o === "scroll" || scrolls(e.parentElement));
    }
    return known.get(e);
  };
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility({visibilityProperty: true})) continue;
    if (e.closest("svg, .hidden, .skip")) continue;
    const r = e.getBoundingClientRect();
    if (!r.width || !r.height) continue;
    if (!scrolls(e) && (r.right > innerWidth + 1 || r.left < -1))
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
	for _, name := range testkit.Sample(t, "pages", 4, []string{"rsa", "mtls", "tls13-hybrid",
		"tls13-resume"}) {
		p := open(t, example(name))
		for _, all := range []bool{false, true} {
			if all {
				p.press("a")
				eval[bool](p,
					`(document.querySelectorAll("details").forEach(d => d.open = true), true)`)
			}
			for _, width := range []int64{1280, 400} {
				p.do(chromedp.EmulateViewport(width, 800))
				is(p, cutScript, "")
				is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
				if width == 400 && !all {
					is(p, `document.querySelector(".ladder").offsetHeight <= innerHeight * 0.4`,
						true)
				}
			}
		}
	}
}

// The attacker who gets the server's key later opens RSA key exchange, and nothing else.
func TestThiefOpensRSAOnly(t *testing.T) {
	const shown = `[...document.querySelectorAll(".val")].some(e => !e.closest("details") &&
		e.closest(".hid") && e.checkVisibility({visibilityProperty: true}))`
	opens := map[string]bool{"rsa": true, "ecdhe": false, "tls13": false}
	others := testkit.Sample(t, "others", 2, []string{"ecdhe", "tls13"})
	for _, name := range append(others, "rsa") {
		opens := opens[name]
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
