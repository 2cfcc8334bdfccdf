package vitrine_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// What scripts know of sessions: RFC 5246 Figure 2 by hand.

// A memory is what a client has of a session: the cache that holds it, and what a script needs to play either side of it.
type memory struct {
	cache  vitrine.ClientSessionCache
	ticket []byte
	id     []byte
	master []byte
	suite  iana.CipherSuite

	encoded []byte // what SessionState.Bytes says
}

// sessionIn is what follows the session ID and the ticket's deadline.
func sessionIn(encoded []byte) []byte { return encoded[1+int(encoded[0])+8:] }

// remember makes a session by a full handshake of these two.
func remember(t *testing.T, client, server *vitrine.Config) *memory {
	t.Helper()
	cache := vitrine.NewLRUClientSessionCache(1)
	log := &bytes.Buffer{}
	client = client.Clone()
	client.ClientSessionCache, client.KeyLogWriter = cache, log
	c, s := pair(t, client, server)
	if s.ConnectionState().DidResume {
		t.Fatal("the first connection was resumed")
	}
	m := &memory{cache: cache, suite: iana.CipherSuite(c.ConnectionState().CipherSuite)}
	var random []byte
	if _, err := fmt.Sscanf(log.String(), "CLIENT_RANDOM %x %x", &random, &m.master); err != nil {
		t.Fatal(err)
	}
	kept, ok := cache.Get(name)
	if !ok {
		t.Fatal("no session was kept")
	}
	ticket, state, err := kept.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := state.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	m.ticket, m.id, m.encoded = ticket, encoded[1:1+encoded[0]], encoded
	c.Close()
	s.Close()
	return m
}

// recall takes the keys from a master_secret that is known already.
func (s *script) recall(master []byte) error {
	var err error
	prf := keys.PRF{Hash: s.suite.PRF}
	if s.master, err = prf.Restore(bytes.Clone(master)); err != nil {
		return err
	}
	s.block = s.master.KeyBlock(s.suite.Shape(iana.TLS12), keys.Randoms{Client: s.hello.Random, Server: s.answer.Random})
	return nil
}

// serveAgain plays the server of Figure 2. Its first flight is edited by edits.first.
func (s *script) serveAgain(m *memory) error {
	said, _, err := s.hear()
	if err != nil {
		return err
	}
	s.hello, s.suite = said.(*message.ClientHello), suite.ByID(m.suite)
	s.answer = &message.ServerHello{Version: iana.TLS12, CipherSuite: m.suite, SessionID: s.hello.SessionID}
	s.rand.Read(s.answer.Random[:])
	s.answer.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	if s.hello.Extensions.Has(iana.ExtExtendedMasterSecret) {
		s.answer.Extensions.Add(iana.ExtExtendedMasterSecret, nil)
	}
	if s.edit.answer != nil {
		s.edit.answer(s.answer)
	}
	if err := s.recall(m.master); err != nil {
		return err
	}
	flight := []line{s.encode(s.answer), changeCipherSpec, finished}
	if s.edit.first != nil {
		flight = s.edit.first(s, flight)
	}
	if err := s.say(flight); err != nil {
		return err
	}
	for {
		said, _, err := s.hear()
		if err != nil {
			return err
		}
		if _, ok := said.(*message.Finished); ok {
			return s.say([]line{forgedData})
		}
	}
}

// offerSession says a ClientHello that offers to resume.
func (s *script) offerSession(m *memory, ids ...iana.CipherSuite) error {
	s.hello = &message.ClientHello{Version: iana.TLS12, CipherSuites: ids, CompressionMethods: []iana.CompressionMethod{0}, SessionID: m.id}
	s.rand.Read(s.hello.Random[:])
	s.hello.Extensions.Add(iana.ExtServerName, &message.ServerNames{Names: []message.ServerName{{Name: []byte(name)}}})
	s.hello.Extensions.Add(iana.ExtSupportedGroups, &message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.Secp256r1}})
	s.hello.Extensions.Add(iana.ExtSignatureAlgorithms, &message.SignatureSchemes{Schemes: everyScheme})
	s.hello.Extensions.Add(iana.ExtExtendedMasterSecret, nil)
	s.hello.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	if m.ticket != nil {
		s.hello.SessionID = bytes.Repeat([]byte{7}, 32) // RFC 5077 §3.4
		s.hello.Extensions = append(s.hello.Extensions, message.Extension{Type: iana.ExtSessionTicket, Data: m.ticket})
	}
	if s.edit.hello != nil {
		s.edit.hello(s.hello)
	}
	return s.say([]line{s.encode(s.hello)})
}

// callAgain plays a client that offers to resume: the client of Figure 2 if the server agrees, otherwise that of Figure 1.
func (s *script) callAgain(m *memory, ids ...iana.CipherSuite) error {
	if err := s.offerSession(m, ids...); err != nil {
		return err
	}
	said, _, err := s.hear()
	if err != nil {
		return err
	}
	s.answer = said.(*message.ServerHello)
	s.suite = suite.ByID(s.answer.CipherSuite)
	resumed := bytes.Equal(s.answer.SessionID, s.hello.SessionID)
	if len(s.hello.SessionID) == 0 { // RFC 5077 §3.4: only the next message tells
		if resumed, err = s.nextIs(iana.RecordChangeCipherSpec); err != nil {
			return err
		}
	}
	var flight []line
	if resumed {
		if err := s.recall(m.master); err != nil {
			return err
		}
		flight = []line{changeCipherSpec, finished}
		s.hearFinished() // which it cannot read without the master_secret: it goes on
	} else {
		var requested bool
		if requested, err = s.hearServer(); err == nil {
			flight = s.reply(requested)
		}
	}
	if err != nil {
		return err
	}
	abbreviated := len(flight) == 2
	if s.edit.last != nil {
		flight = s.edit.last(s, flight)
	}
	if err := s.say(flight); err != nil {
		return err
	}
	if !abbreviated {
		if err := s.hearFinished(); err != nil {
			return err
		}
	}
	return s.say([]line{{name: "data", typ: iana.RecordApplicationData, raw: []byte("genuine")}})
}

// nextIs reports whether the next record has this type, and leaves it to be read.
func (s *script) nextIs(t iana.ContentType) (bool, error) {
	for len(s.bytes) == 0 && len(s.messages) == 0 {
		b := make([]byte, 1<<15)
		n, err := s.conn.Read(b)
		if s.bytes = b[:n]; err != nil {
			return false, err
		}
	}
	return len(s.messages) == 0 && s.bytes[0] == byte(t), nil
}

func (s *script) hearFinished() error {
	for {
		said, _, err := s.hear()
		if err != nil {
			return err
		}
		if _, ok := said.(*message.Finished); ok {
			return nil
		}
	}
}
