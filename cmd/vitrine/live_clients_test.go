package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/suite"
)

// account is what a client says about its own connection.
type account struct {
	failed         bool
	version, suite string
	sent, received int64  // by curl: bytes of HTTP
	alert          string // by openssl: which it got
}

// kindsOfClients are commands, for an address and a name, of which every third fails.
var kindsOfClients = []struct {
	what, line, reason string
}{
	{"curl", `curl -sS -k --resolve NAME:PORT:127.0.0.1 --http1.1 -o /dev/null
		-w '%{size_header} %{size_download} %{size_request}' https://NAME:PORT/`, ""},
	{"curl 1.2", `curl -sS -k --tls-max 1.2 --resolve NAME:PORT:127.0.0.1 --http1.1 -o /dev/null
		-w '%{size_header} %{size_download} %{size_request}' https://NAME:PORT/`, ""},
	{"curl without our CA", `curl -sS --resolve NAME:PORT:127.0.0.1 --http1.1 -o /dev/null
		https://NAME:PORT/`, "alert_from_client_unknown_ca"},
	{
		"openssl",
		`openssl s_client -brief -connect 127.0.0.1:PORT -servername NAME </dev/null 2>&1`,
		"",
	},
	{"openssl 1.2", `openssl s_client -brief -tls1_2 -connect 127.0.0.1:PORT -servername NAME
		</dev/null 2>&1`, ""},
	{"openssl with an old suite", `openssl s_client -brief -tls1_2 -cipher AES128-SHA:@SECLEVEL=0
		-connect 127.0.0.1:PORT -servername NAME </dev/null 2>&1`,
		"alert_from_server_handshake_failure"},
	{"curl", `curl -sS -k --resolve NAME:PORT:127.0.0.1 --http1.1 -o /dev/null
		-w '%{size_header} %{size_download} %{size_request}' https://NAME:PORT/`, ""},
	{
		"openssl",
		`openssl s_client -brief -connect 127.0.0.1:PORT -servername NAME </dev/null 2>&1`,
		"",
	},
	{"openssl of TLS 1.1", `openssl s_client -brief -tls1_1 -cipher ALL:@SECLEVEL=0
		-connect 127.0.0.1:PORT -servername NAME </dev/null 2>&1`,
		"alert_from_server_protocol_version"},
}

var (
	brief   = regexp.MustCompile(`(?s)Protocol version: TLSv([\d.]+).*Ciphersuite: (\S+)`)
	alerted = regexp.MustCompile(`alert ([a-z ]+):`)
)

// listen runs a client and returns its account.
func listen(line string) (a account, err error) {
	out, err := exec.Command("sh", "-c", strings.Join(strings.Fields(line), " ")).CombinedOutput()
	a.failed = err != nil
	if m := brief.FindSubmatch(out); m != nil {
		a.version, a.suite = "TLS "+string(m[1]), string(m[2])
	}
	if m := alerted.FindSubmatch(out); m != nil {
		a.alert = strings.ReplaceAll(string(m[1]), " ", "_")
	}
	if n := bytes.Fields(out); len(n) == 3 && !a.failed && a.version == "" {
		for i, into := range []*int64{&a.received, &a.received, &a.sent} {
			size, err := strconv.ParseInt(string(n[i]), 10, 64)
			if err != nil {
				return a, fmt.Errorf("%q: %w", out, err)
			}
			*into += size
		}
	}
	return a, nil
}

// Every client's own account of its connection is what its row says. CI has a sample;
// VITRINE_CLIENTS=500 is all that was asked for.
func TestRowsAreWhatTheClientsSayThemselves(t *testing.T) {
	installed(t, "curl")
	installed(t, "openssl")
	n, atOnce := 54, 18
	if testing.Short() {
		n = 18
	}
	if all, err := strconv.Atoi(os.Getenv("VITRINE_CLIENTS")); err == nil {
		n, atOnce = all, all
	}
	s, _ := serving(t, "--ui", "--timeout", "10m")
	v := view(t, s.errs.String)
	_, port, _ := strings.Cut(s.addr, ":")
	accounts := make([]account, n)
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		line := strings.NewReplacer("PORT", port, "NAME", fmt.Sprintf("n%d.test", i)).
			Replace(kindsOfClients[i%len(kindsOfClients)].line)
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			a, err := listen(line)
			if err != nil {
				t.Error(err)
			}
			accounts[i] = a
		})
	}
	all.Wait()
	rows := map[string]live.Row{}
	for _, r := range v.rows(over(n)) {
		rows[r.Name] = r
	}
	failed, suites, sizes := 0, 0, 0
	for i, a := range accounts {
		r, kind := rows[fmt.Sprintf("n%d.test", i)], kindsOfClients[i%len(kindsOfClients)]
		if problem := differs(a, r, kind.reason); problem != "" {
			t.Errorf("%s, %d: %s\nthe client: %+v\nthe row: %+v", kind.what, i, problem, a, r)
		}
		for _, c := range []struct {
			is bool
			n  *int
		}{{a.failed, &failed}, {a.suite != "", &suites}, {a.sent > 0, &sizes}} {
			if c.is {
				*c.n++
			}
		}
	}
	if len(rows) != n || failed != n/3 || suites < n/4 || sizes < n/4 {
		t.Errorf(
			"%d rows; of %d clients %d failed, %d told a suite, %d how many bytes",
			len(rows),
			n,
			failed,
			suites,
			sizes,
		)
	}
}

// differs returns how a client's account differs from its row.
func differs(a account, r live.Row, reason string) string {
	switch {
	case r.ID == "":
		return "there is no row"
	case a.failed != (r.State == live.Failed):
		return "one says that it failed"
	case a.failed && r.Reason != reason:
		return "another reason than " + reason
	case a.alert != "" && !strings.HasSuffix(r.Reason, a.alert):
		return "another alert"
	case a.version != "" && a.version != r.Version:
		return "another version"
	case a.suite != "" && a.suite != r.Suite && openSSLName(r.Suite) != a.suite:
		return "another suite"
	case a.sent != 0 && (a.sent != r.Received.Data || a.received != r.Sent.Data):
		return "other numbers of bytes"
	}
	return ""
}

// openSSLName returns OpenSSL's name of a suite.
func openSSLName(name string) string {
	for _, s := range suite.All() {
		if s.ID.String() == name {
			return iana.CipherSuite(s.ID).OpenSSL()
		}
	}
	return ""
}
