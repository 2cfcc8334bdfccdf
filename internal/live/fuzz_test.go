package live_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// ingested are events of some connections, as lines of a file.
func ingested(f *testing.F) (all [][]byte) {
	hello := testkit.Vectors(f, "illustrated-tls12/clienthello")[5:]
	for _, list := range [][]trace.Event{
		{&trace.Message{From: iana.Client, Type: iana.ClientHello, Raw: hello},
			&trace.Agreed{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256, Group: "x25519",
				ALPN: "h2"}, &trace.Done{OK: true}},
		{&trace.Message{From: iana.Client, Type: iana.ClientHello, Raw: hello[:50]},
			&trace.Alert{From: iana.Server, Level: 2, Description: 40, Reason: "none in common"},
			&trace.Done{}},
		{&trace.Message{From: iana.Client, Type: iana.Certificate, Raw: []byte{11, 0, 0, 3, 0, 0,
			0}}, &trace.Record{From: iana.Client, ContentType: iana.RecordApplicationData,
			Plaintext: trace.Secret("data")}, &trace.Done{OK: true}},
		{&trace.Agreed{Version: iana.TLS12, ServerName: "a.test"},
			&trace.Verified{What: "chain", From: iana.Client},
			&trace.Message{From: iana.Client, Type: iana.Certificate, Raw: []byte{11, 0, 0, 7, 0, 0,
				4, 0, 0, 1, 48}}, &trace.Record{From: iana.Server, Plaintext: []byte("data")},
			&trace.Failed{From: iana.Client, Check: "order", Alert: 10, Reason: "too early"},
			&trace.Alert{From: iana.Client, Level: 1, Description: 0}},
		{&trace.Alert{From: iana.Client, Level: 2, Description: 48},
			&trace.Message{From: iana.Server, Type: iana.ServerHello, Raw: []byte{2, 0, 0, 0}},
			&trace.Failed{From: iana.Client, Check: "truncated"}},
	} {
		var b bytes.Buffer
		w := trace.NewWriter(&b, trace.Reveal())
		for _, e := range list {
			w.Put(trace.Entry{Role: trace.Server, Event: e})
		}
		all = append(all, b.Bytes())
	}
	return all
}

// FuzzIngest: whatever the events of a connection are, its row and what is kept of it stay within
// bounds; a folder whose files were damaged is read, and has at most as many rows as files.
func FuzzIngest(f *testing.F) {
	for _, b := range ingested(f) {
		f.Add(b, []byte{})
		for _, spoilt := range testkit.Spoil(b, 9) {
			f.Add(spoilt, b)
		}
	}
	row := `{"row":{"id":"ID","client":"192.0.2.1:1","state":"open"},"size":9}` + "\n"
	f.Add([]byte{}, []byte(row))
	f.Add([]byte(row), []byte(row[:40]))
	f.Add([]byte(row), []byte(strings.ReplaceAll(row, "open", "handshake")+row+"{}\n"))
	f.Fuzz(func(t *testing.T, events, index []byte) {
		if len(events)+len(index) > 1<<16 {
			return
		}
		entries, err := trace.Read(bytes.NewReader(events))
		hub := live.New(live.Options{})
		c := hub.Open(live.Row{Client: "192.0.2.1:1"})
		for _, e := range entries {
			c.Put(e)
		}
		c.End(err != nil, func(r *live.Row) { r.Reason = strings.Repeat("r", 10<<10) })
		got, kept, ok := hub.Find(c.ID())
		if !ok || !got.Over() || len(kept) > len(entries) {
			t.Errorf("of %d events %d are kept, over: %v", len(entries), len(kept), got.Over())
		}
		if b, err := json.Marshal(got); err != nil || len(b) > 1<<16 {
			t.Errorf("a row of %d bytes, %v", len(b), err)
		}
		dir, packed := t.TempDir(), bytes.Buffer{}
		z := gzip.NewWriter(&packed)
		z.Write(events)
		z.Close()
		index = bytes.ReplaceAll(index, []byte("ID"), []byte(c.ID()))
		for name, b := range map[string][]byte{"index.jsonl": index,
			live.FileOf(got): packed.Bytes()} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := live.ReadHistory(dir)
		if err != nil || len(rows) > 1 {
			t.Errorf("%d rows of one file, %v", len(rows), err)
		}
		for _, r := range rows {
			if !r.Over() {
				t.Errorf("a connection of before is %v", r.State)
			}
		}
	})
}
