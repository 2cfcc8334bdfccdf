package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// The key schedule of TLS 1.3 is a page of its own, whose values open with the keyboard and can be
// linked to. See RFC 8446 §7.1.
func TestKeyScheduleIsOpenedWithTheKeyboard(t *testing.T) {
	p := open(t, example("tls13")+"#key-schedule")
	is(p, currentID, "key-schedule")
	is(p, `document.querySelectorAll("#key-schedule .node").length >= 26`, true)
	const root = `document.querySelector("#node-handshake_secret")`
	is(p, root+`.open`, false)
	eval[bool](p, `(`+root+`.querySelector("summary").focus(), true)`)
	p.press(kb.Enter)
	is(p, root+`.open`, true)
	for _, part := range []string{".formula", ".out .val", ".command pre",
		`a[href="#handshake-keys"]`} {
		is(p, root+`.querySelector('`+part+`').checkVisibility()`, true)
	}
	p.do(script(`document.querySelector(` +
		`'#node-handshake_secret a[href="#node-shared_secret"]').click()`))
	time.Sleep(100 * time.Millisecond)
	is(p, currentID, "key-schedule")
	is(p, `document.querySelector("#node-shared_secret").open`, true)
	is(p, `document.activeElement.closest("details").id`, "node-shared_secret")
	p.do(script(`location.hash = "node-client_handshake_write_key"`))
	time.Sleep(100 * time.Millisecond)
	is(p, `document.querySelector("#node-client_handshake_write_key").open`, true)
}

// The chapters of TLS 1.3 are seven, and an eavesdropper sees none of the tree.
func TestPageOfTLS13TurnsAndHides(t *testing.T) {
	p := open(t, example("tls13"))
	for key, want := range map[string]string{"1": "client-hello", "2": "shared",
		"3": "encrypted-extensions", "4": "application-keys", "5": "change-cipher-spec-2",
		"6": "application-data-client", "7": "new-session-ticket"} {
		p.press(key)
		is(p, currentID, want)
	}
	p.do(script(`location.hash = "key-schedule"`))
	time.Sleep(100 * time.Millisecond)
	eval[bool](p,
		`(document.querySelectorAll("#key-schedule details").forEach(d => d.open = true), true)`)
	p.press("e")
	// What stays is what anybody can compute: without a PSK the first two secrets and how to compute
	// them, the salt of handshake_secret, and hashes of the hellos and of nothing.
	is(p, `[...document.querySelectorAll("#key-schedule .pair .val, #key-schedule .command pre")]
		.filter(e => e.checkVisibility({visibilityProperty: true}))
		.map(e => e.closest(".node").id.slice("node-".length) + (e.matches("pre") ? "!" : ""))
		.join(" ")`, "early_secret early_secret! early_derived_secret early_derived_secret "+
		"early_derived_secret early_derived_secret! handshake_secret "+
		"client_handshake_traffic_secret server_handshake_traffic_secret "+
		"handshake_derived_secret")
	is(p, `document.querySelectorAll(".slot.born").length > 12`, true)
}

func TestPageOfTLS13FitsNarrowWindow(t *testing.T) {
	p := open(t, example("tls13-hybrid")+"#key-schedule")
	for _, width := range testkit.Sample(t, "widths", 3, []int64{360, 400, 1280}) {
		p.do(chromedp.EmulateViewport(width, 740))
		eval[bool](p,
			`(document.querySelectorAll("details").forEach(d => d.open = true), true)`)
		is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
		for _, key := range []string{"1", "2", "3", "4", "7"} {
			p.press(key)
			is(p, `document.documentElement.scrollWidth <= innerWidth`, true)
		}
		p.do(script(`location.hash = "key-schedule"`))
		time.Sleep(100 * time.Millisecond)
	}
}
