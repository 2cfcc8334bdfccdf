package dump

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A style is how a program prints a line of up to 16 bytes.
type style struct {
	name  string
	print func(offset int, b []byte) string
	words bool // in words of two bytes, the lower one first
}

// dots is the text that stands behind bytes.
func dots(b []byte) string { return strings.Repeat(".", len(b)) }

func spaced(b []byte) string { return fmt.Sprintf("% x", b) }

// gapped sets the second half of the bytes apart.
func gapped(b []byte, gap string) string {
	if len(b) <= 8 {
		return spaced(b)
	}
	return spaced(b[:8]) + gap + spaced(b[8:])
}

var styles = []style{
	{"xxd", func(at int, b []byte) string {
		var pairs []string
		for p := range slices.Chunk(b, 2) {
			pairs = append(pairs, hex.EncodeToString(p))
		}
		return fmt.Sprintf("%08x: %-39s  %s", at, strings.Join(pairs, " "), dots(b))
	}, false},
	{"hexdump -C", func(at int, b []byte) string {
		return fmt.Sprintf("%08x  %-48s  |%s|", at, gapped(b, "  "), dots(b))
	}, false},
	{"hexdump", func(at int, b []byte) string {
		line := fmt.Sprintf("%07x", at)
		for p := range slices.Chunk(b, 2) {
			line += fmt.Sprintf(" %04x", binary.LittleEndian.Uint16(append(p[:len(p):len(p)], 0)))
		}
		return line
	}, true},
	{"od -Ax -tx1", func(at int, b []byte) string { return fmt.Sprintf("%06x  %s", at, spaced(b)) },
		false},
	{"Java", func(at int, b []byte) string {
		return fmt.Sprintf("%04X: %-49s  %s", at, strings.ToUpper(gapped(b, "   ")), dots(b))
	}, false},
	{"s_client", func(at int, b []byte) string {
		return fmt.Sprintf("%04x - %-47s   %s", at, gapped(b, "-"), dots(b))
	}, false},
	{"Wireshark", func(_ int, b []byte) string {
		return fmt.Sprintf("| %-47s |%-16s|", spaced(b), dots(b))
	}, false},
	{"tshark -x", func(at int, b []byte) string {
		return fmt.Sprintf("%04x  %-47s   %s", at, gapped(b, " "), dots(b))
	}, false},
}

// FuzzReport reads a text as the report of a program, line by line: values have a name that there
// is, a line that was read and a bounded length. And bytes that are printed in a program's style
// are read as they were.
func FuzzReport(f *testing.F) {
	random := strings.Repeat("a1", 32)
	numbers := strings.TrimSuffix(strings.Repeat("161, ", 28), ", ")
	for i, text := range []string{
		"*** ClientHello, TLSv1.2\nRandomCookie:  GMT: -1583243104 bytes = { " + numbers + " }\n" +
			"*** ServerHello, TLSv1.2\nRandomCookie:  GMT: 1 bytes = { 1, 2 }\n" +
			"Cipher Suite: TLS_X\nSESSION KEYGEN:\nPreMaster Secret:\n" +
			"0000: 03 03 2E\nClient Nonce:\n0000: A1 A1\nMaster Secret:\n\n",
		`"ClientHello": {` + "\n" + `  "random" : "` + random + "\",\n  \"random\": \"A1 A1\",\n" +
			`"ServerHello": {` + "\n" + `  "cipher suite" : "TLS_X(0xC030)",` + "\n" +
			`  "server version" : "TLSv1.2",` + "\n  \"random\" : \"none\"\n",
		"random_bytes (len=28): a1\nClientHello, Length=288\ngmt_unix_time=0xA1A1A1A1\n" +
			"random_bytes (len=28): " + random[8:] + "\nServerHello, Length=57\n" +
			"server_version=0x303 (TLS 1.2)\ncipher_suite {0xC0, 0x30} TLS_X\n" +
			"random_bytes (len=28): zz\n",
		"|<9>| INT: PREMASTER SECRET[48]: " + random + "\n|<9>| INT: CLIENT RANDOM[32]: zz\n" +
			"|<9>| INT: [32]\nMASTER SECRET[x]: a1\nMASTER SECRET]: a1\n_a: b\na1: b\n: b\n" +
			strings.Repeat("x", 41) + ": b\n",
		"Nov 27 10:00:00 host java[7]: Master Secret:\n" +
			"Nov 27 10:00:00 host java[7]: 0000: A1 A1\n",
		"master secret[2]:\n| a1 a1 | .. |\nmaster secret[2]:\n|a1\n  Protocol  : TLSv1.2\n" +
			"    Cipher    : TLS_X\n    Master-Key: " + random + "\n",
	} {
		for form := range styles {
			f.Add(text, []byte(random)[:5+3*i], byte(form), uint16(16*i*form))
		}
	}
	for _, line := range []string{"123: 00", "0000", "0000 00", "00000000 04050607", "0000x",
		"00000000 04 05", "0000- 04", "fffffffff: 00", "0000: 0", "0000:  zz", "|zz|", "| |",
		"0000: " + strings.Repeat("00", 40), "0000: 00    00",
		"0000: " + strings.Repeat("00 ", 16) + "  00"} {
		f.Add("Master Secret:\n"+line+"\n", []byte(line), byte(len(line)), uint16(len(line)))
	}
	known := map[string]bool{}
	for heading, name := range headings {
		known[name] = true
		if field, ok := Field(strings.ToUpper(heading[:1]) + "-_" + heading[1:]); !ok ||
			field != name {
			f.Fatalf("%s is the field %q", heading, field)
		}
	}
	f.Fuzz(func(t *testing.T, text string, b []byte, form byte, at uint16) {
		var r Report
		n := 0
		check := func(values []Value) {
			for _, v := range values {
				if !known[v.Name] || v.Line < 1 || v.Line > n || len(v.Bytes) > len(text) {
					t.Errorf("line %d of %q: %v", v.Line, text, v)
				}
			}
		}
		for line := range strings.Lines(text) {
			n++
			values, _ := r.Read(n, line)
			check(values)
		}
		check(r.End())
		if r.End() != nil || r.ClientHellos() > n {
			t.Errorf("%q: a value is returned twice, or %d hellos", text, r.ClientHellos())
		}

		s := styles[int(form)%len(styles)]
		b = b[:min(len(b), 16)]
		if s.words {
			b = b[:len(b)/2*2]
		}
		if len(b) == 0 {
			return
		}
		line := s.print(int(at), b)
		offset, got, words, ok := Line(line)
		for i := 0; words && i+1 < len(got); i += 2 {
			got[i], got[i+1] = got[i+1], got[i]
		}
		if !ok || !bytes.Equal(got, b) || words != s.words || offset >= 0 && offset != int(at) {
			t.Errorf("%s: %q is read as %x at %d: %v, words %v", s.name, line, got, offset, ok,
				words)
		}
	})
}
