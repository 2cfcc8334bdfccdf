package keylog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// growingTexts are key logs in the forms that stand in more than one line, and in others.
var growingTexts = map[string]string{
	"lines": fmt.Sprintf("CLIENT_RANDOM %064x %096x\r\nCLIENT_HANDSHAKE_TRAFFIC_SECRET %064x "+
		"%064x\nEXPORTER_SECRET %064x %064x\n", 1, 2, 3, 4, 3, 5),
	"javax.net.debug": "*** ClientHello, TLSv1.2\n" +
		"RandomCookie:  GMT: 1 bytes = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, " +
		"0, 0, 0, 0, 0, 0, 0, 0, 0, 9 }\n***\nSESSION KEYGEN:\nPreMaster Secret:\n" +
		javaDump(48, 7) + "CONNECTION KEYGEN:\nClient Nonce:\n" + javaDump(32, 8) +
		"Server Nonce:\n" + javaDump(32, 9) + "Master Secret:\n" + javaDump(48, 10),
	"s_client": fmt.Sprintf("SSL-Session:\n    Session-ID: %064X\n    Session-ID-ctx: \n"+
		"    Master-Key: %096X\n", 11, 12),
	"a session": fmt.Sprintf("RSA Session-ID:%064x Master-Key:%096x\n", 13, 14),
	"wrapped": fmt.Sprintf("CLIENT_RANDOM\n  %064x\n  %096x\nCLIENT_RANDOM %064x \\\n%096x\n", 15,
		16, 17, 18),
}

// javaDump is a dump of n bytes as javax.net.debug prints it.
func javaDump(n int, b byte) (text string) {
	for i := 0; i < n; i += 16 {
		text += fmt.Sprintf("%04X: %s\n", i, strings.TrimSpace(strings.Repeat(
			fmt.Sprintf("%02X ", b), 16)))
	}
	return text
}

// wideText is a text in UTF-16 with a byte order mark.
func wideText(text string) []byte {
	b := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// A key log that arrives in two pieces has the secrets that it has in one, wherever it is divided,
// and each is there before Close unless the last line has no end.
func TestAGrowingLogMayBeDividedAnywhere(t *testing.T) {
	for name, text := range growingTexts {
		for encoding, b := range map[string][]byte{"UTF-8": []byte(text),
			"UTF-16": wideText(text)} {
			var whole Log
			if err := whole.Merge(bytes.NewReader(b)); err != nil || whole.Len() == 0 {
				t.Fatalf("%s: %v, %d secrets", name, err, whole.Len())
			}
			for at := range b {
				var l Log
				g := l.Grow()
				for _, piece := range [][]byte{b[:at], nil, b[at:]} {
					if _, err := g.Write(piece); err != nil {
						t.Fatalf("%s, %s, divided at %d: %v", name, encoding, at, err)
					}
				}
				before := l.Len()
				if err := g.Close(); err != nil || before != whole.Len() ||
					l.Counts() != whole.Counts() ||
					!slices.EqualFunc(slices.Collect(l.All()), slices.Collect(whole.All()),
						func(a, b Line) bool {
							return bytes.Equal(a.Append(nil), b.Append(nil))
						}) {
					t.Fatalf("%s, %s, divided at %d: %v, %d secrets of %d, %+v, expected %+v",
						name, encoding, at, err, before, whole.Len(), l.Counts(), whole.Counts())
				}
			}
		}
	}
}

// Two key logs that grow by turns do not take each other's session, and each has its own numbers of
// lines.
func TestLogsThatGrowByTurnsAreKeptApart(t *testing.T) {
	var l Log
	a, b := l.Grow(), l.Grow()
	fmt.Fprintf(a, "SSL-Session:\n    Session-ID: %064X\n", 1)
	fmt.Fprintf(b, "SSL-Session:\n    Session-ID: %064X\n\nstranger\n", 2)
	_, err := fmt.Fprintf(a, "    Master-Key: %096X\nEXPORTER_SECRET 01 02\n", 3)
	if err == nil || !strings.Contains(err.Error(), "line 4: EXPORTER_SECRET") {
		t.Errorf("a broken line: %v", err)
	}
	if got := l.Secret(MasterBySession, append(make([]byte, 31), 1)); len(got) != 48 ||
		got[47] != 3 {
		t.Errorf("got %x", got)
	}
}

// What follows a line that is too long is read, and no more of it is kept than a line may have.
func TestAGrowingLogKeepsNoLongLine(t *testing.T) {
	var l Log
	g := l.Grow()
	for range 10 {
		g.Write(bytes.Repeat([]byte("x"), 40_000))
		if len(g.text)+len(g.raw) > 2*maxLine {
			t.Fatalf("%d bytes are kept", len(g.text)+len(g.raw))
		}
	}
	if _, err := fmt.Fprintf(g, "\nCLIENT_RANDOM %064x %096x", 1, 2); err == nil ||
		!strings.Contains(err.Error(), "line 1: a line of more than") {
		t.Errorf("the long line: %v", err)
	}
	if err := g.Flush(); err != nil || l.Len() != 1 {
		t.Errorf("%v, %d secrets", err, l.Len())
	}
	if g = l.Grow(); g != nil {
		_, err := g.Write([]byte("\x1F\x8B\x08\x00more than eight"))
		_, again := g.Write([]byte("\nCLIENT_RANDOM"))
		if err == nil || !strings.Contains(err.Error(), "gzip") || again != nil {
			t.Errorf("a compressed file: %v, then %v", err, again)
		}
	}
}

// A Log takes MaxLog bytes of text. What is behind them is told and not kept, what is before stays.
func TestALogIsBounded(t *testing.T) {
	line := func(n int) string { return fmt.Sprintf("CLIENT_RANDOM %064x %096x", n, n+1) }
	text := line(1) + "\n" + line(2) + "\n" + line(3) + "\n"
	for room := range 4 {
		l := &Log{text: MaxLog - room*len(line(1))}
		err := l.Merge(strings.NewReader(text))
		want := fmt.Sprintf("line %d: more than 256 MiB of key log", room+1)
		if l.Len() != room || room < 3 && (err == nil || !strings.Contains(err.Error(), want)) ||
			room == 3 && err != nil {
			t.Errorf("with room for %d lines: %d secrets, %v", room, l.Len(), err)
		}
	}
}
