package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// speaks13 reports whether a connection is one of TLS 1.3: its server chose it or, if no
// ServerHello was seen, its client offers nothing else.
func (t *teller) speaks13() bool {
	if t.Chosen != 0 {
		return protocolOf(t.Chosen) == &protocol13
	}
	for _, v := range []*view{t.client, t.server} {
		for _, m := range v.messages[iana.Client] {
			if hello, ok := parseHello[*message.ClientHello](m); ok {
				return offersOnly13(hello)
			}
		}
	}
	return false
}

// chosenVersion returns the version that the server chose, or 0.
func (t *teller) chosenVersion() iana.Version {
	if t.agreed.Version != 0 {
		return t.agreed.Version
	}
	for _, v := range []*view{t.server, t.client} {
		for _, m := range v.messages[iana.Server] {
			if hello, ok := parseHello[*message.ServerHello](m); ok {
				return selectedVersion(hello)
			}
		}
	}
	return 0
}

// tell13 tells the story of a TLS 1.3 connection.
func (t *teller) tell13(entries []trace.Entry) {
	t.Version, t.dialect = iana.TLS13, message.Dialect{Version: iana.TLS13}
	t.Schedule = NewSchedule(entries)
	s := &teller13{teller: t, told: map[*Node]bool{}}
	s.hellos()
	if s.reply != nil {
		t.Suite = suite.Readable(s.reply.CipherSuite)
	}
	t.Warnings = s.warnings13()
	s.chapters()
	s.conclude13()
}

// hellos reads the last hello of each side.
func (t *teller13) hellos() {
	for _, s := range t.lines {
		if s.Message == nil {
			continue
		}
		if m, ok := parseHello[*message.ClientHello](s.Message); ok {
			t.hello = m
		}
		if m, ok := parseHello[*message.ServerHello](s.Message); ok {
			if t.retried = t.retried || m.IsRetry(); !m.IsRetry() {
				t.reply = m
			}
		}
		t.readable = t.readable || s.is(iana.EncryptedExtensions) || s.is(iana.Finished)
	}
}

// chapters adds a step for each line of the ladder, and what the sides compute between them.
func (t *teller13) chapters() {
	current := 1
	for _, s := range t.lines {
		current = t.chapterOf13(s, current)
		t.add13(current, t.step(s))
		if s.Message == nil {
			continue
		}
		row := lines13[name13(s)]
		if row.after == nil {
			continue
		}
		if steps := row.after(t); len(steps) > 0 {
			current = max(current, row.next)
			t.add13(current, steps...)
		}
	}
}

// add13 appends steps to a chapter, which it begins if they are the first.
func (t *teller13) add13(number int, steps ...Step) {
	n := len(t.Chapters)
	if n == 0 || t.Chapters[n-1].Number != number {
		c := chapters13[number-1]
		switch {
		case number == 3 && t.resumes():
			c.Motto = "both have the PSK: no certificate"
		case number == 5:
			c.Motto = t.unchanged(c.Motto, strings.TrimPrefix(t.transcript(iana.Client),
				"message_hash, "), iana.Client)
		case number == 6 && !t.readable:
			c.Motto = "what it is, only who has the keys can say"
		}
		t.Chapters = append(t.Chapters, c)
		n++
	}
	t.Chapters[n-1].Steps = append(t.Chapters[n-1].Steps, steps...)
}

// step returns the step of a line.
func (t *teller13) step(s *rung) Step {
	key, facts, nodes := t.content13(s)
	e := Explain(key)
	line := s.Line
	line.Name, line.Ref, line.Size = e.Title, e.Ref, t.size13(s)
	switch {
	case s.Kind == iana.RecordApplicationData && t.seen(s):
		line.Remark = t.quote(s.Record.Plaintext)
	case s.Kind == iana.RecordApplicationData:
		line.Remark = unread
	case s.Alert != nil && !s.closes():
		line.Name, line.Remark = s.Alert.Description.String(), "(alert)"
	case s.BothWays:
		line.Remark = "both ways"
	}
	facts = append(t.Run.Tampered.at(s.Number), facts...)
	if remark := fates[s.Fate]; remark != "" {
		line.Remark = remark
	}
	return Step{Key: key, Line: &line, Facts: facts, Nodes: t.once(nodes)}
}

// unread is the remark about a record that could not be opened.
const unread = "(unread)"

// seen reports whether the plaintext of a record is known.
func (t *teller13) seen(s *rung) bool {
	return len(s.Record.Plaintext) > 0 || len(s.Record.Ciphertext) > 0
}

// content13 returns the key of a line's explanation, its facts, and the nodes that it has made.
func (t *teller13) content13(s *rung) (key string, facts []Fact, nodes []*Node) {
	const version = "/1.3"
	switch {
	case s.Kind == iana.RecordChangeCipherSpec:
		return "change_cipher_spec" + version, nil, nil
	case s.Kind == iana.RecordApplicationData && !t.answered(s):
		return "application_data/early" + version, nil, nil
	case s.Kind == iana.RecordApplicationData:
		return "application_data/" + s.From.String() + version, t.anatomy13(s), nil
	case s.closes():
		return "close_notify" + version, nil, nil
	case s.Alert != nil:
		return "alert" + version, t.alert(s), nil
	case s.Message == nil:
		return s.Kind.String(), nil, nil
	}
	name := name13(s)
	row := lines13[name]
	if row.facts != nil {
		facts = row.facts(t, s)
	}
	if row.nodes != nil {
		nodes = row.nodes(t, s)
	}
	return name + version, facts, nodes
}

// size13 returns the length of a message. Of the first message in a protected record it says how
// long the record is, which is all that an eavesdropper sees.
func (t *teller13) size13(s *rung) string {
	record := octets(len(s.Record.Header) + len(s.Record.Fragment))
	switch {
	case s.Message != nil && s.Place.Message > 0:
		return fmt.Sprintf("%d, same record", len(s.Message.Raw))
	case s.Message != nil && s.Protected:
		return fmt.Sprintf("%d in %s", len(s.Message.Raw), record)
	case s.Message != nil:
		return octets(len(s.Message.Raw))
	case s.BothWays:
		return record + " each"
	case s.Protected:
		return record
	}
	return octets(len(s.Record.Fragment))
}
