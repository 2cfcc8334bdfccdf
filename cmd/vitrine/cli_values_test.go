package main

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestHexIsReadAsPeopleWriteIt(t *testing.T) {
	for _, c := range []struct{ text, want, err string }{
		{"00ff", "00ff", ""},
		{"00FF", "00ff", ""},
		{" 00\n\tff\r\n", "00ff", ""},
		{"00:ff", "00ff", ""},
		{"0x00,0xff", "00ff", ""},
		{"{", "", `line 1, column 1: '{' is not a hex digit`},
		{"00\n0g", "", `line 2, column 2: 'g' is not a hex digit`},
		{"123", "", "3 hex digits, an odd number"},
		{"1 0x", "", `'x' is not a hex digit`},
		{"", "", "is empty"},
		{" : ", "", "is empty"},
	} {
		got, err := unhex([]byte(c.text))
		if hex.EncodeToString(got) != c.want || (err == nil) != (c.err == "") ||
			err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: got %x, %v, expected %s%s", c.text, got, err, c.want, c.err)
		}
	}
}

func FuzzUnhex(f *testing.F) {
	for _, s := range []string{"0x00,0xff", "123", " : ", "00:ff\n 0g", "", "\n0a\n"} {
		f.Add([]byte(s))
	}
	f.Add([]byte{0x16, 3, 3})
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := unhex(text)
		if err != nil {
			return
		}
		again, err := unhex([]byte(hex.EncodeToString(b)))
		if err != nil || !bytes.Equal(again, b) || !textual([]byte(hex.EncodeToString(b))) {
			t.Errorf("%q: %x, and read again %x, %v", text, b, again, err)
		}
	})
}
