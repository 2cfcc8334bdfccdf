package keylog

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// cut breaks a text into lines of width characters.
func cut(text string, width int, begin, end string) string {
	var lines []string
	for ; len(text) > width; text = text[width:] {
		lines = append(lines, begin+text[:width]+end)
	}
	return strings.Join(append(lines, begin+text), "\n") + "\n"
}

// Mail programs, terminals and people break lines at any place behind the label. A first part that
// is a line by itself needs a mark that it continues.
func TestWrappedLinesAreRead(t *testing.T) {
	id := bytes.Repeat([]byte{10}, 32)
	for _, x := range []struct {
		label  Label
		secret string
	}{{ClientRandom, s48}, {ClientHandshake, s32}, {ServerTraffic, s48},
		{PreMasterByRandom, s48}, {MasterBySession, s48}, {PreMasterByEncrypted, s48}} {
		id, hexID := id, r32
		if x.label == PreMasterByEncrypted {
			id, hexID = id[:8], r32[:16]
		}
		line := fmt.Sprintf("%s %s %s", x.label, hexID, x.secret)
		if x.label == MasterBySession {
			line = fmt.Sprintf("RSA Session-ID:%s Master-Key:%s", hexID, x.secret)
		}
		from := len(x.label)
		if x.label == MasterBySession {
			from = len("RSA Session-ID:")
		}
		for width := from; width <= len(line); width++ {
			for _, around := range [][2]string{{"", ""}, {"> ", ""}, {"    ", ""}, {"", "="},
				{"", ` \`}, {"  | ", ""}} {
				text := "# before\n" + cut(line, width, around[0], around[1]) +
					"CLIENT_RANDOM " + strings.Repeat("0b", 32) + " " + s48 + "\n"
				l, err := Read(strings.NewReader(text))
				want, _ := hex.DecodeString(x.secret)
				if (x.label == ServerTraffic || x.label == PreMasterByRandom) && around[1] == "" &&
					width == len(line)-32 {
					want = want[:32] // a secret of SHA-256, or of a group
				}
				if err != nil || !bytes.Equal(l.Secret(x.label, id), want) ||
					l.Counts().Secrets != 2 {
					t.Errorf("%s at %d, %q: %v, %+v", x.label, width, around, err, l.Counts())
				}
			}
		}
	}
}

// A line that is cut off takes nothing of what follows.
func TestALineThatIsCutOffIsAnError(t *testing.T) {
	good := "CLIENT_RANDOM " + strings.Repeat("0b", 32) + " " + s48 + "\n"
	cutOff := "CLIENT_RANDOM " + r32
	for _, n := range []int{31, 33, 47, 63} { // of no hash
		line := "EXPORTER_SECRET " + r32 + " " + (s48 + s48)[:2*n] + "\n"
		l, err := Read(strings.NewReader(line + good))
		want := fmt.Sprintf("values of 32 and %d bytes, expected 32 and 32, 48 or 64", n)
		if err == nil || !strings.Contains(err.Error(), want) || l.Len() != 1 {
			t.Errorf("%d bytes: %v, %v", n, l, err)
		}
	}
	unusual := "PMS_CLIENT_RANDOM " + r32 + " " + s48[:40]
	for text, says := range map[string]string{
		unusual + "\n" + good: "", // alone
		unusual + "\n" + s48[:50] + "\n" + good: "line 1: PMS_CLIENT_RANDOM: 20 bytes, which is " +
			"unusual, and the next line is hex",
	} {
		l, err := Read(strings.NewReader(text))
		if (says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), says) ||
			l.Len() != 2 {
			t.Errorf("%.120q: %v, %v, expected %q", text, l, err, says)
		}
	}
	for text, says := range map[string]string{
		cutOff + " " + s32 + "\n" + good:        "line 1: CLIENT_RANDOM: values of 32",
		cutOff + "\n\n" + s32 + "\n" + good:     "line 1: CLIENT_RANDOM: values of 32",
		cutOff + "\n" + s48 + s32 + "\n" + good: "line 1: CLIENT_RANDOM with 1 values",
		cutOff + "\nnothing\n" + good:           "line 1: CLIENT_RANDOM with 1 values",
	} {
		l, err := Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), says) || l.Len() != 1 {
			t.Errorf("%.120q: %v, %v, expected %q", text, l, err, says)
		}
	}
}

// java is a dump of sun.misc.HexDumpEncoder.
func java(h string) string {
	var text strings.Builder
	b, _ := hex.DecodeString(h)
	for at := 0; at < len(b); at += 16 {
		fmt.Fprintf(&text, "%04X: % X", at, b[at:min(at+8, len(b))])
		if at+8 < len(b) {
			fmt.Fprintf(&text, "   % X", b[at+8:min(at+16, len(b))])
		}
		text.WriteString("  ................\n")
	}
	return text.String()
}

// pairsOf is hex with a space between bytes.
func pairsOf(h string) string {
	b, _ := hex.DecodeString(h)
	return fmt.Sprintf("% x", b)
}

// xxd is a dump of a text.
func xxd(text, format string) string {
	var out strings.Builder
	for at := 0; at < len(text); at += 16 {
		part := text[at:min(at+16, len(text))]
		fmt.Fprintf(&out, format, at, part)
		out.WriteString("  " + strings.Map(func(c rune) rune { return max(c, ' ') }, part) + "\n")
	}
	return out.String()
}

// prefixed puts the words of a log before each line.
func prefixed(text string) string {
	const words = "Nov 27 10:00:00 host java[123]: "
	return words + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+words) + "\n"
}

// What a program reports of a connection is read as the line of a key log that it amounts to.
func TestReportsOfProgramsAreRead(t *testing.T) {
	id := bytes.Repeat([]byte{10}, 32)
	pre := "0303" + strings.Repeat("77", 46)
	javax := "*** ClientHello, TLSv1.2\nRandomCookie:  GMT: 151653132 bytes = { 1, 2 }\n" +
		"SESSION KEYGEN:\nPreMaster Secret:\n" + java(pre) + "CONNECTION KEYGEN:\nClient Nonce:\n" +
		java(r32) + "Server Nonce:\n" + java(s32) + "Master Secret:\n" + java(s48) +
		"Client write key:\n" + java(s32)
	line := "CLIENT_RANDOM " + r32 + " " + s48 + "\n"
	trace := "Sent Record\nHeader:\n  Version = TLS 1.0 (0x301)\n    ClientHello, Length=288\n" +
		"      client_version=0x303 (TLS 1.2)\n      Random:\n        gmt_unix_time=0x0A0A0A0A\n" +
		"        random_bytes (len=28): " + r32[:56] + "\n    ServerHello, Length=61\n" +
		"      Random:\n        gmt_unix_time=0x01020304\n        random_bytes (len=28): " +
		s32[:56] + "\nSSL-Session:\n    Protocol  : TLSv1.2\n    Session-ID: 0102\n" +
		"    Session-ID-ctx: \n    Master-Key: " + strings.ToUpper(s48) + "\n"
	for what, text := range map[string]string{
		"javax.net.debug":                javax,
		"javax.net.debug with CR LF":     strings.ReplaceAll(javax, "\n", "\r\n"),
		"javax.net.debug in UTF-16":      "\xff\xfe" + widened(javax, 0),
		"javax.net.debug in the journal": prefixed(javax),
		"GnuTLS": "|<9>| INT: PREMASTER SECRET[48]: " + pre + "\n|<9>| INT: CLIENT RANDOM[32]: " +
			r32 + "\n|<9>| INT: SERVER RANDOM[32]: " + s32 + "\n|<9>| INT: MASTER SECRET[48]: " +
			s48 + "\n|<9>| INT: KEY BLOCK[72]: " + s48 + "\n",
		"Wireshark's debug file": "Client Random[32]:\n| " + pairsOf(r32[:32]) + " |..|\n| " +
			pairsOf(r32[:32]) + " |..|\nMaster Secret[48]:\n| " + pairsOf(s48[:32]) + " |..|\n| " +
			pairsOf(s48[:32]) + " |..|\n| " + pairsOf(s48[:32]) + " |..|\n",
		"openssl s_client -trace":          trace,
		"two connections":                  javax + strings.ReplaceAll(javax, "0A 0A", "0B 0B"),
		"a key log in xxd":                 xxd(line, "%08x: %x"),
		"a key log in hexdump -C":          xxd(line, "%08x  % x"),
		"without a line feed":              xxd(strings.TrimSpace(line), "%08x: %x"),
		"two key logs in dumps":            xxd("# one\n", "%08x: %x") + xxd(line, "%08x: %x"),
		"the random before the pre-master": "",
	} {
		want := ClientRandom
		if text == "" {
			want = PreMasterByRandom
			text = "client_random: " + r32 + "\nPre-Master Secret: " + s48 + "\n"
		}
		l, err := Read(strings.NewReader(text))
		if err != nil || hex.EncodeToString(l.Secret(want, id)) != s48 {
			t.Errorf("%s: %v, %v, %+v", what, l, err, l.Counts())
		}
		if strings.Contains(text, "7777") || strings.Contains(text, "77 77") ||
			strings.Contains(text, "77 77") {
			if hex.EncodeToString(l.Secret(PreMasterByRandom, id)) != pre {
				t.Errorf("%s: the pre_master_secret is lost", what)
			}
		}
	}
	trace = "-----BEGIN CERTIFICATE-----\n" + trace // s_client prints it, which is nothing wrong
	if l, err := Read(strings.NewReader(trace)); err != nil ||
		l.Secret(MasterBySession, []byte{1, 2}) == nil {
		t.Errorf("openssl s_client -trace: the session is lost: %v, %v", l, err)
	}
}
