package observe

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
)

// This file distinguishes handshakes that a peer ended from those that the capture has only in
// part.

// unfinished returns why a handshake was not completed, if one of the sides ended it, or if only
// one of them is in the capture; otherwise nil.
func (c *Connection) unfinished(r *Report) *Reason {
	m, e := c.machine, &c.ending
	if r.Renegotiations > 0 || m.ClientHello == nil || r.Done && !c.hidden(r) {
		return nil
	}
	failed := func(format string, args ...any) *Reason {
		return &Reason{Code: HandshakeFailed, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case c.lanes[iana.Client].outer != nil && c.protocol().hidesTypes():
		return failed("the client ended the handshake with the alert %v in the clear, after the "+
			"%v's %v", *c.lanes[iana.Client].outer, c.last.from, c.last.kind)
	case c.alerted != nil && !r.Done:
		return failed("the %v ended the handshake with the alert %v, after the %v's %v",
			c.alertedBy, c.alerted.Description, c.last.from, c.last.kind)
	case e.answered:
		return failed("the server answered the ClientHello in the clear, with %s: it does not "+
			"speak TLS at this port, or not yet", describeAnswer(e.answer))
	case e.packets[iana.Client] > 0 && e.packets[iana.Server] == 0,
		e.packets[iana.Server] > 0 && e.packets[iana.Client] == 0:
		return c.ending.halved()
	case !e.known:
		return nil
	}
	by := fmt.Sprintf("the %v %s (%v)", e.by, verbs[e.how], e.how)
	if d := c.warned[e.by]; d != nil {
		by = fmt.Sprintf("the %v sent the alert %v and %s (%v)", e.by, *d, verbs[e.how], e.how)
	}
	if r.Done {
		return failed("%s before the handshake was done: the client's records after the "+
			"ServerHello have %d bytes, and a Finished alone has at least %d%s", by,
			r.Flows[iana.Client].Unread, shortestFinished, hint(r.Flows[iana.Client].Unread))
	}
	whose := "its"
	if e.by != c.last.from {
		whose = fmt.Sprintf("the %v's", c.last.from)
	}
	why := failed("%s after %s %v: what would have come next is %s", by, whose, c.last.kind,
		m.Awaited())
	if e.by == iana.Client && m.Certificate[iana.Server] != nil {
		why.Remedy = "a client that leaves after the server's certificate did, most often, not " +
			"accept that"
	}
	return why
}

// whereItEnds says after which message a capture ends in which neither side ended a connection, as
// the beginning of a sentence, if that is known.
func (c *Connection) whereItEnds() string {
	if e := &c.ending; e.known || e.packets == [2]int{} || c.machine.ClientHello == nil {
		return ""
	}
	return fmt.Sprintf("it ends after the %v's %v, with neither FIN nor RST; ", c.last.from,
		c.last.kind)
}

var verbs = map[capture.Ending]string{capture.EndedFIN: "closed the connection",
	capture.EndedRST: "reset the connection"}

// shortestFinished and sealedAlert are lengths of records of TLS 1.3: a Finished of SHA-256 and an
// alert, each with its type and a tag.
const (
	shortestFinished = 4 + 32 + 1 + 16
	sealedAlert      = 2 + 1 + 16
)

func hint(n int64) string {
	if n == sealedAlert {
		return "; this is the length of an alert"
	}
	return ""
}

// hidden reports whether a handshake of TLS 1.3 whose secrets are not known was not completed: what
// the client sent under keys is too short for its Finished.
func (c *Connection) hidden(r *Report) bool {
	f := &r.Flows[iana.Client]
	return c.protocol().hidesTypes() && c.missing != nil && !r.EarlyOffered && c.ending.known &&
		f.Missing == 0 && f.Bytes == 0 && f.Unread < shortestFinished
}

// halved returns the reason for a connection of which the capture has one direction.
func (e *ending) halved() *Reason {
	have := iana.Client
	if e.packets[iana.Client] == 0 {
		have = iana.Server
	}
	return &Reason{Code: HandshakeNotCaptured,
		Detail: fmt.Sprintf("the capture has the %v's packets (%d) and none of the %v's: the keys "+
			"need both hellos", have, e.packets[have], have.Peer()),
		Remedy: "capture at a place that both directions pass"}
}

// greetings names protocols by the first bytes that a server sends.
var greetings = []struct{ begins, name string }{
	{"HTTP/", "HTTP"}, {"<", "HTML or XML"}, {"SSH-", "SSH"}, {"220", "SMTP or FTP"},
	{"* OK", "IMAP"}, {"* BAD", "IMAP"}, {"+OK", "POP3"}, {"-ERR", "POP3 or Redis"},
	{"200 ", "NNTP"}, {"RFB ", "VNC"}, {"AMQP", "AMQP"}, {"\x03\x00\x00", "RDP (TPKT)"},
	{"5", "SMTP or FTP"}, {"4", "SMTP or FTP"},
}

// describeAnswer names the protocol of a server's answer, and quotes its first line if that is
// text.
func describeAnswer(b []byte) string {
	name := "something else"
	for _, g := range greetings {
		if bytes.HasPrefix(b, []byte(g.begins)) {
			name = g.name
			break
		}
	}
	if len(b) >= 9 && b[0] == 0 && b[3] == 4 && b[4]&^1 == 0 &&
		bytes.Equal(b[5:9], make([]byte, 4)) {
		name = "HTTP/2 frames"
	}
	if len(b) > 5 && b[3] == 0 && b[4] == 10 {
		name = "MySQL"
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimRight(line, "\r")
	for _, r := range line {
		if r < ' ' || r > '~' {
			return fmt.Sprintf("%s (%x…)", name, b[:min(len(b), 8)])
		}
	}
	return fmt.Sprintf("%s: %q", name, line)
}
