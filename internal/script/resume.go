package script

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// A Session is what a Peer needs for either side of RFC 5246 Figure 2, the abbreviated handshake.
type Session struct {
	ServerName string
	Ticket     []byte // nil: the session is found by its ID
	ID         []byte
	Master     []byte // the master_secret
	Suite      iana.CipherSuite
}

// restoreMaster derives the keys from the master_secret of an earlier session.
func (s *Peer) restoreMaster(master []byte) error {
	var err error
	prf := keys.PRF{Hash: s.suite.PRF}
	if s.master, err = prf.Restore(bytes.Clone(master)); err != nil {
		return err
	}
	s.block = s.master.KeyBlock(s.suite.Shape(iana.TLS12),
		keys.Randoms{Client: s.Hello.Random, Server: s.answer.Random})
	return nil
}

// ServeResumed performs the server's side of Figure 2. Edits.First edits its flight.
func (s *Peer) ServeResumed(m *Session) error {
	msg, _, err := s.Receive()
	if err != nil {
		return err
	}
	s.answerHello(msg, &message.ServerHello{Version: iana.TLS12, CipherSuite: m.Suite,
		SessionID: msg.(*message.ClientHello).SessionID})
	if err := s.restoreMaster(m.Master); err != nil {
		return err
	}
	flight := []Item{s.Encode(s.answer), ChangeCipherSpec, Finished}
	if err := s.sendFirst(flight); err != nil {
		return err
	}
	if err := s.receiveFinished(); err != nil {
		return err
	}
	return s.Send([]Item{ForgedData})
}

// OfferSession sends a ClientHello that offers to resume.
func (s *Peer) OfferSession(m *Session, ids ...iana.CipherSuite) error {
	s.Hello = &message.ClientHello{Version: iana.TLS12, CipherSuites: ids,
		CompressionMethods: []iana.CompressionMethod{0}, SessionID: m.ID}
	s.rand.Read(s.Hello.Random[:])
	s.Hello.Extensions.Add(iana.ExtServerName,
		&message.ServerNames{Names: []message.ServerName{{Name: []byte(m.ServerName)}}})
	s.addOffers()
	if m.Ticket != nil {
		s.Hello.SessionID = bytes.Repeat([]byte{7}, 32) // RFC 5077 §3.4
		s.Hello.Extensions = append(s.Hello.Extensions,
			message.Extension{Type: iana.ExtSessionTicket, Data: m.Ticket})
	}
	if s.Edit.Hello != nil {
		s.Edit.Hello(s.Hello)
	}
	return s.Send([]Item{s.Encode(s.Hello)})
}

// Resume performs the side of a client that offers to resume: that of Figure 2 if the server
// agrees, otherwise that of Figure 1.
func (s *Peer) Resume(m *Session, ids ...iana.CipherSuite) error {
	if err := s.OfferSession(m, ids...); err != nil {
		return err
	}
	said, _, err := s.Receive()
	if err != nil {
		return err
	}
	s.answer = said.(*message.ServerHello)
	s.suite = suite.ByID(s.answer.CipherSuite)
	resumed := bytes.Equal(s.answer.SessionID, s.Hello.SessionID)
	if len(s.Hello.SessionID) == 0 { // RFC 5077 §3.4: only the next message tells
		if resumed, err = s.nextIs(iana.RecordChangeCipherSpec); err != nil {
			return err
		}
	}
	var flight []Item
	if resumed {
		if err := s.restoreMaster(m.Master); err != nil {
			return err
		}
		flight = []Item{ChangeCipherSpec, Finished}
		s.receiveFinished() // which it cannot read without the master_secret: it goes on
	} else {
		var requested bool
		if requested, err = s.receiveServer(); err == nil {
			flight = s.reply(requested)
		}
	}
	if err != nil {
		return err
	}
	abbreviated := len(flight) == 2
	if s.Edit.Last != nil {
		flight = s.Edit.Last(s, flight)
	}
	if err := s.Send(flight); err != nil {
		return err
	}
	if !abbreviated {
		if err := s.receiveFinished(); err != nil {
			return err
		}
	}
	return s.Send([]Item{{Name: "data", Type: iana.RecordApplicationData, Raw: []byte("genuine")}})
}

// nextIs reports whether the next record has this type, and leaves it to be read.
func (s *Peer) nextIs(t iana.ContentType) (bool, error) {
	for len(s.bytes) == 0 && len(s.messages) == 0 {
		b := make([]byte, 1<<15)
		n, err := s.conn.Read(b)
		if s.bytes = b[:n]; err != nil {
			return false, err
		}
	}
	return len(s.messages) == 0 && s.bytes[0] == byte(t), nil
}

func (s *Peer) receiveFinished() error {
	for {
		said, _, err := s.Receive()
		if err != nil {
			return err
		}
		if _, ok := said.(*message.Finished); ok {
			return nil
		}
	}
}
