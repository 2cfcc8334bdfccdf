package live_test

import (
	"bytes"

	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

func history(t *testing.T, dir string, l live.Limits, reveal bool) *live.History {
	t.Helper()
	h, err := live.OpenHistory(dir, l, reveal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// written is an open connection with some events.
func written(hub *live.Hub, start time.Time, size int) *live.Conn {
	c := hub.Open(live.Row{Client: "192.0.2.1:1", Start: start})
	c.Put(trace.Entry{Role: trace.Server, Event: &trace.Agreed{Version: iana.TLS13,
		Suite: iana.TLS_AES_128_GCM_SHA256, Group: "x25519"}})
	c.Put(trace.Entry{Role: trace.Server, Event: &trace.Message{Raw: trace.Hex(
		bytes.Repeat([]byte{byte(size), 7, byte(size >> 8)}, size/3))}})
	c.Put(trace.Entry{Role: trace.Server, Event: &trace.Done{OK: true}})
	return c
}

// A connection comes back from the folder as it was, with its secrets only where they were to be
// written.
func TestAConnectionComesBackFromTheHistory(t *testing.T) {
	for _, reveal := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "history")
		h := history(t, dir, live.Limits{}, reveal)
		w := &watched{hub: live.New(live.Options{Keep: h.Keep})}
		client, server := rig.Configs(t)
		server.TraceFor, server.Time = w.sink, time.Now
		if _, _, err := rig.Connect(t, client, server); err != nil {
			t.Fatal(err)
		}
		before := w.row(t)
		_, entries, _ := w.hub.Find(before.ID)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		again := history(t, dir, live.Limits{}, reveal)
		rows := again.Rows(10)
		if len(rows) != 1 || rows[0].ID != before.ID || rows[0].Suite != before.Suite ||
			rows[0].Reason != "close_notify" || rows[0].Sent != before.Sent || !rows[0].Stored {
			t.Fatalf("got %+v\nwant %+v", rows, before)
		}
		read, err := again.Read(before.ID)
		if err != nil || len(read) != len(entries) {
			t.Fatalf("%d events of %d, %v", len(read), len(entries), err)
		}
		secrets := 0
		for i, e := range entries {
			if d, ok := e.Event.(*trace.Derived); ok {
				secrets++
				if got := read[i].Event.(*trace.Derived).Output; bytes.Equal(
					got,
					d.Output,
				) != reveal {
					t.Errorf("reveal %v: %s is %x", reveal, d.Name, []byte(got))
				}
			}
		}
		if secrets < 5 {
			t.Errorf("%d secrets", secrets)
		}
		checkModes(t, dir)
	}
}

// checkModes checks that only the owner may read a folder.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range append(files, dir) {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func filesIn(t *testing.T, dir string) (names []string, size int64) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return list, size
}

// Number, age and size of what is in the folder are bounded, the oldest goes first, and the index
// does not grow for ever.
func TestAHistoryIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		limits live.Limits
		age    time.Duration // of the first half
		ok     func(files int, size int64) bool
	}{
		"number": {live.Limits{Connections: 20}, 0,
			func(n int, _ int64) bool { return n == 20 }},
		"age": {live.Limits{Age: time.Hour}, 2 * time.Hour,
			func(n int, _ int64) bool { return n == 100 }},
		"size": {live.Limits{Bytes: 20 << 10}, 0,
			func(n int, size int64) bool { return size <= 20<<10 && n > 10 }},
	} {
		dir := t.TempDir()
		h := history(t, dir, c.limits, false)
		hub := live.New(live.Options{Keep: func(r live.Row, e []trace.Entry, n int) bool {
			for !h.Keep(r, e, n) {
				time.Sleep(time.Millisecond)
			}
			return true
		}})
		var last string
		for i := range 200 {
			start := time.Now()
			if i < 100 {
				start = start.Add(-c.age)
			}
			conn := written(hub, start, 300+i)
			last = conn.ID()
			conn.End(false, nil)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		files, size := filesIn(t, dir)
		if !c.ok(len(files), size) {
			t.Errorf("%s: %d files with %d bytes", name, len(files), size)
		}
		again := history(t, dir, c.limits, false)
		rows := again.Rows(1000)
		if len(rows) != len(files) || rows[len(rows)-1].ID != last ||
			again.Indexed() != len(rows) || h.Indexed() > 2*len(rows)+65 {
			t.Errorf("%s: %d rows, %d files, %d and %d lines", name, len(rows), len(files),
				h.Indexed(), again.Indexed())
		}
	}
}

// TestMain of a process that is to be killed: it writes connections until then.
func TestWriterThatIsKilled(t *testing.T) {
	dir := os.Getenv("VITRINE_HISTORY")
	if dir == "" {
		t.Log("it is for TestAHistoryCanBeReadAfterAKill")
		return
	}
	h := history(t, dir, live.Limits{Connections: 60}, false)
	hub := live.New(live.Options{Keep: h.Keep})
	for i := 0; ; i++ {
		c := written(hub, time.Now(), 3000+i)
		if i%3 > 0 {
			c.End(false, nil)
		}
		for h.Err() == nil && i%20 == 0 {
			if rows := h.Rows(1000); len(rows) > 0 && rows[len(rows)-1].ID == c.ID() {
				fmt.Println("written", c.ID()) // and all before
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// A process that is killed while it writes leaves a history in which every file is whole, and that
// has what was written before.
func TestAHistoryCanBeReadAfterAKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriterThatIsKilled$")
		cmd.Env = append(os.Environ(), "VITRINE_HISTORY="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var last string
		for range 2 + round {
			line := make([]byte, 64)
			n, err := out.Read(line)
			if err != nil {
				t.Fatal(err)
			}
			last = strings.Fields(string(line[:n]))[1]
		}
		time.Sleep(time.Duration(round) * 3 * time.Millisecond) // somewhere in its work
		cmd.Process.Kill()
		io.Copy(io.Discard, out)
		cmd.Wait()
		h := history(t, dir, live.Limits{Connections: 60}, false)
		rows := h.Rows(1000)
		found := false
		for _, r := range rows {
			entries, err := h.Read(r.ID)
			if err != nil || len(entries) != 3 || !r.Over() || r.Suite == "" {
				t.Errorf("%d events, %v: %+v", len(entries), err, r)
			}
			found = found || r.ID == last
		}
		if !found || len(rows) < 20 {
			t.Errorf("%d rows, and what was written is among them: %v", len(rows), found)
		}
		h.Close()
		if drafts, _ := filepath.Glob(filepath.Join(dir, ".*.part")); len(drafts) > 0 {
			t.Errorf("%v are left", drafts)
		}
	}
}

// Whatever is in the folder besides, or is wrong with its files, the rest can be read.
func TestADamagedHistoryCanBeRead(t *testing.T) {
	dir := t.TempDir()
	h := history(t, dir, live.Limits{}, false)
	hub := live.New(live.Options{Keep: h.Keep})
	var ids []string
	for range 4 {
		c := written(hub, time.Now(), 300)
		c.End(false, nil)
		ids = append(ids, c.ID())
	}
	h.Close()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(index), "\n")
	put("index.jsonl", lines[0]+"nonsense\n{}\n"+
		strings.Replace(lines[1], `"id":"`, `"id":"../../x`, 1)+lines[len(lines)-2][:40])
	os.Remove(filepath.Join(dir, ids[0]+".json.gz"))
	put("0-0.json.gz", "no gzip")
	put("notes.txt", "mine")
	again := history(t, dir, live.Limits{}, false)
	var got []string
	for _, r := range again.Rows(10) {
		got = append(got, r.ID)
		if r.Version != "TLS 1.3" {
			t.Errorf("%+v", r)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, ids[1:]) {
		t.Errorf("got %v, expected %v", got, ids[1:])
	}
	if _, err := again.Read("../" + ids[1]); err == nil {
		t.Error("a name led out of the folder")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "notes.txt")); err != nil ||
		string(text) != "mine" {
		t.Errorf("a file of somebody else: %q, %v", text, err)
	}
}

// A panic in the history's goroutine is an error of the history, and ends no server.
func TestAPanicOfTheHistoryIsAnError(t *testing.T) {
	h, err := live.OpenHistory(filepath.Join(t.TempDir(), "history"), live.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	h.Panics("planted")
	hub := live.New(live.Options{Keep: h.Keep})
	for range 2 {
		written(hub, time.Now(), 100).End(false, func(*live.Row) {})
	}
	if err := h.Close(); err == nil || !strings.Contains(err.Error(), "planted") {
		t.Errorf("got %v, expected the panic", err)
	}
}
