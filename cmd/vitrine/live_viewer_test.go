package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/trace"
)

// viewer is a browser at a live view.
type viewer struct {
	*testing.T
	*http.Client
	base string
}

var viewed = regexp.MustCompile(`live view: (\S+)`)

// view opens the live view whose URL is in text, which grows.
func view(t *testing.T, text func() string) *viewer {
	t.Helper()
	var found []string
	for range 1000 {
		if found = viewed.FindStringSubmatch(text()); found != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if found == nil {
		t.Fatalf("no URL was printed:\n%s", text())
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(found[1])
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{T: t, Client: &http.Client{Jar: jar, Timeout: 2 * time.Minute,
		Transport: &http.Transport{}}, base: "http://" + u.Host}
	t.Cleanup(v.CloseIdleConnections)
	if page, _ := v.get(200, u.RequestURI()); !strings.Contains(page, "<title>Live") {
		t.Fatalf("the page is %.300s", page)
	}
	return v
}

// get returns an answer of the view.
func (v *viewer) get(code int, path string) (string, http.Header) {
	v.Helper()
	res, err := v.Get(v.base + path)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != code {
		v.Fatalf("%s: %d, %v, expected %d: %.300s", path, res.StatusCode, err, code, body)
	}
	return string(body), res.Header
}

// rows returns the rows once they are as ready wants them.
func (v *viewer) rows(ready func([]live.Row) bool) []live.Row {
	v.Helper()
	var list struct{ Rows []live.Row }
	for range 1000 {
		text, _ := v.get(200, "/rows")
		list.Rows = nil
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			v.Fatal(err)
		}
		if ready(list.Rows) {
			return list.Rows
		}
		time.Sleep(10 * time.Millisecond)
	}
	v.Fatalf("the rows are %+v", list.Rows)
	return nil
}

// over waits for n rows that all have ended.
func over(n int) func([]live.Row) bool {
	return func(rows []live.Row) bool {
		for _, r := range rows {
			if !r.Over() {
				return false
			}
		}
		return len(rows) == n
	}
}

// streamed returns what the view sends to one that follows, from after last, until a text is there.
func (v *viewer) streamed(last, until string) string {
	v.Helper()
	req, _ := http.NewRequestWithContext(v.Context(), "GET", v.base+"/events", nil)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := v.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		v.Fatalf("the stream is %s", got)
	}
	var all strings.Builder
	for lines := bufio.NewReader(res.Body); ; {
		line, err := lines.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			v.Fatalf("%v behind\n%s", err, all.String())
		}
		if strings.Contains(all.String(), until) && line == "\n" {
			return all.String()
		}
	}
}

// talk makes a connection that says something to a server, and returns what the client saw of it.
func talk(t *testing.T, s *served, ca, text string, edit func(*vitrine.Config)) []trace.Entry {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	sink := &recorder{}
	c := &vitrine.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost", Trace: sink}
	c.RootCAs.AppendCertsFromPEM(pem)
	if edit != nil {
		edit(c)
	}
	conn, err := vitrine.Dial("tcp", s.addr, c)
	if err != nil {
		return sink.entries()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatal(err)
	}
	return sink.entries()
}
