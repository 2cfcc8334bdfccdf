package main

import (
	"bytes"
	"strings"
	"testing"
)

// literals are the bytes 03 03 61 5c 22 0a ff and the numbers 7 to 17, as programs write them.
var literals = map[string]string{
	"Python":           `b'\x03\x03a\\"\n\xff\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11'`,
	"Python bytearray": `bytearray(b'\x03\x03a\\"\n\xff\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11')`,
	"Python fromhex":   `pms = bytes.fromhex('0303615c220aff0708090a0b0c0d0e0f1011')`,
	"Python hexlify":   `b'0303615c220aff0708090a0b0c0d0e0f1011'`,
	"Python list":      `[3, 3, 97, 92, 34, 10, 255, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]`,
	"Go %v":            `[3 3 97 92 34 10 255 7 8 9 10 11 12 13 14 15 16 17]`,
	"Go": "[]byte{0x03, 0x03, 0x61, 0x5c, 0x22, 0x0a, 0xff, 0x7, 8, 9,\n 10, 11, 12, 13, 14, " +
		"15, 16, 0x11}",
	"C": "static const unsigned char pms[18] = { /* PMS */\n  0x03, 0x03, 'a', '\\\\', 34U,\n" +
		"  0x0A, 0xFF, 7, 8, 9, 10, 11, // half\n 12, 13, 14, 15, 16, 17,\n};\n",
	"xxd -i": "unsigned char pms_bin[] = {\n  0x03, 0x03, 0x61, 0x5c, 0x22, 0x0a, 0xff, 0x07, " +
		"0x08, 0x09, 0x0a, 0x0b,\n  0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11\n};\n" +
		"unsigned int pms_bin_len = 18;\n",
	"Java": "new byte[] { 3, 3, 97, 92, 34, 10, -1, 7, 8, 9, 10, 11, 12, 13, 14, 15, (byte)0x10, " +
		"(byte) 0x11 }",
	"Node.js":      "<Buffer 03 03 61 5c 22 0a ff 07 08 09 0a 0b 0c 0d 0e 0f 10 11>",
	".NET":         "03-03-61-5C-22-0A-FF-07-08-09-0A-0B-0C-0D-0E-0F-10-11",
	"Base64":       "AwNhXCIK/wcICQoLDA0ODxAR",
	"Base64 lines": "AwNhXCIK\n/wcICQoL\nDA0ODxAR\n",
	"C string": "\"\\x03\\x03\\x61\\x5c\\x22\\x0a\\xff\\x07\" \\\n" +
		"\"\\x08\\x09\\x0a\\x0b\\x0c\\x0d\\x0e\\x0f\\x10\\x11\"",
	"escapes":           `\x03\x03\x61\x5c\x22\x0a\xff\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11`,
	"octal":             `"\003\003a\134\042\012\377\7\b\t\n\v\f\r\016\017\020\021"`,
	"quoted hex":        `"0303615c220aff0708090a0b0c0d0e0f1011"`,
	"Wireshark, stream": "0303615c220aff0708090a0b0c0d0e0f1011",
	"Wireshark, dump": "0000   03 03 61 5c 22 0a ff 07 08 09 0a 0b 0c 0d 0e 0f\n" +
		"0010   10 11\n",
	"Wireshark, dump with text": "0000   03 03 61 5c 22 0a ff 07 08 09 0a 0b 0c 0d 0e 0f" +
		"   ..a\\\"...........\n0010   10 11                                             ..\n",
	"tshark -x": "0000  03 03 61 5c 22 0a ff 07 08 09 0a 0b 0c 0d 0e 0f   ..a\\\"...........\n" +
		"0010  10 11                                              ..\n",
	"certutil": "0000\t03 03 61 5c 22 0a ff 07  08 09 0a 0b 0c 0d 0e 0f   ..a\\\"...........\n" +
		"0010\t10 11                                              ..\n",
	"openssl -text": "Private-Key: (144 bit)\npriv:\n" +
		"    03:03:61:5c:22:0a:ff:07:08:09:0a:0b:0c:0d:0e:\n" +
		"    0f:10:11\n",
	"colons": "    03:03:61:5c:22:0a:ff:07:08:09:0a:0b:0c:0d:0e:\n    0f:10:11\n",
}

func TestLiteralsOfProgramsAreRead(t *testing.T) {
	want := append([]byte("\x03\x03a\\\"\n\xff"), 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
	for program, text := range literals {
		for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
			v := &values{fields: map[string]input{"transcript": {text: text, where: "--x"}}}
			got, err := v.bytes("transcript")
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: got %x, %v", program, got, err)
			}
		}
	}
	for text, says := range map[string]string{
		"-----BEGIN PRIVATE KEY-----\nMC4C\n":        "openssl pkey -text",
		"<Buffer 03 03 ... 12 more bytes>":           "was cut by what printed it",
		"[3, 3, ... 10 more items]":                  "was cut by what printed it",
		"a = {1, 2}; b = {3}":                        "has 2 arrays",
		"{1, 256}":                                   "element 2 is not a byte",
		`b'\x0'`:                                     "\\x",
		`"\u0041"`:                                   "an escape that is not read",
		"priv:\n  01:02\npub:\n  03:04\n":            "has the values priv, pub",
		"0303ae5e7386878b4c10d56ca1a445o76fd47492e7": `'o' is not a hex digit`,
	} {
		v := &values{fields: map[string]input{"transcript": {text: text, where: "--x"}}}
		if got, err := v.bytes("transcript"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %x, %v, expected %q", text, got, err, says)
		}
	}
}

// derive's FILE may be source code.
func TestDeriveReadsDeclarations(t *testing.T) {
	array := func(b string, n int) string {
		return "{\n  " + strings.Repeat(b+", ", n/2) + "\n  " + strings.Repeat(b+", ", n/2) + "\n};"
	}
	for name, text := range map[string]string{
		"xxd -i": "unsigned char master_secret[] = " + array("0x44", 48) +
			"\nunsigned int master_secret_len = 48;\nunsigned char client_random[] = " +
			array("0x11", 32) + "\nunsigned int client_random_len = 32;\n" +
			"static const uint8_t serverRandom[32] = " + array("0x22", 32) + "\n",
		"Python": "master_secret = b'" + strings.Repeat(`\x44`, 48) + "'\nclient_random = " +
			"bytes.fromhex('" + strings.Repeat("11", 32) + "')\nserver_random = \"" +
			strings.Repeat("22", 32) + "\"\n",
		"Go": "masterSecret := []byte" + array("0x44", 48) + "\nclientRandom := []byte" +
			array("17", 32) + "\nserverRandom := []byte" + array("0x22", 32) + "\n",
		"GnuTLS": "|<9>| INT: CLIENT RANDOM[32]: " + strings.Repeat("11", 32) + "\n" +
			"|<9>| INT: SERVER RANDOM[32]: " + strings.Repeat("22", 32) + "\n" +
			"|<9>| INT: MASTER SECRET: " + strings.Repeat("44", 48) + "\n",
	} {
		code, stdout, stderr := command(t, "derive", writeTemp(t, text), "--suite",
			"AES128-SHA256", "--table")
		if code != exitOK || !strings.Contains(stdout, "client_write_key") {
			t.Errorf("%s: exit code %d, %s %s", name, code, stdout, stderr)
		}
	}
}
