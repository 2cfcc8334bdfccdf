package probe_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/probe"
)

// FuzzRead: a file of reports, from anywhere, is read or refused; what is read is written as it
// was, can be compared with any other report, and has no control characters in what is shown.
func FuzzRead(f *testing.F) {
	whole, err := os.ReadFile("testdata/report.json") // of a crypto/tls with one certificate
	if err != nil {
		f.Fatal(err)
	}
	list, err := probe.Read(bytes.NewReader(whole))
	if err != nil {
		f.Fatal(err)
	}
	report := list[0]
	f.Add(whole)
	f.Add(append(bytes.Clone(whole), whole...))
	for _, spoilt := range testkit.Spoil(whole, 40) {
		f.Add(spoilt)
	}
	for _, change := range [][2]string{{"TLS 1.2", "TLS 9"}, {"medium", "huge"},
		{`"yes"`, `"\u001b"`}, {"X25519", "x\\u202ey"},
		{`"reached":true`, `"reached":false`}, {"a:443", ""}, {"TLS 1.3", "SSL 2.0"}} {
		f.Add([]byte(strings.ReplaceAll(string(whole), change[0], change[1])))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		reports, _ := probe.Read(bytes.NewReader(file))
		for _, r := range reports {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			again, err := probe.Read(bytes.NewReader(b))
			if err != nil || len(again) != 1 {
				t.Fatalf("a report that was read is not read again: %v", err)
			}
			r.Since(report)
			again[0].Since(r)
			for _, write := range []func(io.Writer, []*probe.Report) error{probe.WriteSARIF,
				probe.WriteTestssl} {
				if err := write(io.Discard, again); err != nil {
					t.Error(err)
				}
			}
			for _, c := range append(r.Changes, again[0].Changes...) {
				if s := c.String(); strings.ContainsFunc(s, control) {
					t.Errorf("a change is shown as %q", s)
				}
			}
		}
	})
}

// control reports whether a rune moves a cursor or turns the direction.
func control(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x202e }
