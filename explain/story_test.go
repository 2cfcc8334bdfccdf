package explain

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

func TestRangesJoinNeighbours(t *testing.T) {
	for _, c := range []struct {
		in   []int
		want string
	}{{nil, ""}, {[]int{1}, "1"}, {[]int{1, 2, 3, 4, 5}, "1-5"},
		{[]int{1, 2, 3, 4, 5, 7}, "1-5, 7"}, {[]int{2, 4, 5}, "2, 4-5"}} {
		if got := Ranges(c.in); got != c.want {
			t.Errorf("%v: got %q, expected %q", c.in, got, c.want)
		}
	}
}

func TestEscapeLeavesNoControlCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 漢":          "plain ü 漢",
		"\x1b[31m\r\n\t\x00": `\x1b[31m\r\n\t\x00`,
		"\u202e\u200b\u0085": `\u202e\u200b\u0085`,
		"\xff\xfe":           `\xff\xfe`,
		"\U000e0041":         `\U000e0041`,
	} {
		if got := Escape(in); got != want {
			t.Errorf("%q: got %q, expected %q", in, got, want)
		}
	}
}

func TestNumbersAreWrittenInWords(t *testing.T) {
	for got, want := range map[string]string{
		thousands(0): "0", thousands(999): "999", thousands(1359): "1,359",
		thousands(1234567): "1,234,567",
		octets(1):          "1 byte", octets(1000): "1,000 bytes",
		times(1): "once", times(10): "ten times",
		times(200): "200 times",
		ordinal(5): "fifth block", ordinal(23): "block 23",
	} {
		if got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}

// A record may hold several messages, and a message may be split over several records.
func TestLadderFindsMessagesInRecords(t *testing.T) {
	a := append([]byte{16, 0, 0, 6}, make([]byte, 6)...)
	b := []byte{14, 0, 0, 0}
	for most := 1; most <= len(a)+len(b); most++ {
		var events trace.Memory
		half := record.Half{From: iana.Client, Log: trace.New(trace.Client, &events, nil)}
		half.SetMaxFragment(most)
		half.Log.Message(iana.Client, iana.ClientKeyExchange, a, "")
		half.Log.Message(iana.Client, iana.ServerHelloDone, b, "")
		if _, err := half.Seal(nil, iana.RecordHandshake, iana.TLS12,
			slices.Concat(a, b)); err != nil {
			t.Fatal(err)
		}
		want := []Place{{0, 0}, {len(a) / most, 0}}
		if want[1].Record == 0 {
			want[1].Message = 1
		}
		lines := Ladder(events.Entries)
		if len(lines) != len(want) {
			t.Errorf("records of %d bytes: %d lines, expected %d", most, len(lines), len(want))
			continue
		}
		for i, l := range lines {
			if l.Place != want[i] || l.Number != i+1 {
				t.Errorf("records of %d bytes: line %d is at %v, expected %v", most, l.Number,
					l.Place, want[i])
			}
		}
	}
}

func TestLadderMergesFinalCloseNotify(t *testing.T) {
	closing := func(from iana.Side, d alert.Description) trace.Entry {
		return trace.Entry{Role: roles[from],
			Event: &trace.Record{From: from, Direction: trace.Sealed, ContentType: iana.RecordAlert,
				Header:    make([]byte, 5),
				Plaintext: []byte{1, byte(d)}, Fragment: []byte{1, byte(d)}}}
	}
	for _, c := range []struct {
		name string
		in   []trace.Entry
		want int
	}{
		{"both ways",
			[]trace.Entry{closing(iana.Client, alert.CloseNotify),
				closing(iana.Server, alert.CloseNotify)}, 1},
		{"one way", []trace.Entry{closing(iana.Client, alert.CloseNotify)}, 1},
		{"twice from one side",
			[]trace.Entry{closing(iana.Client, alert.CloseNotify),
				closing(iana.Client, alert.CloseNotify)}, 2},
		{"another alert",
			[]trace.Entry{closing(iana.Client, alert.CloseNotify),
				closing(iana.Server, alert.UserCanceled)}, 2},
	} {
		if got := Ladder(c.in); len(got) != c.want ||
			(c.want == 1 && len(c.in) == 2) != got[0].BothWays {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestAPairIsComparedIfBothSidesHaveIt(t *testing.T) {
	for _, c := range []struct {
		p    Pair
		want Verdict
	}{
		{Pair{}, Uncompared}, {Pair{Client: []byte{1}}, Uncompared},
		{Pair{Server: []byte{1}}, Uncompared},
		{Pair{[]byte{1}, []byte{1}}, Equal}, {Pair{[]byte{1}, []byte{2}}, Different},
		{Pair{[]byte{}, []byte{1}}, Different},
	} {
		if got := c.p.Compare(); got != c.want {
			t.Errorf("%v: got %v, expected %v", c.p, got, c.want)
		}
	}
}

// Every part of every key_block has a purpose, or a reason why the suite does not take it. See RFC
// 5246 §6.3.
func TestEveryPartOfAKeyBlockHasAPurpose(t *testing.T) {
	n := 0
	for _, s := range suite.Certified() {
		for _, p := range s.Shape(iana.TLS12).Parts() {
			n++
			switch text := keyPurpose(s, p); {
			case p.Len == 0 && !strings.HasPrefix(text, "none: "):
				t.Errorf("%v, %s: not taken, without a reason: %q", s, p.Name, text)
			case p.Len > 0 && (text == "" || strings.HasPrefix(text, "none")):
				t.Errorf("%v, %s: no purpose: %q", s, p.Name, text)
			}
		}
	}
	t.Logf("%d parts of key blocks", n)
	if got := keyPurpose(suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA256),
		keys.Part{Name: "client_write_IV"}); !strings.Contains(got, "brings its own") {
		t.Errorf("CBC: %q", got)
	}
}

func TestExplanationsAreComplete(t *testing.T) {
	for key, e := range catalogue {
		if e.Title == "" || e.Purpose == "" {
			t.Errorf("%s: no title or no purpose", key)
		}
		for _, sentence := range []string{e.Purpose} {
			if !strings.HasSuffix(sentence, ".") {
				t.Errorf("%s: %q is no sentence", key, sentence)
			}
		}
	}
	if got := Explain("finished/client").Title; got != "Finished" {
		t.Error(got)
	}
	for _, c := range []struct{ key, server string }{ // what is checked: RFC 8422 §5.11
		{"client_key_exchange/DHE", "between 1 and p - 1"},
		{"client_key_exchange/ECDHE", "a point of the group"},
		{"client_key_exchange/ECDHE/x", "not all zeros"},
	} {
		if got := Explain(c.key).Server; !strings.Contains(got, c.server) {
			t.Errorf("%s: %q", c.key, got)
		}
	}
	if got := Explain("client_key_exchange/PSK").Title; got != "client_key_exchange" {
		t.Error(got)
	}
	for _, s := range Simplified(iana.TLS12, iana.TLS13) {
		if s.Says == "" || s.Really == "" || s.Ref == "" {
			t.Errorf("unfinished: %v", s)
		}
	}
}
