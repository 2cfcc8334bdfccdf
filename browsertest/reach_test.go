package browsertest

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// unplug takes the network from a page: it must need none.
var unplug = call(cdp.Command[network.OverrideNetworkStateParams, cdp.Empty]{
	Method: "Network.emulateNetworkConditions"}, network.OverrideNetworkStateParams{Offline: true,
	DownloadThroughput: -1, UploadThroughput: -1})

// controls are the roles of what somebody can use.
var controls = []string{"button", "link", "checkbox", "textbox", "searchbox", "slider",
	"spinbutton", "combobox", "grid", "progressbar", "navigation", "region", "toolbar", "dialog"}

// named fails for each control that a screen reader has no name for, and if nothing on the page is
// a live region. It returns how many controls there are.
func (p *tab) named() (n int) {
	p.Helper()
	live := false
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree,
			accessibility.GetFullAXTreeParams{})
		for _, node := range tree.Nodes {
			role, name := textOf(node.Role), textOf(node.Name)
			for _, property := range node.Properties {
				live = live || property.Name == "live" && textOf(property.Value) == "polite"
			}
			if node.Ignored || !slices.Contains(controls, role) {
				continue
			}
			if n++; name == "" {
				p.Errorf("a %s has no name (node %d)", role, node.BackendDOMNodeID)
			}
		}
		return err
	}))
	if !live {
		p.Error("there is no live region")
	}
	return n
}

func textOf(v *accessibility.Value) (s string) {
	if v != nil {
		json.Unmarshal(v.Value, &s)
	}
	return s
}

// focused says what is wrong with how the element with the focus is shown: that it cannot be seen
// that it has it, or that something lies above it.
const focused = `(e => {
	const s = getComputedStyle(e), r = e.getBoundingClientRect();
	const name = e.id || e.dataset.deed || e.className || e.tagName;
	const shown = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0;
	const top = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
	if (!shown && s.boxShadow === "none") return name + " does not show the focus";
	if (!top || !(e.contains(top) || top.contains(e))) return name + " is covered";
	return "";
})(document.activeElement)`

// tabs goes through the page by the tab key, n times, and fails where it cannot be seen where it
// is.
func (p *tab) tabs(n int) {
	p.Helper()
	for range n {
		p.do(chromedp.KeyEvent(kb.Tab))
		if wrong := eval[string](p, focused); wrong != "" {
			p.Error(wrong)
		}
	}
}
