package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/render/liveview"
	"github.com/vitrine-tls/vitrine/trace"
)

// untellable returns an error for events of which no page can be made.
func untellable(entries []trace.Entry) error {
	for _, e := range entries {
		if _, ok := e.Event.(*trace.Message); ok {
			return explain.Tellable(entries)
		}
	}
	return errors.New("no handshake message of this connection was kept")
}

// leadOf returns the sentences above the page of a connection.
func leadOf(r live.Row) string {
	lead := "The connection of " + r.Client + ", as this side saw it."
	if !r.Over() {
		lead += " It is still open: this is how it stood when the page was made."
	} else if r.Why != "" {
		lead += " Its end: " + r.Why + "."
	}
	if lost := r.Dropped.String(); lost != "" {
		lead += " It is not all here: " + lost + " for room."
	}
	return lead
}

// bare answers with the page of a connection that has no story.
func (v *liveView) bare(w http.ResponseWriter, r live.Row, why error) {
	reason := "It has no story: " + why.Error() + "."
	if r.Forgotten {
		reason = "Its events gave way to those of later connections."
	}
	facts := []liveview.Fact{{Name: "from", Value: r.Client}, {Name: "at",
		Value: r.Start.Format(time.RFC3339)}, {Name: "state", Value: string(r.State)}}
	for _, f := range []struct {
		name, value string
		bad         bool
	}{{"how it ended", live.Words(r.Reason), r.State == live.Failed}, {"in words", r.Why, false},
		{"code", r.Reason, false},
		{"inferred", r.Cause, false}, {"asked for", r.Name, false}, {"version", r.Version, false},
		{"suite", r.Suite, false}} {
		if f.value != "" {
			facts = append(facts, liveview.Fact{Name: f.name, Value: f.value, Bad: f.bad})
		}
	}
	facts = append(facts, offeredFacts(r)...)
	facts = append(facts, liveview.Fact{Name: "bytes", Value: fmt.Sprintf("%d received, %d sent",
		r.Received.Wire, r.Sent.Wire)})
	var page bytes.Buffer
	if err := liveview.WriteBare(&page, v.options(), reason, facts); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	v.send(w, liveview.Policy(), page.Bytes())
}

// offeredFacts returns what the client of a failed handshake offered.
func offeredFacts(r live.Row) (facts []liveview.Fact) {
	o := r.Offer
	if o == nil {
		return nil
	}
	for _, f := range []struct {
		name   string
		values []string
	}{{"offered versions", o.Versions}, {"offered suites", o.Suites},
		{"offered groups", o.Groups}, {"offered protocols", o.ALPN}} {
		if len(f.values) > 0 {
			facts = append(facts, liveview.Fact{Name: f.name,
				Value: strings.Join(f.values, ", ")})
		}
	}
	if r.Name == "" && o.ServerName != "" {
		facts = append(facts, liveview.Fact{Name: "asked for, not a valid name",
			Value: o.ServerName, Bad: true})
	}
	if o.More > 0 {
		facts = append(facts, liveview.Fact{Name: "not listed",
			Value: fmt.Sprintf("%d more of what it offered", o.More)})
	}
	return facts
}
