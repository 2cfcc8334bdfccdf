package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// The bits of how a live view is in FuzzLiveView.
const (
	revealing = 1 << iota
	manyRows
	crowded // by as many pages as may
	earlier // the last connection is of an earlier run, in the history
)

// FuzzLiveView: whatever the events of connections are, and whatever a browser asks for and says it
// has, the live view answers; what it sends as server-sent events is whole lines of one event each
// with JSON in them, and has no byte that could be read as markup or as another line.
func FuzzLiveView(f *testing.F) {
	hello := testkit.Vectors(f, "illustrated-tls12/clienthello")[5:]
	var b bytes.Buffer
	w := trace.NewWriter(&b, trace.Reveal())
	for _, e := range []trace.Event{&trace.Message{From: iana.Client, Type: iana.ClientHello,
		Raw: hello}, &trace.Agreed{Version: iana.TLS12, ServerName: "<script>a\u202e\r\n\r\nid: 7"},
		&trace.Failed{From: iana.Client, Check: "order", Alert: 10, Reason: "\nevent: <b>"},
		&trace.Alert{From: iana.Server, Level: 2, Description: 40}, &trace.Done{}} {
		w.Put(trace.Entry{Role: trace.Server, Event: e})
	}
	for _, path := range []string{"/", "/events", "/rows", "/c/ID", "/c/ID.json", "/c/ID.pcapng",
		"/c/ID.keys", "/c/none", "/c/none.json", "/c/", "/compare/ID/ID", "/compare/ID/none",
		"/../", "/c/%2e%2e",
		"//", "/events?x=1"} {
		for _, since := range []string{"", "NAME.0", "NAME.1", "NAME.99", "NAME.-1", "other.1",
			"NAME.18446744073709551616"} {
			f.Add(b.Bytes(), path, since, byte(len(since)))
		}
		f.Add([]byte{}, path, "", byte(revealing))
	}
	f.Add(b.Bytes(), "/events", "", byte(manyRows))
	f.Add(b.Bytes(), "/events", "", byte(crowded))
	f.Add(b.Bytes(), "/c/ID", "", byte(earlier))
	f.Add(b.Bytes(), "/c/ID.keys", "", byte(earlier|revealing))
	for _, spoilt := range testkit.Spoil(b.Bytes(), 20) {
		f.Add(spoilt, "/events", "", byte(0))
	}
	f.Fuzz(func(t *testing.T, events []byte, path, since string, how byte) {
		if len(events) > 1<<16 || !strings.HasPrefix(path, "/") {
			return
		}
		v := &liveView{hub: live.New(live.Options{}), readers: make(chan struct{}, 1),
			making: make(chan struct{}, 1), patience: time.Second, command: "vitrine serve",
			reveal: how&revealing != 0}
		entries, err := trace.Read(bytes.NewReader(events))
		id, rows := "", 2
		if how&manyRows != 0 {
			rows = rowsAtOnce + 1
		}
		for range rows {
			c := v.hub.Open(live.Row{Client: "192.0.2.1:1"})
			for _, e := range entries {
				c.Put(e)
			}
			c.End(err != nil, func(r *live.Row) {
				r.Why, r.Name = string(events), "<b>\u202e\r\n\nid: 7"
				r.Offer = &live.Offer{}
			})
			id = c.ID()
		}
		if how&earlier != 0 {
			id = v.withHistory(t, entries)
			defer v.history.Close()
		}
		if how&crowded != 0 {
			v.readers <- struct{}{}
		}
		ctx, stop := context.WithCancel(t.Context())
		stop() // who follows gets what there is, and goes
		r, err := http.NewRequestWithContext(ctx, "GET",
			"http://localhost"+strings.ReplaceAll(path, "ID", id), nil)
		if err != nil {
			return
		}
		r.Header.Set("Last-Event-ID", strings.ReplaceAll(since, "NAME", v.hub.Name()))
		answer := httptest.NewRecorder()
		v.routes().ServeHTTP(answer, r)
		if answer.Header().Get("Content-Type") == "text/event-stream" {
			checkEvents(t, answer.Body.String())
		}
		if len(v.readers)+len(v.making) > int(how&crowded)/crowded {
			t.Errorf("%s: a place is not given back", path)
		}
	})
}

// withHistory gives the view a history with one connection, whose ID it returns.
func (v *liveView) withHistory(t *testing.T, entries []trace.Entry) (id string) {
	t.Helper()
	dir, limits := t.TempDir(), live.Limits{Connections: 9, Age: time.Hour, Bytes: 1 << 20}
	for range 2 {
		h, err := live.OpenHistory(dir, limits, v.reveal)
		if err != nil {
			t.Fatal(err)
		}
		if v.history = h; id == "" {
			id = "before-1"
			h.Keep(live.Row{ID: id, Client: "192.0.2.1:1", Start: time.Now()}, entries, 1)
			h.Close()
		}
	}
	for _, r := range v.history.Rows(9) {
		v.hub.AddEarlier(r)
	}
	return id
}

// checkEvents holds a stream of server-sent events to what the page expects.
func checkEvents(t *testing.T, stream string) {
	t.Helper()
	for block := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		for i, line := range strings.Split(block, "\n") {
			name, value, ok := strings.Cut(line, ": ")
			want := []string{"id", "event", "data"}
			switch {
			case !ok || i > 2 || name != want[i] && name != "retry" && name != "":
				t.Fatalf("the line %q of %q", line, block)
			case name == "data" && (!json.Valid([]byte(value)) || strings.ContainsAny(value,
				"<>\r\x00\u2028\u2029\u202e")):
				t.Fatalf("the data %q", value)
			case name == "data":
				checkRows(t, []byte(value))
			}
		}
	}
}

// checkRows holds the texts of rows to what a page can show as they are.
func checkRows(t *testing.T, data []byte) {
	t.Helper()
	var c changesJSON
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		for _, s := range []string{r.Name, r.ALPN, r.ClientCertificate, r.Why, r.Cause} {
			if explain.Escape(s) != s {
				t.Fatalf("the text %q", s)
			}
		}
	}
}
