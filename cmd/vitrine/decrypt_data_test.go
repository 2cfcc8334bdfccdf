package main

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// What a peer sends is printed as lines of text, whatever it is and however it is cut.
func TestDataIsPrintedAsText(t *testing.T) {
	const head = "-- stream 0, the client says --\n"
	for _, c := range []struct {
		says []string
		want string
	}{
		{[]string{"\r"}, head},
		{[]string{"a", "\r", "\n"}, head + "a\n"},
		{[]string{"\r", "\r\n", "b\r"}, head + "\nb"},
		{[]string{"\x1b[31m\u0085\u202e\u061c\xffö\u00a0"}, head + ".[31m....ö\u00a0"},
	} {
		var out bytes.Buffer
		var p printout
		for _, text := range c.says {
			if err := p.write(&out, "0", iana.Client, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if got := out.String(); got != c.want {
			t.Errorf("%q: got %q, expected %q", c.says, got, c.want)
		}
	}
}
