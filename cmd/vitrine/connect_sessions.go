package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// ticketsReport is what the server gave for the next connection, as far as we read.
type ticketsReport struct {
	Count    int    `json:"count"`
	Lifetime uint32 `json:"lifetime_s"` // of the last; 0 is unspecified up to TLS 1.2
	// MaxEarlyData is how many bytes of early data the last allows.
	MaxEarlyData uint32 `json:"max_early_data,omitempty"`
}

// ticketsIn returns what the tickets of a connection's events say, or nil if there are none.
func ticketsIn(a *attempt) *ticketsReport {
	d := message.Dialect{Version: iana.Version(a.state.Version)}
	var r ticketsReport
	for _, e := range a.events.entries() {
		m, ok := e.Event.(*trace.Message)
		if !ok || m.Type != iana.NewSessionTicket {
			continue
		}
		parsed, err := d.Parse(m.Raw)
		ticket, ok := parsed.(*message.NewSessionTicket)
		if err != nil || !ok || len(ticket.Ticket) == 0 {
			continue
		}
		var early message.MaxEarlyData
		if has, err := ticket.Extensions.Read(iana.ExtEarlyData, &early); !has || err != nil {
			early.Size = 0
		}
		r = ticketsReport{r.Count + 1, ticket.LifetimeHint, early.Size}
	}
	if r.Count == 0 {
		return nil
	}
	return &r
}

func (r *ticketsReport) text() string {
	life := "good for as long as the server likes"
	if r.Lifetime > 0 {
		life = "good for " + explain.Count(int(r.Lifetime), "second")
	}
	early := ""
	if r.MaxEarlyData > 0 {
		early = "early data up to " + explain.Count(int(r.MaxEarlyData), "byte")
	}
	return explain.Join(", ", fmt.Sprint(r.Count), life, early)
}

// resumption is what became of a second connection with the session of the first.
type resumption struct {
	Resumed bool    `json:"resumed"`
	By      string  `json:"by,omitempty"`      // ticket or session ID, if the server took it
	Offered string  `json:"offered,omitempty"` // the same, whether it took it or not
	Mode    string  `json:"mode,omitempty"`    // TLS 1.3: psk_dhe_ke or psk_ke
	Group   string  `json:"group,omitempty"`   // of psk_dhe_ke
	MS      float64 `json:"ms"`
	Error   string  `json:"error,omitempty"`
	version uint16
}

// again connects a second time with the session of the first connection.
func (c *caller) again(cmd *cobra.Command, first *attempt) *resumption {
	a := c.attempt(cmd.Context(), c.config)
	s := &resumption{MS: float64(a.took.Microseconds()) / 1000, version: first.state.Version,
		Offered: offeredSession(first, a)}
	if a.err != nil {
		s.Error = briefly(a.err)
		return s
	}
	a.conn.Close()
	if s.Resumed = a.state.DidResume; !s.Resumed {
		return s
	}
	s.By = s.Offered
	if a.state.Version == vitrine.VersionTLS13 {
		s.Mode, s.Group = iana.PSKDHEKE.String(), a.state.GroupName
		if s.Group == "" {
			s.Mode = iana.PSKKE.String()
		}
	}
	return s
}

// offeredSession returns what of the first connection the second one's hello offers: a ticket, a
// session ID, or nothing.
func offeredSession(first, second *attempt) string {
	hello := helloOf(second.events.entries())
	if hello == nil {
		return ""
	}
	var keys message.OfferedPSKs
	_, _ = hello.Extensions.Read(iana.ExtPreSharedKey, &keys) // the hello is ours
	for _, k := range keys.Identities {
		if k.ObfuscatedTicketAge != 0 { // an external key has none: RFC 8446 §4.2.11
			return "ticket"
		}
	}
	if ticket, _ := hello.Extensions.Get(iana.ExtSessionTicket); len(ticket) > 0 {
		return "ticket"
	}
	for _, e := range first.events.entries() {
		m, ok := e.Event.(*trace.Message)
		if !ok || m.Type != iana.ServerHello || first.state.Version == vitrine.VersionTLS13 {
			continue
		}
		parsed, err := message.Dialect{Version: iana.TLS12}.Parse(m.Raw)
		answer, ok := parsed.(*message.ServerHello)
		if err == nil && ok && len(answer.SessionID) > 0 &&
			bytes.Equal(answer.SessionID, hello.SessionID) {
			return "session ID"
		}
	}
	return ""
}

func (s *resumption) text() string {
	switch {
	case s.Error != "":
		return "the second connection failed: " + s.Error
	case s.Resumed && s.Mode == iana.PSKKE.String():
		return fmt.Sprintf("the second connection resumed the session by %s alone (psk_ke: NOT "+
			"forward secret), in %.1f ms", s.By, s.MS)
	case s.Resumed && s.Mode != "":
		return fmt.Sprintf("the second connection resumed the session by %s (%s: %s anew), in "+
			"%.1f ms", s.By, s.Mode, s.Group, s.MS)
	case s.Resumed:
		return fmt.Sprintf("the second connection resumed the session by %s, in %.1f ms", s.By,
			s.MS)
	case s.Offered != "":
		return fmt.Sprintf("the second connection offered the session by %s, and the server made "+
			"a new one, in %.1f ms", s.Offered, s.MS)
	case s.version == vitrine.VersionTLS13:
		return fmt.Sprintf("the second connection had none to resume, since the server sent no "+
			"ticket that we could keep; it took %.1f ms", s.MS)
	}
	return fmt.Sprintf("the second connection had none to resume, since the server gave neither a "+
		"ticket nor a session ID; it took %.1f ms", s.MS)
}
