package browsertest

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/playpage"
	"github.com/vitrine-tls/vitrine/playground"
)

// The served page fetches its WebAssembly from where it came, compressed, and nothing else.
func TestAServedPlaygroundFetchesItsWebAssemblyAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("with -short: the playground is loaded from a file by other tests")
	}
	if browser == nil {
		t.Skip(noBrowser)
	}
	assets, err := playpage.FromSource(context.Background(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	h, err := playpage.NewHandler(assets)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	acts := []playground.Act{{Kind: playground.Drop, Side: 1, Record: 1}}
	want, err := playground.Run(playground.Setup{Version: "1.3"}, acts)
	if err != nil {
		t.Fatal(err)
	}
	p := openFrom(t, s.URL+"/"+address(playground.Setup{Version: "1.3"}, acts), s.URL)
	p.until(`document.documentElement.dataset.ready > 0`)
	if digest, sentence := p.shown(); digest != want.Digest || sentence != want.Verdict.Sentence {
		t.Errorf("got %q, expected %q", sentence, want.Verdict.Sentence)
	}
	fetched := eval[string](p, `performance.getEntriesByType("resource").map(e => e.name).join()`)
	if !strings.HasPrefix(fetched, s.URL+"/playground.wasm") ||
		strings.Count(fetched, "http") != 1 {
		t.Errorf("the page fetched %s", fetched)
	}
}
