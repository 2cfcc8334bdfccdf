package html_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/trace"
)

// oneSided returns what a server saw of a run that ended otherwise: without the close_notify of
// the sides in silent, and with what more says.
func oneSided(t *testing.T, r html.Run, silent []iana.Side, more ...trace.Event) html.Run {
	t.Helper()
	var list []trace.Entry
	for _, e := range r.Entries {
		a, isAlert := e.Event.(*trace.Alert)
		c, isRecord := e.Event.(*trace.Record)
		switch {
		case e.Role != trace.Server,
			isAlert && slices.Contains(silent, a.From),
			isRecord && c.ContentType == iana.RecordAlert && slices.Contains(silent, c.From):
		default:
			list = append(list, e)
		}
	}
	last := list[len(list)-1]
	for _, e := range more {
		last.Event = e
		list = append(list, last)
	}
	r.Entries = list
	return r
}

// observed returns the run as an observer sees it.
func observed(r html.Run) html.Run {
	for i := range r.Entries {
		r.Entries[i].Role = trace.Observer
	}
	return r
}

// until returns the run up to the end of its handshake, which is left out.
func until(r html.Run, end func(trace.Entry) bool) html.Run {
	r.Entries = r.Entries[:slices.IndexFunc(r.Entries, end)]
	return r
}

var pill = regexp.MustCompile(`<span class="pill ([a-z]*)">([^<]*)</span>`)

// The head of a page claims no more than the events know, which may be those of one side.
func TestTheHeadSaysHowItEnded(t *testing.T) {
	both := []iana.Side{iana.Client, iana.Server}
	cut := &trace.Failed{From: iana.Client, Check: alert.KindTruncated, Reason: "cut"}
	fatal := &trace.Alert{From: iana.Client, Level: alert.Fatal, Description: alert.BadRecordMAC}
	isDone := func(e trace.Entry) bool { _, ok := e.Event.(*trace.Done); return ok }
	for _, c := range []struct {
		name string
		run  func(r html.Run) html.Run
		want string
	}{
		{"both sides", func(r html.Run) html.Run { return r }, ""},
		{"both said goodbye", func(r html.Run) html.Run { return oneSided(t, r, nil) }, ""},
		{"closed by the server", func(r html.Run) html.Run {
			return oneSided(t, r, both[:1])
		}, "good handshake completed,  closed by the server"},
		{"closed by the client", func(r html.Run) html.Run {
			return oneSided(t, r, both[1:])
		}, "good handshake completed,  closed by the client"},
		{"nobody said goodbye", func(r html.Run) html.Run { return oneSided(t, r, both) },
			"good handshake completed, bad ended without close_notify"},
		{"the server's alone, and the stream was cut", func(r html.Run) html.Run {
			return oneSided(t, r, both[:1], cut)
		}, "good handshake completed, bad ended without close_notify"},
		{"the client sent an alert", func(r html.Run) html.Run {
			return oneSided(t, r, both, fatal)
		}, "good handshake completed, bad ended: the client sent bad_record_mac"},
		{"an observer reads no alerts", func(r html.Run) html.Run {
			return observed(oneSided(t, r, both))
		}, "good handshake completed,  no close_notify seen"},
		{"it stops in the handshake", func(r html.Run) html.Run {
			return until(oneSided(t, r, nil), isDone)
		}, "bad handshake not completed"},
		{"an observer comes too late, or leaves too early", func(r html.Run) html.Run {
			return observed(until(oneSided(t, r, nil), isDone))
		}, " end of the handshake not seen"},
		{"an observer knows from elsewhere how it ended", func(r html.Run) html.Run {
			r = observed(until(oneSided(t, r, nil), isDone))
			r.About.Failed = "the client reset the connection"
			return r
		}, "bad handshake failed"},
		{"the handshake failed", func(r html.Run) html.Run {
			return oneSided(t, until(oneSided(t, r, nil), isDone), nil, &trace.Done{Error: "gone"})
		}, "bad handshake failed"},
		{"it is still open", func(r html.Run) html.Run {
			r = oneSided(t, r, both)
			r.About.Open = true
			return r
		}, ""},
	} {
		for _, e := range []int{2, 4} {
			page := write(t, c.run(perform(t, examples[e].options, "")))
			var said []string
			for _, p := range pill.FindAllStringSubmatch(page, -1) {
				if !strings.Contains(p[2], "forward secret") && !strings.Contains(p[2], "equal") {
					said = append(said, p[1]+" "+p[2])
				}
			}
			if strings.Contains(c.want, "handshake") && !strings.Contains(c.want, "completed,") &&
				strings.Contains(page, `">forward secret</`) {
				t.Errorf("%s, %s: a handshake that was not completed is called forward secret",
					examples[e].name, c.name)
			}
			if got := strings.Join(said, ", "); got != c.want {
				t.Errorf("%s, %s: %q, expected %q", examples[e].name, c.name, got, c.want)
			}
		}
	}
}

// Of a side whose events are not there the page infers what it holds, and does not deny it.
func TestASideWithoutEventsIsNotSaidToKnowNothing(t *testing.T) {
	both := func(r html.Run) html.Run { return r }
	for _, c := range []struct {
		name, want string
		as         func(html.Run) html.Run
	}{
		{"both sides", "<td>yes</td><td>yes</td>", both},
		{"an observer", "<td>yes</td><td>yes: derived likewise</td>", observed},
	} {
		run := c.as(perform(t, examples[2].options, ""))
		page := strings.ReplaceAll(write(t, run), "<wbr/>", "")
		if want := "client_write_key</a></th>" + c.want; !strings.Contains(page, want) {
			t.Errorf("%s: the page does not have %q", c.name, want)
		}
	}
}
