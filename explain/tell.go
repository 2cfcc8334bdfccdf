package explain

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Tell returns the story of one handshake and of the data that it protected, from the merged events
// of both sides.
func Tell(entries []trace.Entry, run Run) *Story {
	switch {
	case run.Fingerprints:
		run.Note = fingerprintNote
	case Redacted(entries):
		run.Note = redactedNote
	}
	keys, data := Reveals(entries)
	t := &teller{
		Story:  &Story{Run: run, Reveals: keys},
		shows:  keys || data,
		client: see(entries, trace.Client),
		server: see(entries, trace.Server),
	}
	t.lines, t.Result.Wire = buildLadder(entries)
	t.setNegotiated()
	if t.speaks13() {
		t.tell13(entries)
		return t.Story
	}
	t.chapters()
	t.conclude()
	return t.Story
}

// Tellable returns an error for a connection without a story: of a version or a suite that Vitrine
// does not know, or one whose events do not say which record carries what.
func Tellable(entries []trace.Entry) error {
	if err := known(entries); err != nil {
		return err
	}
	for _, e := range entries {
		if r, ok := e.Event.(*trace.Record); ok && r.Number == 0 {
			return errors.New("the records of this connection have no numbers: an earlier " +
				"version of vitrine wrote its events")
		}
	}
	return nil
}

// known returns an error if the version or the suite of a connection is not known.
func known(entries []trace.Entry) (err error) {
	for _, e := range entries {
		m, ok := e.Event.(*trace.Message)
		if !ok {
			continue
		}
		if hello, ok := parseHello[*message.ServerHello](m); ok {
			if err = untold(hello); err == nil {
				return nil // also if the other side was shown something else
			}
		} else if v := strange(m); v != 0 && err == nil {
			err = fmt.Errorf("a connection of %s cannot be explained", versionName(v))
		}
	}
	return err
}

// untold returns an error if there is no story for the choices of a ServerHello.
func untold(m *message.ServerHello) error {
	v := selectedVersion(m)
	if !told(v) {
		return fmt.Errorf("a connection of %s cannot be explained", versionName(v))
	}
	switch s := suite.Readable(m.CipherSuite); {
	case s == nil:
		return fmt.Errorf("a connection with %v cannot be explained: Vitrine does not support it",
			m.CipherSuite)
	case !s.In(v):
		return fmt.Errorf("a connection with %v cannot be explained: it is not a suite of %v, "+
			"which the server chose", m.CipherSuite, v)
	}
	return nil
}

// strange returns the first draft of TLS 1.3 that a ClientHello offers in the place of TLS 1.3, or
// 0.
func strange(m *trace.Message) iana.Version {
	hello, ok := parseHello[*message.ClientHello](m)
	if !ok {
		return 0
	}
	for _, v := range offeredVersions(hello) {
		switch {
		case v == iana.TLS13:
			return 0
		case v>>8 == 0x7F:
			return v
		}
	}
	return 0
}

// told reports whether there is a story for connections of a version. There is none for SSL 3.0,
// which derives its keys in another way.
func told(v iana.Version) bool { return v >= iana.TLS10 && v <= iana.TLS13 }

// versionName names also the drafts of TLS 1.3.
func versionName(v iana.Version) string {
	if v>>8 == 0x7F {
		return fmt.Sprintf("draft %d of TLS 1.3", v&0xFF)
	}
	return v.String()
}

// setNegotiated sets what the hellos negotiated.
func (t *teller) setNegotiated() {
	for _, v := range []*view{t.server, t.client} {
		if v.agreed != nil {
			t.agreed = *v.agreed
		}
	}
	t.Chosen = t.chosenVersion()
	t.Version = cmp.Or(t.Chosen, iana.TLS12)
	t.Suite = suite.Readable(t.agreed.Suite)
	t.dialect = message.Dialect{Version: t.Version, Kex: t.agreed.KeyExchange}
	t.Warnings = warnings(t.Version, t.Suite, t.Run, t.shows)
}

// chapters adds a step for each line of the ladder. The steps that each side computes for itself
// come directly before or after the line that needs them.
func (t *teller) chapters() {
	current := 1
	for _, s := range t.lines {
		if next := chapterOf(s, current); next > current {
			if current <= 4 && next >= 5 {
				t.add(4, t.derivations()...)
			}
			current = next
		}
		if s.is(iana.ClientKeyExchange) && t.agreed.KeyExchange == iana.KexRSA {
			t.add(current, t.ownPreMaster())
		}
		t.add(current, t.tell(s))
		if s.is(iana.ClientKeyExchange) && t.agreed.KeyExchange != iana.KexRSA {
			t.add(current, t.sharedSecret()...)
		}
	}
	if current < 4 {
		t.add(4, t.derivations()...)
	}
}

// add appends steps to a chapter, which it begins if they are the first.
func (t *teller) add(number int, steps ...Step) {
	if len(steps) == 0 {
		return
	}
	n := len(t.Chapters)
	if n == 0 || t.Chapters[n-1].Number != number {
		c := chapters[number-1]
		switch {
		case number == 1 && !t.comes(iana.ServerHello):
			c.Motto = "in the clear, before any secret exists"
		case number == 3 && !t.comes(iana.ClientKeyExchange):
			c.Motto = "no secret yet: the client's part did not come"
		case number == 5:
			c.Motto = t.unchanged(c.Motto, t.upTo(nil, " to "), iana.Client, iana.Server)
		}
		if number == 6 {
			c.Ref = t.recordRef()
		}
		t.Chapters = append(t.Chapters, c)
		n++
	}
	t.Chapters[n-1].Steps = append(t.Chapters[n-1].Steps, steps...)
}

// chapterOf returns the number of the chapter of a line, given that of the line before.
func chapterOf(s *rung, current int) int {
	switch {
	case s.Kind == iana.RecordChangeCipherSpec:
		return 5
	case s.Kind == iana.RecordApplicationData:
		return 6
	case s.closes() && current >= 5:
		return 6
	case s.is(iana.ClientKeyExchange), s.is(iana.ServerKeyExchange):
		return 3
	case s.is(iana.Certificate), s.is(iana.CertificateStatus), s.is(iana.CertificateRequest),
		s.is(iana.ServerHelloDone):
		return 2
	}
	return current
}

// tell returns the step of a line.
func (t *teller) tell(s *rung) Step {
	key, facts := t.content(s)
	e := Explain(key)
	line := s.Line
	line.Name, line.Ref, line.Size = e.Title, e.Ref, size(s)
	if key == "application_data/client" || key == "application_data/server" {
		line.Remark, line.Ref = t.quote(s.Record.Plaintext), t.recordRef()
	}
	if s.is(iana.Finished) && s.Protected {
		line.Remark = "(encrypted)"
		if t.Suite != nil && t.Suite.Cipher.KeyLen == 0 {
			line.Remark = "(not encrypted, but authenticated)"
		}
	}
	if s.Alert != nil {
		line.Name = s.Alert.Description.String()
		line.Remark = "(" + s.Alert.Level.String() + " alert)"
	}
	if s.BothWays {
		line.Remark = "both ways"
	}
	facts = append(t.Run.Tampered.at(s.Number), facts...)
	if remark := fates[s.Fate]; remark != "" {
		line.Remark = remark
	}
	return Step{Key: key, Line: &line, Facts: facts}
}

// content returns the key of a line's explanation, and its facts.
func (t *teller) content(s *rung) (key string, facts []Fact) {
	side := "/" + s.From.String()
	switch {
	case s.Kind == iana.RecordChangeCipherSpec:
		return "change_cipher_spec" + side, nil
	case s.Kind == iana.RecordApplicationData:
		return "application_data" + side, t.anatomy(s)
	case s.closes():
		return "close_notify", nil
	case s.Alert != nil:
		return "alert", t.alert(s)
	case s.Message == nil:
		return s.Kind.String(), nil
	}
	kex := "/" + t.agreed.KeyExchange.String()
	switch s.Message.Type {
	case iana.ClientHello:
		return "client_hello", t.clientHello(s)
	case iana.ServerHello:
		return "server_hello", t.serverHello(s)
	case iana.Certificate:
		if s.From == iana.Client {
			return "client_certificate", t.certificate(s)
		}
		return "certificate", t.certificate(s)
	case iana.CertificateStatus:
		return "certificate_status", t.status()
	case iana.CertificateRequest:
		return "certificate_request", t.certificateRequest(s)
	case iana.ServerKeyExchange:
		return "server_key_exchange" + kex, t.serverKeyExchange(s)
	case iana.ClientKeyExchange:
		switch t.agreed.Group {
		case "x25519", "x448":
			kex += "/x"
		}
		return "client_key_exchange" + kex, t.clientKeyExchange()
	case iana.CertificateVerify:
		return "certificate_verify", t.certificateVerify(s)
	case iana.Finished:
		return "finished" + side, t.finished(s)
	}
	return s.Message.Type.String(), nil
}
