package script

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// Serve performs the server's side of RFC 5246 Figure 1 with the suite id. It returns when the
// client has finished, or why it could not go on.
func (s *Peer) Serve(id iana.CipherSuite) error {
	m, _, err := s.Receive()
	if err != nil {
		return err
	}
	s.answerHello(m, &message.ServerHello{Version: iana.TLS12, CipherSuite: id})
	flight := []Item{s.Encode(s.answer), s.Encode(&message.Certificate{Chain: s.Cert.Certificate})}
	if s.Edit.Staple != nil {
		flight = append(flight, s.Encode(s.Edit.Staple))
	}
	var offer kex.Offer
	if s.suite.Ephemeral() {
		offer = s.offer()
		flight = append(flight, s.Encode(s.ServerKeyExchange))
	}
	if s.Edit.Request != nil {
		flight = append(flight, s.Encode(s.Edit.Request))
	}
	flight = append(flight, s.Encode(&message.ServerHelloDone{}))
	if err := s.sendFirst(flight); err != nil {
		return err
	}
	if err := s.receiveClient(offer); err != nil {
		return err
	}
	flight = []Item{ChangeCipherSpec, Finished}
	if s.Edit.Last != nil {
		flight = s.Edit.Last(s, flight)
	}
	return s.Send(append(flight, ForgedData))
}

// answerHello takes a ClientHello, and completes the ServerHello that answers it.
func (s *Peer) answerHello(hello message.Message, answer *message.ServerHello) {
	s.Hello, s.suite = hello.(*message.ClientHello), suite.ByID(answer.CipherSuite)
	s.answer = answer
	s.rand.Read(answer.Random[:])
	answer.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	if s.Hello.Extensions.Has(iana.ExtExtendedMasterSecret) {
		answer.Extensions.Add(iana.ExtExtendedMasterSecret, nil)
	}
	if s.Edit.Answer != nil {
		s.Edit.Answer(answer)
	}
}

// receiveClient receives the client's second flight.
func (s *Peer) receiveClient(offer kex.Offer) error {
	for {
		m, raw, err := s.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *message.ClientKeyExchange:
			var pre []byte
			switch {
			case offer == nil:
				pre, err = kex.DecryptPreMaster(s.rand, s.Cert.PrivateKey.(crypto.Decrypter),
					m.EncryptedPreMaster, s.Hello.Version)
			case m.DHPublic != nil:
				pre, err = offer.Finish(m.DHPublic)
				pre = keys.FiniteFieldPreMaster(pre)
			default:
				pre, err = offer.Finish(m.ECPublic)
			}
			if err != nil {
				return err
			}
			s.derive(pre)
		case *message.CertificateVerify:
			pub := s.Cert.Leaf.PublicKey
			if err := pki.Verify(pub, m.Scheme, s.Transcript[:len(s.Transcript)-len(raw)],
				m.Signature); err != nil {
				s.Fail(fmt.Errorf("the client's CertificateVerify: %w", err))
			}
		case *message.Finished:
			return nil
		}
	}
}

// offer generates a key pair and makes the ServerKeyExchange with it.
func (s *Peer) offer() kex.Offer {
	g := s.Edit.Group
	if g == nil {
		id := iana.X25519
		if s.suite.FiniteField() {
			id = iana.FFDHE2048
		}
		g, _ = kex.Named(id)
	}
	offer, err := g.Offer(s.rand)
	if err != nil {
		s.Fail(err)
	}
	m := &message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: g.ID(),
		ECPublic: offer.Share()}
	if m.P, m.G = kex.Params(g); m.P != nil {
		m.DHPublic = offer.Share()
	}
	if s.Edit.Params != nil {
		s.Edit.Params(m)
	}
	if err := m.EncodeParams(s.dialect()); err != nil {
		s.Fail(err)
	}
	m.Scheme, m.Signature = s.sign(AllSchemes,
		pki.ServerParams(s.Hello.Random, s.answer.Random, m.Params))
	if s.Edit.Signed != nil {
		s.Edit.Signed(m)
	}
	s.ServerKeyExchange = m
	return offer
}

// addOffers adds the extensions that each ClientHello has.
func (s *Peer) addOffers() {
	s.Hello.Extensions.Add(iana.ExtSupportedGroups,
		&message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.Secp256r1}})
	s.Hello.Extensions.Add(iana.ExtSignatureAlgorithms,
		&message.SignatureSchemes{Schemes: AllSchemes})
	s.Hello.Extensions.Add(iana.ExtExtendedMasterSecret, nil)
	s.Hello.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
}

// sendFirst sends a side's first flight, as Edit changes it.
func (s *Peer) sendFirst(flight []Item) error {
	if s.Edit.First != nil {
		flight = s.Edit.First(s, flight)
	}
	return s.Send(flight)
}

// Connect performs the client's side of RFC 5246 Figure 1.
func (s *Peer) Connect(ids ...iana.CipherSuite) error {
	s.Hello = &message.ClientHello{Version: iana.TLS12, CipherSuites: ids,
		CompressionMethods: []iana.CompressionMethod{0}}
	s.rand.Read(s.Hello.Random[:])
	s.addOffers()
	if s.Edit.Hello != nil {
		s.Edit.Hello(s.Hello)
	}
	flight := []Item{s.Encode(s.Hello)}
	if err := s.sendFirst(flight); err != nil {
		return err
	}
	requested, err := s.receiveServer()
	if err != nil {
		return err
	}
	flight = s.reply(requested)
	if s.Edit.Last != nil {
		flight = s.Edit.Last(s, flight)
	}
	if err := s.Send(flight); err != nil {
		return err
	}
	if err := s.receiveFinished(); err != nil {
		return err
	}
	return s.Send([]Item{{Name: "data", Type: iana.RecordApplicationData, Raw: []byte("genuine")}})
}

// receiveServer receives the server's first flight, and reports whether it requests a certificate.
func (s *Peer) receiveServer() (requested bool, err error) {
	for {
		m, _, err := s.Receive()
		if err != nil {
			return false, err
		}
		switch m := m.(type) {
		case *message.ServerHello:
			s.answer, s.suite = m, suite.ByID(m.CipherSuite)
		case *message.Certificate:
			chain, err := pki.ParseChain(m.Chain)
			if err != nil {
				return false, err
			}
			s.peer = chain.Leaf()
		case *message.ServerKeyExchange:
			s.ServerKeyExchange = m
		case *message.CertificateRequest:
			requested = true
		case *message.ServerHelloDone:
			return requested, nil
		}
	}
}

// reply returns the client's second flight. It derives the keys before an edit of the flight.
func (s *Peer) reply(requested bool) []Item {
	var flight []Item
	prove := requested && !s.Edit.Anonymous
	if requested {
		m := &message.Certificate{}
		if prove {
			m.Chain = s.Cert.Certificate
		}
		flight = append(flight, s.Encode(m))
	}
	m, pre := s.keyExchange()
	if s.Edit.Key != nil {
		s.Edit.Key(m)
	}
	flight = append(flight, s.Encode(m))
	honest := s.Transcript
	for _, l := range flight {
		s.Transcript = append(s.Transcript, l.Raw...)
	}
	s.derive(pre)
	if prove {
		v := &message.CertificateVerify{}
		v.Scheme, v.Signature = s.sign(AllSchemes, s.Transcript)
		if s.Edit.Verify != nil {
			s.Edit.Verify(v)
		}
		flight = append(flight, s.Encode(v))
	}
	s.Transcript = slices.Clip(honest)
	return append(flight, ChangeCipherSpec, Finished)
}

func (s *Peer) keyExchange() (*message.ClientKeyExchange, []byte) {
	if s.ServerKeyExchange == nil {
		pre, encrypted,
			err := kex.EncryptPreMaster(s.rand, s.peer.PublicKey.(*rsa.PublicKey), s.Hello.Version)
		if err != nil {
			s.Fail(err)
		}
		return &message.ClientKeyExchange{EncryptedPreMaster: encrypted}, pre
	}
	var g kex.Group
	if s.suite.FiniteField() {
		g, _ = kex.FiniteField(s.ServerKeyExchange.P, s.ServerKeyExchange.G, 1024)
		a, err := g.Answer(s.rand, s.ServerKeyExchange.DHPublic)
		if err != nil {
			s.Fail(err)
		}
		return &message.ClientKeyExchange{DHPublic: a.Share}, keys.FiniteFieldPreMaster(a.Secret)
	}
	g, _ = kex.Named(s.ServerKeyExchange.Group)
	a, err := g.Answer(s.rand, s.ServerKeyExchange.ECPublic)
	if err != nil {
		s.Fail(err)
	}
	return &message.ClientKeyExchange{ECPublic: a.Share}, a.Secret
}
