package demo_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/render/markdown"
	"github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/trace"
)

// A saved file may hold any events. Telling their story must not panic, and the output must be
// printable and have at most 100 columns.
func FuzzAnyEventsTellAStory(f *testing.F) {
	dice := rand.New(rand.NewPCG(3, 4))
	var before []trace.Entry
	keep := testkit.SampleSeeds(9)
	for _, c := range cases {
		if !keep() {
			continue
		}
		o := c.options()
		out, err := demo.Perform(f.Context(), o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(lines(out.Entries))
		for n := range 6 { // without some, with others twice, in another order, changed
			entries, err := trace.Read(strings.NewReader(lines(out.Entries)))
			if err != nil {
				f.Fatal(err)
			}
			for range 1 + n {
				entries = disturb(dice, entries)
			}
			f.Add(lines(entries))
		}
		for _, role := range []trace.Role{trace.Client, trace.Server} {
			f.Add(lines(slices.DeleteFunc(slices.Clone(out.Entries),
				func(e trace.Entry) bool { return e.Role != role })))
		}
		var hidden strings.Builder
		w := trace.NewWriter(&hidden)
		for _, e := range out.Entries {
			w.Put(e)
		}
		f.Add(hidden.String())
		f.Add(lines(slices.Concat(before, out.Entries)))
		f.Add(lines(observed(out.Entries)))
		before = out.Entries
		for part := range 5 {
			f.Add(lines(out.Entries[len(out.Entries)*part/6:]))
			f.Add(lines(out.Entries[:len(out.Entries)*part/6]))
		}
	}
	f.Fuzz(func(t *testing.T, in string) {
		entries, err := trace.Read(strings.NewReader(in))
		if err != nil {
			return
		}
		story := explain.Tell(entries, explain.Run{Command: "vitrine explain"})
		check(t, story)
		if err := explain.Tellable(entries); err != nil && len(err.Error()) > 4096 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		detail := explain.Dig(entries, explain.Bytes|explain.Inner)
		for _, c := range story.Chapters {
			for _, s := range c.Steps {
				detail.Of(s)
			}
		}
		for i := range explain.Ladder(entries) {
			for _, d := range detail.Dumps(i + 1) {
				explain.FieldNotes(iana.TLS13, d.Bytes, d.Fields)
			}
		}
	})
}

// observed returns the events as an observer has them, to whom the traffic secrets were given.
func observed(entries []trace.Entry) (list []trace.Entry) {
	for _, e := range entries {
		if d, ok := e.Event.(*trace.Derived); ok {
			if !strings.Contains(d.Name, "traffic_secret") {
				continue
			}
			e.Event = &trace.Given{Name: d.Name, Output: d.Output}
		}
		list = append(list, e)
	}
	return list
}

func check(t *testing.T, s *explain.Story) {
	t.Helper()
	checkScreen(t, "terminal", screen(t, s, term.Style{Unicode: true}), unicode.MaxRune)
	checkScreen(t, "pipe", screen(t, s, term.Style{}), utf8.RuneSelf)
	var doc bytes.Buffer
	if err := markdown.Write(&doc, s); err != nil {
		t.Fatal(err)
	}
	for _, r := range doc.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%U in the document", r)
		}
	}
}

// The events of one side alone tell a story, and so does any part of the events.
func TestPartsOfEventsTellStory(t *testing.T) {
	n := 0
	for _, c := range testkit.Sample(t, "runs", 8, cases) {
		o := c.options()
		out, story := perform(t, o)
		for _, role := range []trace.Role{trace.Client, trace.Server} {
			var own []trace.Entry
			for _, e := range out.Entries {
				if e.Role == role {
					own = append(own, e)
				}
			}
			alone := explain.Tell(own, out.Run)
			check(t, alone)
			if o.Tamper == nil && (len(alone.Chapters) != chaptersOf(o) ||
				alone.Result.Compared != 0) {
				t.Errorf("%s, %s alone: %d chapters, %d values compared", c.name, role,
					len(alone.Chapters), alone.Result.Compared)
			}
			if o.Tamper == nil && len(explain.Ladder(own)) != len(explain.Ladder(out.Entries)) {
				t.Errorf("%s, %s alone: %d lines, expected %d", c.name, role,
					len(explain.Ladder(own)), len(explain.Ladder(out.Entries)))
			}
			n++
		}
		for i := 0; i < len(out.Entries); i += 40 / times(o, 40) {
			check(t, explain.Tell(out.Entries[:i], story.Run))
			check(t, explain.Tell(out.Entries[i:], story.Run))
			n += 2
		}
	}
	t.Logf("%d stories", n)
}

// Events that are lost, repeated, swapped, cut or changed tell a story, too.
func TestChangedEventsTellStory(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	n := 0
	for _, c := range testkit.Sample(t, "runs", 8, cases) {
		o := c.options()
		out, _ := perform(t, o)
		text := lines(out.Entries)
		for range times(o, 40) {
			entries, err := trace.Read(strings.NewReader(text)) // a copy
			if err != nil {
				t.Fatal(err)
			}
			for range 1 + dice.IntN(8) {
				entries = disturb(dice, entries)
			}
			check(t, explain.Tell(entries, out.Run))
			n++
		}
	}
	t.Logf("%d stories", n)
}

// times returns how often a case is tried: stories of TLS 1.3 cost more, and there are many.
func times(o demo.Options, most int) int {
	if o.Version == iana.TLS13 {
		return most / 8
	}
	return most
}

func disturb(dice *rand.Rand, entries []trace.Entry) []trace.Entry {
	if len(entries) < 2 {
		return entries
	}
	i, j := dice.IntN(len(entries)), dice.IntN(len(entries))
	switch dice.IntN(5) {
	case 0:
		return slices.Delete(entries, i, i+1)
	case 1:
		return slices.Insert(entries, i, entries[j])
	case 2:
		entries[i], entries[j] = entries[j], entries[i]
		return entries
	}
	fields := reflect.ValueOf(entries[i].Event).Elem()
	switch f := fields.Field(dice.IntN(fields.NumField())); {
	case f.Kind() == reflect.Slice && f.Len() > 0 && dice.IntN(2) == 0:
		f.Set(f.Slice(0, dice.IntN(f.Len())))
	case f.Kind() == reflect.Slice && f.Len() > 0:
		f.Index(dice.IntN(f.Len())).SetUint(uint64(dice.IntN(256)))
	case f.Kind() == reflect.String:
		f.SetString("\x1b[2J" + f.String() + "\u202e|`")
	case f.Type() == reflect.TypeFor[iana.Side](): // there are two, and a reader knows no other
		f.SetUint(dice.Uint64() % 2)
	case f.CanUint():
		f.SetUint(dice.Uint64() % 256)
	}
	return entries
}
