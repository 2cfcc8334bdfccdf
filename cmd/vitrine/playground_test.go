package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/vitrine-tls/vitrine/internal/playpage"
)

// Flags that cannot be meant are refused before anything is built.
func TestPlaygroundRefusesWrongFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--lesson", "13"}, "--lesson takes a number from 1 to 12, got 13"},
		{[]string{"--lesson", "-1"}, "--lesson takes a number from 1 to 12, got -1"},
		{[]string{"--lesson", "0"}, "--lesson takes a number from 1 to 12, got 0"},
		{[]string{"--out", "missing/x.html"}, "the folder missing: no such file or directory"},
		{[]string{"--out", "testdata"}, "--out testdata: is a folder"},
		{[]string{"--out", "x.html", "--listen", ":1"}, "--out"},
		{[]string{"--out", "x.html", "--lesson", "2"}, "--out"},
		{[]string{"x"}, "takes no"},
	} {
		code, out, stderr := command(t, append([]string{"playground"}, c.args...)...)
		if code != exitUsage || out != "" || !strings.Contains(stderr, c.want) ||
			!strings.Contains(stderr, "try:") {
			t.Errorf("%v: %d, %q, %q", c.args, code, out, stderr)
		}
	}
}

// Others may read what is for others: the playground, which is handed out, and certificates. What
// may hold a secret is its owner's alone, also where a file for everybody had its name.
func TestOnlyWhatIsPublicIsForEverybody(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	some := func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }
	cmd := newPlayground()
	cmd.SetErr(io.Discard)
	var packed bytes.Buffer
	if w := brotli.NewWriter(&packed); w.Close() != nil {
		t.Fatal("brotli")
	}
	for _, c := range []struct {
		what  string
		write func() error
		want  fs.FileMode
	}{
		{"playground --out", func() error {
			return writePlayground(cmd, &playgroundOptions{out: name},
				&playpage.Assets{Brotli: packed.Bytes()})
		}, 0o644},
		{"any file", func() error { return writeFile(name, some) }, 0o600},
		{"--ca-out", func() error { return writeCertificates(name, nil) }, 0o644},
	} {
		if err := c.write(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != c.want {
			t.Errorf("%s: got mode %v, expected %v", c.what, info.Mode(), c.want)
		}
	}
}

// The address names where the page begins, and the server ends with its context.
func TestPlaygroundServesUntilItIsEnded(t *testing.T) {
	o := playgroundOptions{lesson: 3, seed: "a b&c"}
	if got, want := o.fragment(), "#lesson=3&seed=a+b%26c"; got != want {
		t.Errorf("got %s, expected %s", got, want)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serveUntil(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "here")
		}))
	}()
	r, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil || string(b) != "here" {
		t.Errorf("got %q, %v", b, err)
	}
	end()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the server goes on")
	}
}

// A flood of clients that say nothing, half a request or announce a body that never comes takes no
// more than the page's places, and it is there again when it is over.
func TestAFloodOfPlayersIsBounded(t *testing.T) {
	var packed bytes.Buffer
	if w := brotli.NewWriter(&packed); w.Close() != nil {
		t.Fatal("brotli")
	}
	page, err := playpage.NewHandler(&playpage.Assets{Brotli: packed.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveUntil(ctx, l, page) }()
	defer func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	dial := func(says string) net.Conn {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 20*time.Second)
		if err == nil {
			_, err = io.WriteString(c, says)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(8 * time.Second)) // less than ReadHeaderTimeout
		return c
	}
	const body = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nha"
	if b, err := io.ReadAll(dial(body)); err != nil || !bytes.Contains(b, []byte(" 405 ")) {
		t.Errorf("a body that never comes: %q, %v", b, err)
	}
	before := runtime.NumGoroutine()
	var flood []net.Conn
	for i := range maxPlayers + 300 {
		flood = append(flood, dial([]string{"", "GET / HTTP/1.1\r\nHost: localh"}[i%2]))
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if n := runtime.NumGoroutine() - before; n > maxPlayers+20 {
			t.Fatalf("%d players cost %d goroutines", len(flood), n)
		}
	}
	for _, c := range flood {
		c.Close()
	}
	r, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if r.StatusCode != http.StatusOK {
		t.Error(r.Status)
	}
}
