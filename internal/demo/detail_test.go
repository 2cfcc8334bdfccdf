package demo_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/trace"
)

// deepest shows everything that can be shown of events, on the screen and on the page.
func deepest(t *testing.T, entries []trace.Entry) {
	t.Helper()
	story := explain.Tell(entries, explain.Run{Command: "vitrine explain"})
	var screen bytes.Buffer
	if err := term.WriteDetailed(&screen, story, explain.Dig(entries, explain.Bytes|explain.Inner),
		term.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range screen.String() {
		if r != '\n' && (r >= 0x80 || !unicode.IsPrint(r)) {
			t.Fatalf("%U on the screen", r)
		}
	}
	var dump bytes.Buffer
	if err := term.WriteDetailed(&dump, story, explain.Dig(entries, explain.Bytes),
		term.Style{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(dump.String()) {
		if len(line) > 101 {
			t.Fatalf("%d columns: %s", len(line)-1, line)
		}
	}
	if err := html.Write(io.Discard, html.Options{}, html.Run{Entries: entries}); err != nil {
		t.Fatal(err)
	}
	explain.KeyLog(entries)
	explain.Wire(entries)
	explain.Saved(entries)
}

// A file may lack events, or have other bytes, or byte strings that were cut.
func TestDamagedEventsAreShownInFull(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := 0
	for _, c := range testkit.Sample(t, "runs", 8, cases) {
		o := c.options()
		out, err := demo.Perform(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		deepest(t, out.Entries)
		for range times(o, 16) {
			deepest(t, damaged(t, r, out.Entries))
			n++
		}
	}
	t.Logf("%d damaged streams", n)
}

// damaged returns a copy of entries with a few changes.
func damaged(t *testing.T, r *rand.Rand, entries []trace.Entry) []trace.Entry {
	t.Helper()
	copied, err := trace.Read(strings.NewReader(lines(entries)))
	if err != nil {
		t.Fatal(err)
	}
	var left []trace.Entry
	for _, e := range copied {
		if r.IntN(20) == 0 {
			continue
		}
		if r.IntN(8) == 0 {
			damageFields(r, reflect.ValueOf(e.Event).Elem())
		}
		left = append(left, e)
	}
	return left
}

func damageFields(r *rand.Rand, v reflect.Value) {
	for _, f := range v.Fields() {
		switch {
		case f.Kind() == reflect.Struct:
			damageFields(r, f)
		case r.IntN(3) > 0:
		case f.Kind() == reflect.Slice && f.Len() > 0 && f.Type().Elem().Kind() == reflect.Uint8:
			b := f.Bytes()
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
			f.SetBytes(b[:r.IntN(len(b)+1)])
		case f.Kind() == reflect.String:
			f.SetString(fmt.Sprintf("\x1b[31m%s<script>", f.String()))
		case f.CanUint() && f.Kind() != reflect.Uint8: // the sides have two values
			f.SetUint(uint64(r.IntN(1 << 16)))
		}
	}
}
