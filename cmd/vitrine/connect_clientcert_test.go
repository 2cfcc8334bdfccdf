package main

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// A server that asks for another handshake gets no_renegotiation or a ClientHello, after the first
// handshake is done. See RFC 5246 §7.4.1.1.
func TestRenegotiationIsTold(t *testing.T) {
	hello := &trace.Message{From: iana.Client, Type: iana.ClientHello}
	refused := &trace.Alert{From: iana.Client, Description: alert.NoRenegotiation}
	for _, c := range []struct {
		events []trace.Event
		want   string
	}{
		{[]trace.Event{hello, &trace.Done{}}, ""},
		{[]trace.Event{hello, &trace.Done{}, refused}, "--renegotiate allows it once"},
		{[]trace.Event{hello, &trace.Done{}, hello}, "which --renegotiate allows once"},
		{[]trace.Event{hello, &trace.Done{}, &trace.Alert{From: iana.Server,
			Description: alert.NoRenegotiation}}, ""},
	} {
		var entries []trace.Entry
		for _, e := range c.events {
			entries = append(entries, trace.Entry{Event: e})
		}
		if got := askedAgain(entries); (got == "") != (c.want == "") ||
			!strings.Contains(got, c.want) {
			t.Errorf("got %q, expected %q", got, c.want)
		}
	}
}
