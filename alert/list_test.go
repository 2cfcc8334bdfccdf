package alert

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFew(t *testing.T) {
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
				utf8.ValidString(long) != utf8.ValidString(text) {
				t.Errorf("%s: %d bytes, ending in %q", what, len(text), text[max(0, len(text)-8):])
			}
		}
	}
}
