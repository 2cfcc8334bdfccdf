package main

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// messages writes the events of a connection as -expect-msg-callback has them.
type messages struct {
	me   iana.Side
	text strings.Builder
}

// Put adds a line for a handshake message, a ChangeCipherSpec or an alert.
func (m *messages) Put(e trace.Entry) {
	var from iana.Side
	var line string
	switch e := e.Event.(type) {
	case *trace.Message:
		from, line = e.From, fmt.Sprintf("hs %d", e.Type)
		if message.IsHello2(e.Raw) {
			line = "v2clienthello"
		}
	case *trace.Alert:
		from, line = e.From, fmt.Sprintf("alert %d %d", e.Level, e.Description)
	case *trace.Record:
		if e.ContentType != iana.RecordChangeCipherSpec {
			return
		}
		from, line = e.From, "ccs"
	default:
		return
	}
	verb := "read"
	if from == m.me {
		verb = "write"
	}
	fmt.Fprintf(&m.text, "%s %s\n", verb, line)
}

// check compares the lines with the expectation.
func (m *messages) check(want *string) error {
	if got := m.text.String(); want != nil && got != *want {
		return fmt.Errorf("got the messages %q, expected %q", got, *want)
	}
	return nil
}
