package dump

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// printed returns a random as sun.security.ssl.RandomCookie prints it up to Java 8: the first four
// bytes are added up with their signs.
func printed(random []byte) string {
	var time int32
	for i, b := range random[:4] {
		time += int32(int8(b)) << (8 * (3 - i))
	}
	var rest []string
	for _, b := range random[4:] {
		rest = append(rest, fmt.Sprint(b))
	}
	return fmt.Sprintf("RandomCookie:  GMT: %d bytes = { %s }", time, strings.Join(rest, ", "))
}

// Whatever the signs of the first four bytes, the random is read as it was.
func TestRandomsOfJavaAreReadWithTheirSigns(t *testing.T) {
	random := make([]byte, 32)
	for i := range random {
		random[i] = byte(i * 9)
	}
	for _, first := range []uint32{0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fffffff, 0x80000000,
		0x80808080, 0xffffffff, 0xff00ff00, 0x00ff00ff, 0x5b4e92a6, 0x807f807f} {
		binary.BigEndian.PutUint32(random, first)
		var r Report
		r.Read(1, "*** ClientHello, TLSv1.2")
		values, known := r.Read(2, printed(random))
		if !known || len(values) != 1 || values[0].Name != "client_random" ||
			!bytes.Equal(values[0].Bytes, random) {
			t.Errorf("%08x: got %v", first, values)
		}
	}
	for _, other := range []string{"RandomCookie:  GMT: 1 bytes = { 1, 2 }", "RandomCookie:  ",
		strings.Replace(printed(random), "GMT: ", "GMT: 99999", 1),
		strings.Replace(printed(random), "36", "256", 1)} {
		var r Report
		r.Read(1, "*** ServerHello, TLSv1.2")
		if values, _ := r.Read(2, other); len(values) != 0 {
			t.Errorf("%q: got %v", other, values)
		}
	}
}

// Each value is read with the line that names it, whatever program reports it.
func TestReportsHaveValuesWithTheirLines(t *testing.T) {
	c, s := strings.Repeat("0a", 32), strings.Repeat("5e", 32)
	for program, text := range map[string]string{
		"openssl -trace": "ClientHello, Length=9\nRandom:\n  gmt_unix_time=0x0A0A0A0A\n" +
			"  random_bytes (len=28): " + c[:56] + "\nServerHello, Length=9\n" +
			"  server_version=0x303 (TLS 1.2)\n  gmt_unix_time=0x5E5E5E5E\n" +
			"  random_bytes (len=28): " + s[:56] + "\n  cipher_suite {0xC0, 0x30} TLS_X\n",
		"javax.net.debug 11": `"ClientHello": {` + "\n" + `"client version" : "TLSv1.2",` + "\n" +
			`  "random"              : "` + c + "\",\n" + `"ServerHello": {` + "\n" +
			`  "server version"      : "TLSv1.2",` + "\n" + `  "random" : "` + s + "\",\n" +
			`  "cipher suite"        : "TLS_X(0xC030)",` + "\n",
	} {
		got := map[string]string{}
		var r Report
		for n, line := range strings.Split(text, "\n") {
			values, _ := r.Read(n+1, line)
			for _, v := range values {
				got[v.Name] = hex.EncodeToString(v.Bytes) + v.Text
				if v.Line != n+1 {
					t.Errorf("%s: %s in line %d, expected %d", program, v.Name, v.Line, n+1)
				}
			}
		}
		for name, want := range map[string]string{"client_random": c, "server_random": s,
			"version": "1.2", "suite": "TLS_X"} {
			if got[name] != want {
				t.Errorf("%s: %s is %q, expected %q", program, name, got[name], want)
			}
		}
	}
}
