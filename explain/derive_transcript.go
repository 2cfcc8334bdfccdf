package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// transcript is the messages of a handshake, cut apart.
type transcript []spoken

type spoken struct {
	from iana.Side
	kind iana.HandshakeType
	raw  []byte
	hello
}

// hello is what a ClientHello or a ServerHello tells.
type hello struct {
	version  iana.Version
	random   []byte
	suite    iana.CipherSuite
	extended bool
}

// cutTranscript cuts g.Transcript into its messages, and gives g what the hellos tell.
func cutTranscript(g *Given) (transcript, error) {
	const field = "transcript"
	var said transcript
	for at := 0; at < len(g.Transcript); {
		rest := g.Transcript[at:]
		if len(rest) < message.HeaderLen || message.Length(rest) > len(rest) {
			return nil, misfit(field,
				"byte %d: the message that begins here is longer than the %s left", at,
				octets(len(rest)))
		}
		m := spoken{kind: iana.HandshakeType(rest[0]), raw: rest[:message.Length(rest)]}
		if len(said) == 0 && m.kind != iana.ClientHello {
			return nil, misfit(field,
				"it begins with %v, expected client_hello: give handshake messages with their "+
					"4-byte headers, and without those of records", m.kind)
		}
		if err := m.read(); err != nil {
			return nil, misfit(field, "byte %d: %v", at, err)
		}
		m.from = said.speaker(m.kind)
		said = append(said, m)
		at += len(m.raw)
	}
	return said, said.fill(g)
}

// read reads a hello.
func (m *spoken) read() error {
	if m.kind != iana.ClientHello && m.kind != iana.ServerHello {
		return nil
	}
	parsed, err := message.Dialect{Version: iana.TLS12}.Parse(m.raw)
	if err != nil {
		return err
	}
	switch h := parsed.(type) {
	case *message.ClientHello:
		m.hello = hello{random: h.Random[:]}
	case *message.ServerHello:
		m.hello = hello{h.Version, h.Random[:], h.CipherSuite,
			h.Extensions.Has(iana.ExtExtendedMasterSecret)}
	}
	return nil
}

// speaker is who says the next message, if it is of kind t.
func (s transcript) speaker(t iana.HandshakeType) iana.Side {
	switch t {
	case iana.ClientHello, iana.ClientKeyExchange, iana.CertificateVerify:
		return iana.Client
	case iana.Certificate:
		if s.find(iana.ServerHelloDone) >= 0 {
			return iana.Client
		}
	case iana.Finished:
		if s.find(iana.Finished) >= 0 {
			return s.first().Peer()
		}
		return s.first()
	}
	return iana.Server
}

// first is who says Finished first: the client, unless a session is resumed. See RFC 5246 §7.3.
func (s transcript) first() iana.Side {
	if s.find(iana.ClientKeyExchange) >= 0 {
		return iana.Client
	}
	return iana.Server
}

func (s transcript) find(t iana.HandshakeType) int {
	for i, m := range s {
		if m.kind == t {
			return i
		}
	}
	return -1
}

// fill gives g what the hellos tell. What was given besides must be the same.
func (s transcript) fill(g *Given) error {
	take := func(field string, value *[]byte, told []byte) error {
		if *value != nil && string(*value) != string(told) {
			return misfit(field, "got %x, but the hello in the transcript has %x", *value, told)
		}
		*value = told
		return nil
	}
	if len(s) == 0 {
		return misfit("transcript", "is empty")
	}
	if err := take("client_random", &g.Client, s[0].random); err != nil {
		return err
	}
	i := s.find(iana.ServerHello)
	if i < 0 {
		return nil
	}
	h := s[i].hello
	if err := take("server_random", &g.Server, h.random); err != nil {
		return err
	}
	if g.Suite != nil && g.Suite.ID != h.suite {
		return misfit("suite", "got %v, but the server's hello in the transcript chose %v", g.Suite,
			h.suite)
	}
	if g.Suite = suite.ByID(h.suite); g.Suite == nil {
		return misfit("transcript", "the server chose %v, which Vitrine does not speak", h.suite)
	}
	if g.Version != 0 && g.Version != h.version {
		return misfit("version", "got %v, but the server's hello in the transcript chose %v",
			g.Version, h.version)
	}
	g.Version = h.version
	return nil
}

func (s transcript) extended() bool {
	i := s.find(iana.ServerHello)
	return i >= 0 && s[i].extended
}

// session is the messages up to and including ClientKeyExchange, or nil without one. See RFC 7627
// §3.
func (s transcript) session() []byte {
	i := s.find(iana.ClientKeyExchange)
	if i < 0 {
		return nil
	}
	return s[:i+1].bytes()
}

func (s transcript) bytes() []byte {
	var all []byte
	for _, m := range s {
		all = append(all, m.raw...)
	}
	return all
}

// settled is how many messages there are before the secrets: up to ClientKeyExchange, or to
// ServerHello where a session is resumed.
func (s transcript) settled() int {
	if i := s.find(iana.ClientKeyExchange); i >= 0 {
		return i + 1
	}
	return s.find(iana.ServerHello) + 1
}

func (s transcript) log(log *trace.Log) {
	for _, m := range s {
		log.Message(m.from, m.kind, m.raw, Explain(m.kind.String()).Ref)
	}
}

// finish is one side's Finished.
type finish struct {
	from     iana.Side
	before   int    // of the messages of the transcript
	messages []byte // what it is over: these, and a Finished that the transcript lacks
	covers   string // the same in words
	said     []byte // verify_data as the transcript has it, or nil
	value    []byte // as compute has it
}

func finishedMessage(verifyData []byte) []byte {
	return append([]byte{byte(iana.Finished), 0, 0, byte(len(verifyData))}, verifyData...)
}

// finishes are the Finished of both sides, in order: what is in the transcript, and what comes
// after its end. compute gives the verify_data. A transcript that ends before there is a secret has
// none.
func (s transcript) finishes(compute func(finish) []byte) (list []finish) {
	if s.find(iana.ClientKeyExchange) < 0 && s.find(iana.Finished) < 0 ||
		s.find(iana.ServerHello) < 0 {
		return nil
	}
	var messages []byte
	end := func(from iana.Side, before int, said []byte) {
		f := finish{from: from, before: before, messages: messages,
			covers: fmt.Sprintf("messages 1-%d", before), said: said}
		if len(list) > 0 && list[0].said == nil {
			f.covers += fmt.Sprintf(" and the %v's Finished", list[0].from)
		}
		f.value = compute(f)
		list = append(list, f)
		if said == nil {
			messages = append(slices.Clip(messages), finishedMessage(f.value)...)
		}
	}
	for i, m := range s {
		switch {
		case m.kind == iana.Finished && len(list) < 2:
			end(m.from, i, m.raw[message.HeaderLen:])
		case m.kind == iana.NewSessionTicket && len(list) == 0 && s.first() == iana.Client:
			end(iana.Client, i, nil) // the ticket comes after it
		}
		messages = append(slices.Clip(messages), m.raw...)
	}
	if len(list) == 0 {
		end(s.first(), len(s), nil)
	}
	if len(list) == 1 {
		end(list[0].from.Peer(), len(s), nil)
	}
	return list
}

func (s transcript) String() string {
	var names []string
	for _, m := range s {
		names = append(names, m.kind.String())
	}
	return strings.Join(names, ", ")
}
