package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

// Score is what was said and settled so far. The spine alone fills it, so that all three players decide alike.
type Score struct {
	ClientHello        *message.ClientHello
	ServerHello        *message.ServerHello
	ServerCertificate  *message.Certificate
	CertificateStatus  *message.CertificateStatus
	ServerKeyExchange  *message.ServerKeyExchange
	CertificateRequest *message.CertificateRequest
	ClientCertificate  *message.Certificate
	ClientKeyExchange  *message.ClientKeyExchange
	CertificateVerify  *message.CertificateVerify
	NewSessionTicket   *message.NewSessionTicket

	Agreed        *Agreed    // since ServerHello
	GroupName     string     // since ServerKeyExchange, of an ephemeral exchange
	Group         iana.Group // the same as a code point; 0 for a prime without a name
	VerifyData    [2][]byte  // by the side whose Finished it is
	Retried       bool       // a HelloRetryRequest was said
	EarlyAccepted bool       // the server takes early data

	Blind   bool     // an observer without a secret
	Resumed Presence // since ServerHello; May until the next message tells

	agreement  agreement
	transcript transcript
	master     keys.Master // since ClientKeyExchange, or since the server's ChangeCipherSpec
}

// note records what a side said.
func (s *Score) note(from iana.Side, msg message.Message) {
	switch m := msg.(type) {
	case *message.ClientHello:
		s.ClientHello = m
	case *message.ServerHello:
		s.ServerHello = m
	case *message.Certificate:
		if from == iana.Client {
			s.ClientCertificate = m
		} else {
			s.ServerCertificate = m
		}
	case *message.CertificateStatus:
		s.CertificateStatus = m
	case *message.ServerKeyExchange:
		s.ServerKeyExchange = m
	case *message.CertificateRequest:
		s.CertificateRequest = m
	case *message.ClientKeyExchange:
		s.ClientKeyExchange = m
	case *message.CompressedCertificate:
		inside := m.Certificate()
		if inside == nil {
			inside = &message.Certificate{}
		}
		s.note(from, inside)
	case *message.CertificateVerify:
		s.CertificateVerify = m
	case *message.NewSessionTicket:
		s.NewSessionTicket = m
	}
}

// Randoms are both nonces; they are there since ServerHello.
func (s *Score) Randoms() keys.Randoms {
	return keys.Randoms{Client: s.ClientHello.Random, Server: s.ServerHello.Random}
}

// Public is the ephemeral public key that a side sent, or nil.
func (s *Score) Public(from iana.Side) []byte {
	if from == iana.Server {
		if s.ServerKeyExchange == nil {
			return nil
		}
		return either(s.ServerKeyExchange.DHPublic, s.ServerKeyExchange.ECPublic)
	}
	if s.ClientKeyExchange == nil {
		return nil
	}
	return either(s.ClientKeyExchange.DHPublic, s.ClientKeyExchange.ECPublic)
}

// KexGroup is the group of an ephemeral exchange, as ServerKeyExchange named it; nil for another exchange.
func (s *Score) KexGroup() (kex.Group, error) {
	if s.ServerKeyExchange == nil {
		return nil, nil
	}
	return groupOf(s.Agreed.Suite.Kex, s.ServerKeyExchange, 0)
}

func either(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// groupOf is the group that a ServerKeyExchange names or spells out. Finite-field parameters pass every check of kex first.
func groupOf(k iana.KeyExchange, m *message.ServerKeyExchange, minBits int) (kex.Group, error) {
	if k.FiniteField() {
		return kex.FiniteField(m.P, m.G, minBits)
	}
	return curve(m.Group)
}
