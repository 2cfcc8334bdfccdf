package browsertest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestPlaygroundPictures(t *testing.T) {
	dir := os.Getenv("VITRINE_SCREENSHOTS")
	if dir == "" {
		t.Log("no pictures were asked for by VITRINE_SCREENSHOTS")
		return
	}
	shot := func(name, fragment, scheme string, w, h int64,
		actions ...chromedp.Action[chromedp.Void]) {
		p := playgroundAt(t, fragment)
		p.do(chromedp.EmulateViewport(w, h), colorScheme(scheme))
		p.do(actions...)
		time.Sleep(1200 * time.Millisecond)
		png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/playground-"+name+".png", png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shot("first", "", "light", 1280, 860)
	shot("lesson1", "#lesson=1", "light", 1280, 860)
	shot("lesson4", "#lesson=4", "dark", 1280, 860)
	shot("caught", "#act=flip.c4.20.01&at=c4.20", "light", 1280, 860)
	shot("caught-dark", "#act=flip.c4.20.01&at=c4.20", "dark", 1280, 860)
	shot("sweep", "", "light", 1280, 1000,
		script(`document.querySelector("#sweep-button").click()`),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			time.Sleep(35 * time.Second)
			return nil
		}))
	shot("phone", "#act=flip.c4.20.01&at=c4.20", "light", 400, 800)
	shot("phone-dark", "#version=1.3&act=drop.s2", "dark", 400, 800)
}
