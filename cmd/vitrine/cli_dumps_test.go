package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// dumps are the bytes 0 to 34 as programs print them.
var dumps = map[string]string{
	"xxd": "00000000: 0001 0203 0405 0607 0809 0a0b 0c0d 0e0f  ................\n" +
		"00000010: 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f  ................\n" +
		"00000020: 2021 22                                   !\"\n",
	"hexdump -C": "" +
		"00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|\n" +
		"00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  |................|\n" +
		"00000020  20 21 22                                          | !\"|\n00000023\n",
	"hexdump": "0000000 0100 0302 0504 0706 0908 0b0a 0d0c 0f0e\n" +
		"0000010 1110 1312 1514 1716 1918 1b1a 1d1c 1f1e\n",
	"od -tx1": "0000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n" +
		"0000020 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f\n" +
		"0000040 20 21 22\n0000043\n",
	"od -Ax -tx1": "000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n" +
		"000010 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f\n" +
		"000020 20 21 22\n000023\n",
	"od -Ax -tx1z": "" +
		"000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  >................<\n" +
		"000010 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f  >................<\n" +
		"000020 20 21 22                                         > !\"<\n000023\n",
	"javax.net.debug": "PreMaster Secret:\n" +
		"0000: 00 01 02 03 04 05 06 07   08 09 0A 0B 0C 0D 0E 0F  ................\n" +
		"0010: 10 11 12 13 14 15 16 17   18 19 1A 1B 1C 1D 1E 1F  ................\n" +
		"0020: 20 21 22                                            !\"\n",
	"s_client": "<<< TLS 1.2, Handshake [length 0023], ServerHello\n" +
		"0000 - 00 01 02 03 04 05 06 07-08 09 0a 0b 0c 0d 0e 0f   ................\n" +
		"0010 - 10 11 12 13 14 15 16 17-18 19 1a 1b 1c 1d 1e 1f   ................\n" +
		"0020 - 20 21 22                                           !\"\n",
	"Wireshark": "master secret[35]:\n" +
		"| 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f |................|\n" +
		"| 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f |................|\n" +
		"| 20 21 22                                        | !\"             |\n",
}

func TestDumpsOfOtherProgramsAreRead(t *testing.T) {
	want := make([]byte, 35)
	for i := range want {
		want[i] = byte(i)
	}
	for program, text := range dumps {
		n := 35
		if program == "hexdump" {
			n = 32
		}
		got, ok, err := undump([]byte(text))
		if !ok || err != nil || !bytes.Equal(got, want[:n]) {
			t.Errorf("%s: got %x, %v, %v", program, got, ok, err)
		}
		got, _, err = undump([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
		if err != nil || !bytes.Equal(got, want[:n]) {
			t.Errorf("%s with CRLF: got %x, %v", program, got, err)
		}
	}
	for _, plain := range []string{"00010203", "00 01 02 03", "00:01:02", "0x00, 0x01",
		"0001 0203 0405 0607", "00010203 04050607 08090a0b", "00000000 04050607",
		"0001020304 0506", "deadbeef\ncafebabe", "a1b2c3", "a1b2c3 d4 e5"} {
		if _, ok, err := undump([]byte(plain)); ok || err != nil {
			t.Errorf("%q was taken for a dump, %v", plain, err)
		}
	}
	lines := strings.Split(dumps["xxd"], "\n")
	if _, _, err := undump([]byte(lines[0] + "\n" + lines[2])); err == nil ||
		!strings.Contains(err.Error(), "line 2: the dump continues at 32, expected 16") {
		t.Errorf("a line is missing: %v", err)
	}
	for program, text := range map[string]string{
		"od":          "0000000 000400 001402 002404 003406 004410 005412 006414 007416\n0000020\n",
		"od -Ax -tx1": "000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n000023\n",
	} {
		if _, _, err := undump([]byte(text)); err == nil ||
			!strings.Contains(err.Error(), "line 2: the dump ends at") {
			t.Errorf("%s: %v, expected that the end is another", program, err)
		}
	}
}

// A line "*" stands for repetitions of the one before, and a byte fills the last word of hexdump.
func TestSqueezedDumpsAreRead(t *testing.T) {
	want := slices.Concat([]byte{1}, make([]byte, 15+64), []byte{2, 3, 4})
	const first, zeros = "01 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00",
		"00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00"
	words := strings.Repeat(" 0000", 7)
	for program, text := range map[string]string{
		"hexdump -C": "00000000  " + first + "  |...|\n00000010  " + zeros + "  |...|\n*\n" +
			"00000050  02 03 04  |...|\n00000053\n",
		"hexdump": "0000000 0001" + words + "\n0000010 0000" + words + "\n*\n" +
			"0000050 0302 0004\n0000053\n",
		"od -tx1": "0000000 " + strings.ReplaceAll(first, "  ", " ") + "\n0000020 " +
			strings.ReplaceAll(zeros, "  ", " ") + "\n*\n0000120 02 03 04\n0000123\n",
	} {
		if got, ok, err := undump([]byte(text)); !ok || err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v, %v", program, got, ok, err)
		}
	}
	end := "00000000  " + first + "  |...|\n00000010  " + zeros + "  |...|\n*\n00000040\n"
	if got, _, err := undump([]byte(end)); err != nil || len(got) != 64 {
		t.Errorf("repetitions at the end: got %x, %v", got, err)
	}
	for _, far := range []string{"7fffffe0", "00000051"} {
		if got, _, err := undump([]byte("00000000  " + first + "\n*\n" + far + "  " + first +
			"\n")); err == nil {
			t.Errorf("a line at %s: %d bytes", far, len(got))
		}
	}
}

// A report without a secret is named, and not taken for fields.
func TestJavasReportWithoutSecretsIsNamed(t *testing.T) {
	file := writeTemp(t, "javax.net.ssl|DEBUG|10|main|2026-11-28 10:43:26.171 UTC|"+
		"SSLContextImpl.java:420|System property jdk.tls.client.cipherSuites is set to 'null'\n")
	code, _, stderr := command(t, "derive", file)
	if code != exitUsage || !strings.Contains(stderr, "javax.net.debug reports no secret since") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// piped are bytes as Wireshark's debug file has them.
func piped(b []byte) string {
	var all strings.Builder
	for line := range slices.Chunk(b, 16) {
		fmt.Fprintf(&all, "| %-48s|%-16s|\n", fmt.Sprintf("% x", line), "")
	}
	return all.String()
}

// derive takes the output of another program as its FILE.
func TestDeriveReadsTheOutputOfOtherPrograms(t *testing.T) {
	java := func(b byte, n int) string {
		line := strings.Repeat(" "+strings.ToUpper(string("0123456789abcdef"[b>>4])+
			string("0123456789abcdef"[b&15])), 16)
		var all strings.Builder
		for at := 0; at < n; at += 16 {
			all.WriteString(string("0123456789abcdef"[at>>12&15]) +
				string("0123456789abcdef"[at>>8&15]) + string("0123456789abcdef"[at>>4&15]) +
				"0:" + line + "  ................\n")
		}
		return all.String()
	}
	for name, text := range map[string]string{
		"javax.net.debug": "SESSION KEYGEN:\nPreMaster Secret:\n" + java(0x03, 48) +
			"CONNECTION KEYGEN:\nClient Nonce:\n" + java(0x11, 32) + "Server Nonce:\n" +
			java(0x22, 32) + "Master Secret:\n" + java(0x44, 48),
		"javax.net.debug of Java 8 without keygen's nonces": "*** ClientHello, TLSv1.2\n" +
			"RandomCookie:  GMT: -1819044972 bytes = { " + strings.Repeat("148, ", 27) + "148 }\n" +
			"*** ServerHello, TLSv1.2\nRandomCookie:  GMT: 286331153 bytes = { " +
			strings.Repeat("17, ", 27) + "17 }\nCipher Suite: TLS_RSA_WITH_AES_128_CBC_SHA256\n" +
			"SESSION KEYGEN:\nPreMaster Secret:\n" + java(0x03, 48),
		"openssl s_client -trace": "    ClientHello, Length=288\n      client_version=0x303 (TLS " +
			"1.2)\n      Random:\n        gmt_unix_time=0x94949494\n        random_bytes (len=" +
			"28): " +
			strings.Repeat("94", 28) + "\n    ServerHello, Length=61\n      server_version=0x303 " +
			"(TLS 1.2)\n      Random:\n        gmt_unix_time=0x11111111\n        random_bytes " +
			"(len=28): " + strings.Repeat("11", 28) + "\n      cipher_suite {0x00, 0x3C} " +
			"TLS_RSA_WITH_AES_128_CBC_SHA256\n    Master-Key: " + strings.Repeat("AB", 48) + "\n",
		"Wireshark's debug file of two connections": "ssl_set_cipher found CIPHER 0x1302 " +
			"TLS_AES_256_GCM_SHA384 -> state 0x97\nssl_set_cipher found CIPHER 0x003C " +
			"TLS_RSA_WITH_AES_128_CBC_SHA256 -> state 0x97\npre master secret[48]:\n" +
			piped(bytes.Repeat([]byte{3}, 48)) + "tls_hash: hash seed[54]:\n" +
			piped([]byte("extended master secret"+strings.Repeat("h", 32))) +
			"tls_hash: hash seed[77]:\n" + piped([]byte("key expansion"+
			strings.Repeat("\x11", 32)+strings.Repeat("\x94", 32))) + "94\n",
		"fields with colons": "suite: AES128-SHA256\nmaster_secret: " + strings.Repeat("ab", 48) +
			"\nclient_random: " + strings.Repeat("94", 32) + "\nserver_random: " +
			strings.Repeat("11", 32) + "\n",
		"s_client": "    Protocol  : TLSv1.2\n    Cipher    : AES128-SHA256\n" +
			"    Session-ID: 00\n    Master-Key: " + strings.Repeat("AB", 48) + "\n" +
			"client_random: " + strings.Repeat("11", 32) + "\nserver_random: " +
			strings.Repeat("22", 32) + "\n",
	} {
		file := writeTemp(t, text)
		args := []string{"derive", file, "--table"}
		if !strings.Contains(text, "TLS_RSA_WITH") && !strings.Contains(text, "suite:") {
			args = append(args, "--suite", "AES128-SHA256")
		}
		code, stdout, stderr := command(t, args...)
		if code != exitOK || !strings.Contains(stdout, "client_write_key") {
			t.Errorf("%s: exit code %d, %s %s", name, code, stdout, stderr)
		}
		if random := strings.Repeat("94", 32); strings.Contains(text, "94") &&
			!strings.Contains(stdout, random) || strings.Contains(text, "148") &&
			!strings.Contains(stdout, random) {
			t.Errorf("%s: the client_random is not %s: %s", name, random, stdout)
		}
	}
}

// A transcript in records is read without them.
func TestRecordsAroundATranscriptAreLeftOut(t *testing.T) {
	hello := []byte{1, 0, 0, 2, 9, 9}
	done := []byte{14, 0, 0, 0}
	b := append([]byte{22, 3, 1, 0, 6}, hello...)
	b = append(append(b, 22, 3, 3, 0, 4), done...)
	b = append(b, 20, 3, 3, 0, 1, 1)
	if got, ok := outOfRecords(b); !ok || !bytes.Equal(got, append(hello, done...)) {
		t.Errorf("got %x, %v", got, ok)
	}
	for _, other := range [][]byte{append(hello, done...), b[:len(b)-1], nil,
		{23, 3, 3, 0, 1, 1}, {20, 3, 3, 0, 1, 1}} {
		if _, ok := outOfRecords(other); ok {
			t.Errorf("%x was taken for records", other)
		}
	}
}

// writeTemp writes a file of this test.
func writeTemp(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// However many lines "*" there are, they stand for so many bytes in all.
func TestSqueezedLinesAreBounded(t *testing.T) {
	line := "00000000: 16\n*\n000f0000: 16\n"
	for _, n := range []int{1, 2, 50} {
		text := []byte(strings.Repeat(line, n))
		b, ok, err := undump(text)
		if want := 0xf0000 + 1; n == 1 && (len(b) != want || !ok || err != nil) {
			t.Errorf("%d bytes, %v, %v; expected %d", len(b), ok, err, want)
		}
		if len(b) > len(text)+maxSqueezed {
			t.Errorf("%d bytes of a text of %d", len(b), len(text))
		}
	}
}

func FuzzDump(f *testing.F) {
	for _, text := range dumps {
		f.Add([]byte(text))
		for _, spoilt := range testkit.Spoil([]byte(text), 14) {
			f.Add(spoilt)
		}
	}
	for _, text := range literals {
		f.Add([]byte(text))
	}
	for _, text := range []string{"{", "[]", `"\`, `'\x`, "<Buffer >", "a:\n1:\n", "{'\\''}", "=",
		"\\777", "{-129}", "{1}{2}", "a = {1,\n2};\n"} {
		f.Add([]byte(text))
	}
	for _, text := range []string{"0000: 01 02\n0002: 03\n", "0000: 01 02\n0009: 03\n",
		"0000000000000001000: 01\n", "1000: 01\n", "0000000 0102 0304\n0000004\n", "|1603|\n",
		"0000000 1234567\n", "ffffffffffffffff: 01\n", "master_secret: 01\nmaster_secret: 02\n",
		"0123456 1234567 aa\n", "cipher: x\n", "\x16\x03\x01\x00\x01\x01\x14\x03\x03\x00\x01\x01",
		"00000000: 16\n*\n00000010: 03\n", "00000000  16 03\n*\n00000009\n",
		"0000000 16 03\n*\n0000020\n", "0000000 0316 0001\n0000003\n", "00: 16\n*\nx\n",
		"\x16\x03\x01\x00\x09\x01", "\x16\x03\x01\x00\x01\x01\x17\x03\x03\x00\x01\x01",
		"0000020 160301\n0000003 01\n",
		"0000000 16 03 01 00 02 01 00 00 16 03 01 00 02 01 00 00\n" +
			"0000020 16 03\n", "0000000 1603 0100\n\nnothing\n", "\n\n", "12345678 12345678\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if b, _, _ := undump(text); len(b) > len(text)+maxSqueezed {
			t.Fatalf("%d bytes of a text of %d", len(b), len(text))
		}
		(&values{fields: map[string]input{}}).loadDump("x", text)
		outOfRecords(text)
		b, ok, err := literal(string(text))
		if len(b) > len(text) || err != nil && (!ok || len(err.Error()) > 500) {
			t.Fatalf("%d bytes of a text of %d, %v, %v", len(b), len(text), ok, err)
		}
		if n := len(onOneLine(text)); n > 2*len(text)+2 {
			t.Fatalf("%d bytes of lines of a text of %d", n, len(text))
		}
	})
}
