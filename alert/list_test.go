package alert

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFewCountsWhatItLeavesOut(t *testing.T) {
	for _, c := range []struct {
		n    int
		want string
	}{{0, "[]"}, {1, "[0]"}, {8, "[0 1 2 3 4 5 6 7]"}, {9, "[0 1 2 3 4 5 6 7] and 1 more"},
		{32767, "[0 1 2 3 4 5 6 7] and 32759 more"}} {
		list := make([]int, c.n)
		for i := range list {
			list[i] = i
		}
		if got := Fail(DecodeError, "", "%v", Few(list)).Error(); got != c.want {
			t.Errorf("%d elements: got %q, expected %q", c.n, got, c.want)
		}
	}
}

func TestLongTextsAreCutAtARune(t *testing.T) {
	for _, long := range []string{strings.Repeat("é", maxText), strings.Repeat("a", maxText+1),
		strings.Repeat("\xBF", 2*maxText)} {
		for what, err := range map[string]error{
			"a reason": Fail(DecodeError, "", "%s", long),
			"a cause":  Malformed("", errors.New(long)),
		} {
			text := err.Error()
			if len(text) > maxText || len(text) < maxText-8 || !strings.HasSuffix(text, "…") ||
				!utf8.ValidString(text) {
				t.Errorf("%s: %d bytes, ending in %q", what, len(text), text[max(0, len(text)-8):])
			}
		}
	}
}

// Whatever a peer or a library wrote into an error, it is one printable line: CWE-117.
func TestErrorsAreOnePrintableLine(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain § “text” ← é\\n", "plain § “text” ← é\\n"},
		{"a\nb\r\nc\td", `a\nb\r\nc\td`},
		{"\x1b[31mred\x00\x7f", `\x1b[31mred\x00\x7f`},
		{"\u0085 \u009b C1", `\u0085 \u009b C1`},
		{"\u202egnp.exe\u2066\ufeff", `\u202egnp.exe\u2066\ufeff`},
		{"\xff\xfe", `\xff\xfe`},
		{"\ufffd", "\ufffd"},
	} {
		cause := errors.New(tt.text)
		for what, err := range map[string]error{
			"Fail":      Fail(BadCertificate, "", "%s", tt.text),
			"a cause":   Fail(BadCertificate, "", "%w", cause),
			"Malformed": Malformed("", cause),
			"a literal": &Error{Reason: tt.text},
		} {
			if got := err.Error(); got != tt.want {
				t.Errorf("%s: got %q, expected %q", what, got, tt.want)
			}
		}
		if again := Escape(Escape(tt.text)); again != tt.want {
			t.Errorf("escaped twice: %q", again)
		}
	}
}
