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

// cutTranscript splits g.Transcript into its messages and completes g with what the hellos contain.
func cutTranscript(g *Given) (transcript, error) {
	const field = "transcript"
	var messages transcript
	for at := 0; at < len(g.Transcript); {
		rest := g.Transcript[at:]
		if len(rest) < message.HeaderLen || message.Length(rest) > len(rest) {
			return nil, misfit(field,
				"byte %d: the message that begins here is longer than the %s left", at,
				octets(len(rest)))
		}
		m := handshakeMessage{kind: iana.HandshakeType(rest[0]), raw: rest[:message.Length(rest)]}
		if len(messages) == 0 && m.kind != iana.ClientHello {
			return nil, misfit(field,
				"it begins with %v, expected client_hello: give handshake messages with their "+
					"4-byte headers, and without those of records", m.kind)
		}
		if err := m.read(); err != nil {
			return nil, misfit(field, "byte %d: %v", at, err)
		}
		m.from = messages.sender(m.kind)
		messages = append(messages, m)
		at += len(m.raw)
	}
	return messages, messages.fill(g)
}

// read parses a hello.
func (m *handshakeMessage) read() error {
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

// sender returns the side that sends the next message, if it is of type t.
func (s transcript) sender(t iana.HandshakeType) iana.Side {
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

// first returns the side that sends Finished first: the client, unless a session is resumed. See
// RFC 5246 §7.3.
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

// fill completes g with what the hellos contain. Values that were given must be the same.
func (s transcript) fill(g *Given) error {
	take := func(field string, value *[]byte, content []byte) error {
		if *value != nil && string(*value) != string(content) {
			return misfit(field, "got %x, but the hello in the transcript has %x", *value, content)
		}
		*value = content
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
		return misfit("suite", "got %v, but the server's hello in the transcript chose %v",
			g.Suite, h.suite)
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

// session returns the messages up to and including ClientKeyExchange, or nil if there is none. See
// RFC 7627 §3.
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

// beforeSecrets returns the number of messages before the secrets are known: up to
// ClientKeyExchange, or up to ServerHello if a session is resumed.
func (s transcript) beforeSecrets() int {
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

// finish is the Finished of one side.
type finish struct {
	from     iana.Side
	before   int    // of the messages of the transcript
	messages []byte // what it is over: these, and a Finished that the transcript lacks
	covers   string // the same in words
	sent     []byte // verify_data as the transcript has it, or nil
	value    []byte // as compute has it
}

func finishedMessage(verifyData []byte) []byte {
	return append([]byte{byte(iana.Finished), 0, 0, byte(len(verifyData))}, verifyData...)
}

// finishes returns the Finished of both sides in order: those in the transcript, and those that
// would follow it. compute returns the verify_data. If the transcript ends before there is a
// secret, there are none.
func (s transcript) finishes(compute func(finish) []byte) (list []finish) {
	if s.find(iana.ClientKeyExchange) < 0 && s.find(iana.Finished) < 0 ||
		s.find(iana.ServerHello) < 0 {
		return nil
	}
	var messages []byte
	end := func(from iana.Side, before int, sent []byte) {
		f := finish{from: from, before: before, messages: messages,
			covers: fmt.Sprintf("messages 1-%d", before), sent: sent}
		if len(list) > 0 && list[0].sent == nil {
			f.covers += fmt.Sprintf(" and the %v's Finished", list[0].from)
		}
		f.value = compute(f)
		list = append(list, f)
		if sent == nil {
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
