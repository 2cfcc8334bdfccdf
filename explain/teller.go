package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// teller builds a Story.
type teller struct {
	*Story
	client, server *view
	lines          []*rung
	agreed         trace.Agreed
	dialect        message.Dialect
	dissected      bool // a record's parts have been shown
	shows          bool // there is something that was not sent in the clear
}

// raws returns a message as each side has it.
func (t *teller) raws(from iana.Side, kind iana.HandshakeType) Pair {
	return Pair{t.client.raw(from, kind), t.server.raw(from, kind)}
}

// each applies read to a message as each side has it. The result is nil for a message that cannot
// be parsed.
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

// parse parses a message as its sender has it.
func parse[M message.Message](t *teller, s *rung) (m M, ok bool) {
	d := t.dialect
	d.CertificateType = t.certificateType(s.From)
	parsed, err := d.Parse(s.Message.Raw)
	if err != nil {
		return m, false
	}
	m, ok = parsed.(M)
	return m, ok
}

// size returns the length of a message. If it is protected, the length of its record is added,
// which is all that an eavesdropper sees. A message in the same record as the one before it
// says so.
func size(s *rung) string {
	record := len(s.Record.Header) + len(s.Record.Fragment)
	switch {
	case s.BothWays:
		return octets(record) + " each"
	case s.Message != nil && s.Place.Message > 0:
		return fmt.Sprintf("%d, same record", len(s.Message.Raw))
	case s.Message != nil && s.Protected:
		return fmt.Sprintf("%d in %s", len(s.Message.Raw), octets(record))
	case s.Message != nil:
		return octets(len(s.Message.Raw))
	case s.Protected:
		return octets(record)
	}
	return octets(len(s.Record.Fragment))
}

// upTo returns the numbers of the messages in the transcript before last, or of all before the
// first ChangeCipherSpec if last is nil. ChangeCipherSpec itself is not a handshake message.
func (t *teller) upTo(last *rung, to string) string {
	var numbers []int
	for _, s := range t.lines {
		if s == last || last == nil && s.Kind == iana.RecordChangeCipherSpec {
			break
		}
		if s.Message != nil {
			numbers = append(numbers, s.Number)
		}
	}
	return strings.ReplaceAll(Ranges(numbers), "-", to)
}

// quote returns the beginning of application data in quotes.
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

// certificateType returns what a side shows: RFC 7250.
func (t *teller) certificateType(of iana.Side) iana.CertificateType {
	for _, v := range []*view{t.server, t.client} {
		if v.agreed != nil {
			return v.agreed.CertificateType(of)
		}
	}
	return iana.X509
}

func (t *teller) shape() keys.Shape {
	if t.Suite == nil {
		return keys.Shape{}
	}
	return t.Suite.Shape(t.Version)
}
