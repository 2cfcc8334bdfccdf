package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/live"
)

// Neither the events of a run that failed, nor any answer of the live view about such a connection,
// has a verdict about forward secrecy.
func TestNoAnswerJudgesSecrecyAfterAFailure(t *testing.T) {
	answers := map[string]string{}
	for _, version := range []string{"1.2", "1.3"} {
		_, out, _ := command(t, "handshake", "--tls", version, "--seed", "x", "--tamper", "2",
			"--json")
		if !strings.Contains(out, `"event":"failed"`) {
			t.Errorf("TLS %s: the run did not fail:\n%s", version, out)
		}
		answers["handshake --json of TLS "+version] = out
	}
	s, ca := serving(t, "--echo", "--ui")
	v := view(t, s.errs.String)
	for _, version := range []uint16{vitrine.VersionTLS12, vitrine.VersionTLS13} {
		raw, err := net.DialTimeout("tcp", s.addr, 20*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetDeadline(time.Now().Add(20 * time.Second))
		c := vitrine.Client(raw, &vitrine.Config{ServerName: "localhost", // it trusts nobody
			MinVersion: version, MaxVersion: version})
		if c.Handshake() == nil {
			t.Error("a client took a certificate of an unknown authority")
		}
		raw.Close()
	}
	rows := v.rows(over(2))
	paths := []string{"/", "/rows", "/compare/" + rows[0].ID + "/" + rows[1].ID}
	for _, r := range rows {
		if r.State != live.Failed {
			t.Errorf("%+v", r)
		}
		paths = append(paths, "/c/"+r.ID, "/c/"+r.ID+".json", "/c/"+r.ID+".pcapng")
	}
	for _, path := range paths {
		answers[path], _ = v.get(200, path)
	}
	answers["/events"] = v.streamed("", rows[1].ID)
	for what, answer := range answers {
		for _, words := range []string{"FORWARD SECRET", ">forward secret<", "QUANTUM COMPUTER"} {
			if strings.Contains(answer, words) {
				t.Errorf("%s: %q", what, words)
			}
		}
	}
	talk(t, s, ca, "a good one\n", nil)
	good := v.rows(over(3))
	pages := ""
	for _, r := range good {
		page, _ := v.get(200, "/c/"+r.ID)
		pages += page
	}
	if !strings.Contains(pages, ">forward secret<") {
		t.Error("not even a good connection has the verdict: this test sees nothing")
	}
}
