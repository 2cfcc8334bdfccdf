package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

func TestConnectTakesHostsPortsAndURLs(t *testing.T) {
	for in, want := range map[string]string{
		"example.com": "example.com:443", "example.com:8443": "example.com:8443",
		"[2001:db8::1]:25": "[2001:db8::1]:25", "2001:db8::1": "[2001:db8::1]:443",
		"[2001:db8::1]": "[2001:db8::1]:443", "192.0.2.1": "192.0.2.1:443",
		"https://example.com/path?q": "example.com:443 /path?q",
		"https://example.com:444":    "example.com:444 /",
		"imaps://mail.example":       "mail.example:993 /",
		"smtp://mail.example":        "mail.example:25 smtp /",
		"HTTPS://[2001:db8::1]:1/":   "[2001:db8::1]:1 /", "postgresql://db": "db:5432 postgres /",
		"https://[2001:db8::1]/": "[2001:db8::1]:443 /",
		"printer:1":              "printer:1", "under_score.example.": "under_score.example.:443",
		"": "", ":443": "", "example.com:": "", "example.com:0": "", "example.com:65536": "",
		"example.com:https": "", "http://example.com": "", "gopher://x": "",
		"a b": "", "a/b": "", "1:2:3:4:5:6:7:8:9:10": "", "[::1": "", "\x1b[2J": "", "h\x00st": "",
		"bücher.example": "", "https://": "", "https://%zz/": "",
	} {
		got, err := parseTarget(in, "443")
		words := strings.Fields(got.String() + " " + got.starttls + " " + got.path)
		text := strings.Join(words, " ")
		_, usage := errors.AsType[*usageError](err)
		if want == "" && !usage || want != "" && (err != nil || text != want) {
			t.Errorf("%q: got %q and %v, expected %q", in, text, err, want)
		}
	}
}

// An interrupt ends a connection at once, whatever it waits for.
func TestAnInterruptEndsConnect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, _ := serving(t, "--forward", l.Addr().String())
	for _, args := range [][]string{
		{"connect", l.Addr().String(), "-i=false"},
		{"connect", l.Addr().String(), "--starttls", "smtp", "-i=false"},
		{"connect", s.addr, "-k", "--get", "/"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, cancel)
		var out, errs bytes.Buffer
		began := time.Now()
		if code := run(ctx, args, &out, &errs); code != exitInterrupted ||
			time.Since(began) > 5*time.Second {
			t.Errorf("%q: exit code %d after %v\n%s%s", args, code, time.Since(began), out.String(),
				errs.String())
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"a:1", "[::1]:2", "https://x/y", "::1", "smtp://[a",
		"postgresql://db",
		"http://plain.example", "gopher://x", "[::1]", "a:b:c", "a:99999", "a:0", ":443", "a b",
		"\u00fcber.example", "https://%zz", "ldap://[fe80::1%25eth0]:636", "",
		"xmpp://h:70000", "::0%\x00", "[::1%\u202e]", "-p:1", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseTarget(s, "443")
		if err == nil &&
			(got.host == "" || got.port == "" || explain.Escape(got.String()) != got.String()) {
			t.Errorf("%q: %+v", s, got)
		}
		if (checkNames("--sni", []string{s}, "") == nil) != (notAName(s) == "") {
			t.Errorf("%q is a name and none", s)
		}
	})
}

// What a peer sends cannot move the cursor, ring the bell or change the title; lines and tabs stay.
func TestNothingUnprintableReachesATerminal(t *testing.T) {
	var b bytes.Buffer
	c := &cleaner{w: &b}
	for in, want := range map[string]string{
		"plain\r\nlines\n": "plain\nlines\n", "a\tb": "a\tb", "\x1b]0;x\x07": `\x1b]0;x\a`,
		"\u202egnp": `\u202egnp`, "\xff\xfe": `\xff\xfe`, "ü\n\n": "ü\n\n",
		"over\rwritten": `over\rwritten`, "\x9b31m": `\x9b31m`,
	} {
		b.Reset()
		if n, err := c.Write([]byte(in)); n != len(in) || err != nil || b.String() != want {
			t.Errorf("%q: got %q, %d, %v; expected %q", in, b.String(), n, err, want)
		}
	}
}

// Text is wrapped at spaces, and nothing is lost.
func TestReportsAreWrapped(t *testing.T) {
	text := strings.Repeat("word ", 60) + strings.Repeat("x", 200)
	parts := wrap(text, 86)
	if strings.Join(parts, " ") != text {
		t.Errorf("something is lost: %q", parts)
	}
	for _, p := range parts[:len(parts)-1] {
		if len(p) > 86 {
			t.Errorf("too long: %q", p)
		}
	}
}

// Only the sentinel of RFC 8446 §4.1.3 for TLS 1.2 says that a server supports TLS 1.3.
func TestTheSentinelIsRead(t *testing.T) {
	hello := func(tail string) []trace.Entry {
		raw := append(make([]byte, 4+2+24), tail...)
		return []trace.Entry{{Event: &trace.Message{Type: iana.ServerHello, Raw: raw}}}
	}
	for tail, want := range map[string]bool{"DOWNGRD\x01": true, "DOWNGRD\x00": false,
		"downgrd\x01": false, "DOWNGRD": false, "": false} {
		if got := sentinel(hello(tail)); got != want {
			t.Errorf("%q: %v, expected %v", tail, got, want)
		}
	}
}

// A recorder drops everything after its bound, so that there is no gap.
func TestARecorderIsBounded(t *testing.T) {
	var r recorder
	big := make([]byte, 1<<20)
	for range 100 {
		r.Put(trace.Entry{Event: &trace.Record{Fragment: big}})
		r.Put(trace.Entry{Event: &trace.Done{}})
	}
	if n := len(r.entries()); n < 100 || n > 130 {
		t.Errorf("%d entries were kept", n)
	}
}
