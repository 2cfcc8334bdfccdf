package keylog

import (
	"encoding/hex"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	r32b   = strings.Repeat("0b", 32)
	stray  = strings.Repeat("9f86", 16)
	other  = strings.Repeat("77", 48)
	ofAKey = "CLIENT_RANDOM " + r32 + " " + s48 + "\n"
)

// A line that is whole is not continued by hex that follows it, unless a mark says so.
func TestAWholeLineTakesNothingOfTheNext(t *testing.T) {
	traffic := "CLIENT_TRAFFIC_SECRET_0 " + r32 + " "
	pre, ech := "PMS_CLIENT_RANDOM "+r32+" ", "ECH_CONFIG "+r32+" "
	for _, x := range []struct {
		text  string
		label Label
		want  string
	}{
		{traffic + s32 + "\n" + stray, ClientTraffic, s32},
		{traffic + s32 + "\n" + stray[:32], ClientTraffic, s32},
		{"> " + traffic + s32 + "\n> " + stray[:32], ClientTraffic, s32},
		{traffic + "\n" + s32 + "\n" + stray, ClientTraffic, s32},
		{traffic[:50] + "\n" + traffic[50:] + s32 + "\n" + stray, ClientTraffic, s32},
		{traffic + s48 + "\n" + stray[:32], ClientTraffic, s48},
		{traffic + s32 + "\\\n" + s48[:32], ClientTraffic, s48},
		{traffic + s32 + "=\n" + s48[:32], ClientTraffic, s48},
		{traffic + s32 + "\n    " + s48[:32], ClientTraffic, s48},
		{traffic + s32 + "\n    42", ClientTraffic, s32},
		{"EXPORTER_SECRET " + r32 + " " + s32 + "\n" + s32, Exporter, s32},
		{"ECH_SECRET " + r32 + " " + s32 + "\n" + stray, ECHSecret, s32},
		{pre + s32 + "\n42", PreMasterByRandom, s32},
		{pre + s32 + "\n" + stray, PreMasterByRandom, s32},
		{pre + s48 + "\n42", PreMasterByRandom, s48},
		{pre + s48 + s48[:36] + "\n42\n42", PreMasterByRandom, s48 + s48[:36]},
		{pre + s32[:40] + "\n42", PreMasterByRandom, s32[:40]}, // no known length
		{pre + "00020000" + "00020102\n42", PreMasterByRandom, "0002000000020102"},
		{pre + "0002000000\n020102", PreMasterByRandom, "0002000000020102"}, // RFC 4279 §2
		{ech + "fe0d0002aabb\n42", ECHConfig, "fe0d0002aabb"},
		{ech + "fe0d00\n02aabb\n42", ECHConfig, "fe0d0002aabb"}, // RFC 9849 §4
	} {
		l, _ := Read(strings.NewReader(x.text + "\nCLIENT_RANDOM " + r32b + " " + s48 + "\n"))
		id, _ := hex.DecodeString(r32)
		if got := hex.EncodeToString(l.Secret(x.label, id)); got != x.want || l.Len() != 2 {
			t.Errorf("%q: a secret of %d bytes of %d lines, expected %d bytes", x.text, len(got)/2,
				l.Len(), len(x.want)/2)
		}
	}
	pre = "RSA " + r32[:16] + " "
	l, _ := Read(strings.NewReader(pre + s48 + "\n42\n"))
	if id, _ := hex.DecodeString(r32[:16]); len(l.Secret(PreMasterByEncrypted, id)) != 48 {
		t.Error("RSA: the secret is lost")
	}
}

// A secret in a report is of the client_random in the same report only, and replaces no secret that
// is known.
func TestAReportIsOfOneConnection(t *testing.T) {
	session := "SSL-Session:\n    Session-ID: 0102\n    Master-Key: " + other + "\n"
	nonce := "Client random: " + r32 + "\n"
	hello := "ClientHello, Length=9\nRandom:\n  gmt_unix_time=0x0A0A0A0A\n" +
		"  random_bytes (len=28): " + r32[:56] + "\n"
	const pre = "0303"
	for what, x := range map[string]struct {
		files  []string
		master string // of r32
		pre    string
	}{
		"a labelled line before": {[]string{ofAKey + nonce + session}, s48, ""},
		"a labelled line behind": {[]string{nonce + "Master Secret: " + other + "\n" + ofAKey},
			s48, ""},
		"a labelled line, GnuTLS": {[]string{ofAKey + nonce + "Master Secret: " + other}, s48,
			""},
		"a labelled line and a trace":  {[]string{ofAKey + hello + session}, s48, ""},
		"a labelled line in a file":    {[]string{ofAKey, hello + session}, s48, ""},
		"a session of another program": {[]string{nonce + session}, "", ""},
		"another file":                 {[]string{hello, session}, "", ""},
		"another file, of a list":      {[]string{nonce, "Master Secret: " + other}, "", ""},
		"another run of s_client": {[]string{hello + "CONNECTED(00000003)\n" + session}, "",
			""},
		"another hello": {[]string{hello + "ClientHello, Length=9\n" + session}, "",
			""},
		"another session": {[]string{hello + "session_id (len=2): 0103\n" + session}, "", ""},
		"the session":     {[]string{hello + "session_id (len=2): 0102\n" + session}, other, ""},
		"a ticket":        {[]string{hello + "session_id (len=0): \n" + session}, other, ""},
		"a second secret": {[]string{nonce + "Master Secret: " + s48 + "\nMaster Secret: " +
			other}, s48, ""},
		"zeros": {[]string{"CLIENT_RANDOM " + r32 + " " + strings.Repeat("00", 48) + "\n" +
			nonce + "Master Secret: " + other}, other, ""},
		"a pre_master_secret before another hello": {[]string{"PreMaster Secret: " + pre +
			"\n*** ClientHello, TLSv1.2\n" + nonce}, "", ""},
		"a pre_master_secret of another file": {[]string{"PreMaster Secret: " + pre, nonce},
			"", ""},
		"a pre_master_secret before a hello": {[]string{nonce + "PreMaster Secret: " + pre +
			"\n*** ClientHello, TLSv1.2\n"}, "", pre},
		"a labelled pre_master_secret": {[]string{"PMS_CLIENT_RANDOM " + r32 + " " + s32 +
			"\n" + nonce + "PreMaster Secret: " + pre}, "", s32},
	} {
		l := new(Log)
		for _, file := range x.files {
			if err := l.Merge(strings.NewReader(file)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		id, _ := hex.DecodeString(r32)
		got, gotPre := l.Secret(ClientRandom, id), l.Secret(PreMasterByRandom, id)
		if hex.EncodeToString(got) != x.master || hex.EncodeToString(gotPre) != x.pre {
			t.Errorf("%s: another secret: %v", what, l.lines)
		}
		text := strings.Join(x.files, "")
		if strings.Contains(text, session) && l.Secret(MasterBySession, []byte{1, 2}) == nil {
			t.Errorf("%s: the session's secret is lost", what)
		}
		if strings.Contains(text, other) && x.master != other && len(l.Nameless()) != 1 &&
			what != "a labelled line behind" {
			t.Errorf("%s: the other secret is not tried", what)
		}
	}
}

// A session's secret in a key log is not replaced by a report, nor taken for that of a session in
// another file.
func TestASessionKeepsItsSecret(t *testing.T) {
	labelled := "RSA Session-ID:0102 Master-Key:" + s48 + "\n"
	for what, files := range map[string][]string{
		"a report":           {labelled + "Session-ID: 0102\nMaster-Key: " + other},
		"another file":       {labelled, "Session-ID: 0102\n", "Master-Key: " + other},
		"a second secret":    {"Session-ID: 0102\nMaster-Key: " + s48 + "\nMaster-Key: " + other},
		"a report in a file": {labelled, "Session-ID: 0102\nMaster-Key: " + other},
	} {
		l := new(Log)
		for _, file := range files {
			if err := l.Merge(strings.NewReader(file)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if hex.EncodeToString(l.Secret(MasterBySession, []byte{1, 2})) != s48 {
			t.Errorf("%s: the secret is another", what)
		}
		if n := len(l.Nameless()); n == 0 || hex.EncodeToString(l.Nameless()[n-1]) != other {
			t.Errorf("%s: the other secret is not tried", what)
		}
	}
}

// repeated reads a text again and again.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		part := copy(p[n:], r.text[r.at:])
		n, r.at = n+part, (r.at+part)%len(r.text)
	}
	return n, nil
}

// The time and the memory to read a file grow as its length, whatever is in it: a capture may bring
// one.
func TestJunkIsReadInLinearTime(t *testing.T) {
	pre := "PMS_CLIENT_RANDOM " + r32 + " 0\n"
	ech, rsa := "ECH_CONFIG "+r32+" 0\n", "RSA "+r32[:16]+" 0\n"
	const long, short = 1 << 20, 1 << 18 // with lines of 16 KB, and of a digit
	for what, x := range map[string]struct {
		begins, repeats string
		length          int64
	}{
		"fields":          {"", strings.Repeat("a ", 8000) + "\n", long},
		"marks":           {"", strings.Repeat("> ", 8000) + "RSA\n", long},
		"labels":          {"", strings.Repeat("RSA ", 4000) + "\n", long},
		"other labels":    {"", strings.Repeat("CLIENT_RANDOM ", 1000) + "\n", long},
		"a session":       {"RSA Session-ID:0\n", "1\n", short},
		"many sessions":   {"", "RSA Session-ID:0\n" + strings.Repeat("1\n", 7), short},
		"pre_master":      {"", pre + strings.Repeat("1\n", 8190), short},
		"RSA":             {"", rsa + strings.Repeat("1\n", 8190), short},
		"ECHConfig":       {"", ech + strings.Repeat("11\n", 4094), short},
		"a long dump":     {"Master Secret:\n", "| 00 |\n", short},
		"a dumped log":    {"", "| 61 61 61 61 |\n", short},
		"hellos":          {"", "ClientHello, \nrandom_bytes (len=28): 00\n", short},
		"spaces":          {"", pre + strings.Repeat(strings.Repeat(" ", 16000)+"1\n", 60), long},
		"spaces, session": {"", "RSA Session-ID:" + strings.Repeat(" ", 16000) + "1\n", long},
	} {
		begin, before := time.Now(), allocated()
		text := io.LimitReader(&repeated{text: x.repeats}, x.length)
		Read(io.MultiReader(strings.NewReader(x.begins), text))
		took, each := time.Since(begin), (allocated()-before)/uint64(x.length)
		if took > 10*time.Second || each > 512 {
			t.Errorf("%s: %v for %d bytes, and %d bytes for each", what, took, x.length, each)
		}
		t.Logf("%s: %v for %d bytes, and %d bytes for each", what, took, x.length, each)
	}
}

// allocated returns how many bytes were allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
