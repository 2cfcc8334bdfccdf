package vitrine_test

import (
	"crypto"
	"crypto/rsa"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// serve plays the server of RFC 5246 Figure 1 with the suite given. It ends when the other side does, or says why it could not go on.
func (s *script) serve(id iana.CipherSuite) error {
	m, _, err := s.hear()
	if err != nil {
		return err
	}
	s.hello, s.suite = m.(*message.ClientHello), suite.ByID(id)
	s.answer = &message.ServerHello{Version: iana.TLS12, CipherSuite: id}
	s.rand.Read(s.answer.Random[:])
	s.answer.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	if s.hello.Extensions.Has(iana.ExtExtendedMasterSecret) {
		s.answer.Extensions.Add(iana.ExtExtendedMasterSecret, nil)
	}
	if s.edit.answer != nil {
		s.edit.answer(s.answer)
	}
	flight := []line{s.encode(s.answer), s.encode(&message.Certificate{Chain: s.cert.Certificate})}
	if s.edit.staple != nil {
		flight = append(flight, s.encode(s.edit.staple))
	}
	var offer kex.Offer
	if s.suite.Kex.Ephemeral() {
		offer = s.offer()
		flight = append(flight, s.encode(s.ske))
	}
	if s.edit.request != nil {
		flight = append(flight, s.encode(s.edit.request))
	}
	flight = append(flight, s.encode(&message.ServerHelloDone{}))
	if s.edit.first != nil {
		flight = s.edit.first(s, flight)
	}
	if err := s.say(flight); err != nil {
		return err
	}
	if err := s.hearClient(offer); err != nil {
		return err
	}
	flight = []line{changeCipherSpec, finished}
	if s.edit.last != nil {
		flight = s.edit.last(s, flight)
	}
	return s.say(append(flight, forgedData))
}

// hearClient takes the client's second flight.
func (s *script) hearClient(offer kex.Offer) error {
	for {
		m, raw, err := s.hear()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *message.ClientKeyExchange:
			var pre []byte
			switch {
			case offer == nil:
				pre, err = kex.DecryptPreMaster(s.rand, s.cert.PrivateKey.(crypto.Decrypter), m.EncryptedPreMaster, s.hello.Version)
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
			pub := s.cert.Leaf.PublicKey
			if err := pki.Verify(pub, m.Scheme, s.transcript[:len(s.transcript)-len(raw)], m.Signature); err != nil {
				s.t.Logf("script: the client's certificate is not the server's: %v", err)
			}
		case *message.Finished:
			return nil
		}
	}
}

// offer makes ServerKeyExchange.
func (s *script) offer() kex.Offer {
	g := s.edit.group
	if g == nil {
		id := iana.X25519
		if s.suite.Kex.FiniteField() {
			id = iana.FFDHE2048
		}
		g, _ = kex.Named(id)
	}
	offer, err := g.Offer(s.rand)
	if err != nil {
		s.t.Errorf("script: %v", err)
	}
	m := &message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: g.ID(), ECPublic: offer.Share()}
	if m.P, m.G = kex.Params(g); m.P != nil {
		m.DHPublic = offer.Share()
	}
	if s.edit.params != nil {
		s.edit.params(m)
	}
	if err := m.EncodeParams(s.dialect()); err != nil {
		s.t.Errorf("script: %v", err)
	}
	m.Scheme, m.Signature = s.sign(everyScheme, pki.ServerParams(s.hello.Random, s.answer.Random, m.Params))
	if s.edit.signed != nil {
		s.edit.signed(m)
	}
	s.ske = m
	return offer
}

// call plays the client of Figure 1.
func (s *script) call(ids ...iana.CipherSuite) error {
	s.hello = &message.ClientHello{Version: iana.TLS12, CipherSuites: ids, CompressionMethods: []iana.CompressionMethod{0}}
	s.rand.Read(s.hello.Random[:])
	s.hello.Extensions.Add(iana.ExtSupportedGroups, &message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.Secp256r1}})
	s.hello.Extensions.Add(iana.ExtSignatureAlgorithms, &message.SignatureSchemes{Schemes: everyScheme})
	s.hello.Extensions.Add(iana.ExtExtendedMasterSecret, nil)
	s.hello.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	if s.edit.hello != nil {
		s.edit.hello(s.hello)
	}
	flight := []line{s.encode(s.hello)}
	if s.edit.first != nil {
		flight = s.edit.first(s, flight)
	}
	if err := s.say(flight); err != nil {
		return err
	}
	requested, err := s.hearServer()
	if err != nil {
		return err
	}
	flight = s.reply(requested)
	if s.edit.last != nil {
		flight = s.edit.last(s, flight)
	}
	if err := s.say(flight); err != nil {
		return err
	}
	for {
		m, _, err := s.hear()
		if err != nil {
			return err
		}
		if _, ok := m.(*message.Finished); ok {
			return s.say([]line{{name: "data", typ: iana.RecordApplicationData, raw: []byte("genuine")}})
		}
	}
}

// hearServer takes the server's first flight.
func (s *script) hearServer() (requested bool, err error) {
	for {
		m, _, err := s.hear()
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
			s.ske = m
		case *message.CertificateRequest:
			requested = true
		case *message.ServerHelloDone:
			return requested, nil
		}
	}
}

// reply is the client's second flight. The keys are derived on the way, so that an edited flight still has them.
func (s *script) reply(requested bool) []line {
	var flight []line
	prove := requested && !s.edit.anonymous
	if requested {
		m := &message.Certificate{}
		if prove {
			m.Chain = s.cert.Certificate
		}
		flight = append(flight, s.encode(m))
	}
	m, pre := s.keyExchange()
	if s.edit.key != nil {
		s.edit.key(m)
	}
	flight = append(flight, s.encode(m))
	honest := s.transcript
	for _, l := range flight {
		s.transcript = append(s.transcript, l.raw...)
	}
	s.derive(pre)
	if prove {
		v := &message.CertificateVerify{}
		v.Scheme, v.Signature = s.sign(everyScheme, s.transcript)
		if s.edit.verify != nil {
			s.edit.verify(v)
		}
		flight = append(flight, s.encode(v))
	}
	s.transcript = slices.Clip(honest)
	return append(flight, changeCipherSpec, finished)
}

func (s *script) keyExchange() (*message.ClientKeyExchange, []byte) {
	if s.ske == nil {
		pre, encrypted, err := kex.EncryptPreMaster(s.rand, s.peer.PublicKey.(*rsa.PublicKey), s.hello.Version)
		if err != nil {
			s.t.Errorf("script: %v", err)
		}
		return &message.ClientKeyExchange{EncryptedPreMaster: encrypted}, pre
	}
	var g kex.Group
	if s.suite.Kex.FiniteField() {
		g, _ = kex.FiniteField(s.ske.P, s.ske.G, 1024)
		a, err := g.Answer(s.rand, s.ske.DHPublic)
		if err != nil {
			s.t.Errorf("script: %v", err)
		}
		return &message.ClientKeyExchange{DHPublic: a.Share}, keys.FiniteFieldPreMaster(a.Secret)
	}
	g, _ = kex.Named(s.ske.Group)
	a, err := g.Answer(s.rand, s.ske.ECPublic)
	if err != nil {
		s.t.Errorf("script: %v", err)
	}
	return &message.ClientKeyExchange{ECPublic: a.Share}, a.Secret
}
