package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Tell makes a story of the merged events of one handshake and what was sent under it.
func Tell(entries []trace.Entry, run Run) *Story {
	if Redacted(entries) {
		run.Note = redactedNote
	}
	t := &teller{
		Story:  &Story{Run: run},
		client: see(entries, trace.Client),
		server: see(entries, trace.Server),
	}
	t.lines, t.Result.Wire = climb(entries)
	t.settle()
	t.chapters()
	t.conclude()
	return t.Story
}

// teller builds a Story.
type teller struct {
	*Story
	client, server *view
	lines          []*said
	agreed         trace.Agreed
	dialect        message.Dialect
	apart          bool // a record was taken apart
}

// settle finds what the hellos agreed on.
func (t *teller) settle() {
	for _, v := range []*view{t.server, t.client} {
		if v.agreed != nil {
			t.agreed = *v.agreed
		}
	}
	t.Version = t.agreed.Version
	if t.Version == 0 {
		t.Version = iana.TLS12
	}
	t.Suite = suite.ByID(t.agreed.Suite)
	t.dialect = message.Dialect{Version: t.Version, Kex: t.agreed.KeyExchange}
	t.Warnings = warnings(t.Suite, t.Run)
}

// chapters walks the ladder. What each side computes for itself has its place right before or
// behind the line that needs it.
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

// add appends steps to a chapter, and begins it if they are its first.
func (t *teller) add(number int, steps ...Step) {
	if len(steps) == 0 {
		return
	}
	n := len(t.Chapters)
	if n == 0 || t.Chapters[n-1].Number != number {
		c := chapters[number-1]
		if number == 5 {
			c.Motto = fmt.Sprintf(c.Motto, t.upTo(nil, " to "))
		}
		if number == 6 {
			c.Ref = t.recordRef()
		}
		t.Chapters = append(t.Chapters, c)
		n++
	}
	t.Chapters[n-1].Steps = append(t.Chapters[n-1].Steps, steps...)
}

// chapterOf tells in which chapter a line is, given the one before it.
func chapterOf(s *said, current int) int {
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

func (s *said) is(t iana.HandshakeType) bool { return s.Message != nil && s.Message.Type == t }

// raws is a message as each side has it.
func (t *teller) raws(from iana.Side, kind iana.HandshakeType) Pair {
	return Pair{t.client.raw(from, kind), t.server.raw(from, kind)}
}

// each applies a reading to both sides' bytes of a message. What cannot be read is nil.
func each[M message.Message](t *teller, p Pair, read func(M) []byte) Pair {
	one := func(raw []byte) []byte {
		if raw == nil {
			return nil
		}
		m, err := t.dialect.Parse(raw)
		if err != nil {
			return nil
		}
		parsed, ok := m.(M)
		if !ok {
			return nil
		}
		return read(parsed)
	}
	return Pair{one(p.Client), one(p.Server)}
}

// parse reads a message as its sender saw it.
func parse[M message.Message](t *teller, s *said) (m M, ok bool) {
	parsed, err := t.dialect.Parse(s.Message.Raw)
	if err != nil {
		return m, false
	}
	m, ok = parsed.(M)
	return m, ok
}

// tell tells one line of the ladder.
func (t *teller) tell(s *said) Step {
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
	if r := t.Run.Tampered; r != nil && r.Line == s.Number {
		facts = append([]Fact{{Name: "ALTERED", Text: r.How, Alarm: true}}, facts...)
	}
	return Step{Key: key, Line: &line, Facts: facts}
}

// content is the key of the explanation and the facts of a line.
func (t *teller) content(s *said) (key string, facts []Fact) {
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
		return "client_key_exchange" + kex, t.clientKeyExchange()
	case iana.CertificateVerify:
		return "certificate_verify", t.certificateVerify(s)
	case iana.Finished:
		return "finished" + side, t.finished(s)
	}
	return s.Message.Type.String(), nil
}

// size is a message's length, and the record's where it is protected: then the record is all that
// an eavesdropper sees.
func size(s *said) string {
	record := len(s.Record.Header) + len(s.Record.Fragment)
	switch {
	case s.BothWays:
		return octets(record) + " each"
	case s.Message != nil && s.Protected:
		return fmt.Sprintf("%d in %s", len(s.Message.Raw), octets(record))
	case s.Message != nil:
		return octets(len(s.Message.Raw))
	case s.Protected:
		return octets(record)
	}
	return octets(len(s.Record.Fragment))
}

// upTo names the messages that are in the transcript before the line last: all up to the first
// ChangeCipherSpec if last is nil. ChangeCipherSpec itself is no handshake message.
func (t *teller) upTo(last *said, to string) string {
	var numbers []int
	for _, s := range t.lines {
		if s == last || last == nil && s.Kind == iana.RecordChangeCipherSpec {
			break
		}
		if s.Message != nil {
			numbers = append(numbers, s.Number)
		}
	}
	return strings.ReplaceAll(ranges(numbers), "-", to)
}

// quote is the beginning of application data.
func (t *teller) quote(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	first, _, more := strings.Cut(string(data), "\r\n")
	if q := shorten(first, 24); more && !strings.HasSuffix(q, "…") {
		return `"` + q + `…"`
	}
	return `"` + shorten(first, 24) + `"`
}
