package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// Score is what was sent, received and negotiated so far. Only the spine fills it, so that client,
// server and observer decide alike.
type Score struct {
	// The hellos. ClientHello is the last one; FirstHello and Retry are there if a
	// HelloRetryRequest came between.
	FirstHello, ClientHello *message.ClientHello
	Retry, ServerHello      *message.ServerHello

	// the HelloRetryRequest was sent on another connection: a cookie holds what it was
	Restored bool

	EncryptedExtensions *message.EncryptedExtensions
	Certificate         [2]*message.Certificate // by side
	CertificateStatus   *message.CertificateStatus
	ServerKeyExchange   *message.ServerKeyExchange
	CertificateRequest  *message.CertificateRequest
	ClientKeyExchange   *message.ClientKeyExchange
	CertificateVerify   [2]*message.CertificateVerify // by side
	NewSessionTicket    *message.NewSessionTicket     // until TLS 1.2

	Agreed *negotiation.Agreed // since ServerHello
	// of an ephemeral exchange, since ServerKeyExchange or, in TLS 1.3, ServerHello
	GroupName  string
	Group      iana.Group // the same as a code point; 0 for a prime without a name
	VerifyData [2][]byte  // by the side whose Finished it is

	Resumed bool // a session is resumed; known since ServerHello, unless Undecided
	// an observer's: only the server's next message tells whether a session is resumed
	Undecided bool
	Blind     [2]bool // an observer's, by side: its messages cannot be read

	quic       bool   // there are no records: see QUIC
	checking   []byte // the message that a player checks, as it was sent
	negotiated negotiatedParameters
	transcript transcript
	secrets    secrets // since the key exchange; nil before, and for an observer without a secret
}

// note records a message that a side sent.
func (s *Score) note(from iana.Side, msg message.Message) {
	switch m := msg.(type) {
	case *message.ClientHello:
		if s.Retry != nil {
			s.FirstHello = s.ClientHello
		}
		s.ClientHello = m
	case *message.ServerHello:
		if m.IsRetry() {
			s.Retry = m
		} else {
			s.ServerHello = m
		}
	case *message.EncryptedExtensions:
		s.EncryptedExtensions = m
	case *message.Certificate:
		s.Certificate[from] = m
	case *message.CompressedCertificate:
		if s.Certificate[from] = m.Certificate(); s.Certificate[from] == nil {
			s.Certificate[from] = &message.Certificate{}
		}
	case *message.CertificateStatus:
		s.CertificateStatus = m
	case *message.ServerKeyExchange:
		s.ServerKeyExchange = m
	case *message.CertificateRequest:
		s.CertificateRequest = m
	case *message.ClientKeyExchange:
		s.ClientKeyExchange = m
	case *message.CertificateVerify:
		s.CertificateVerify[from] = m
	case *message.NewSessionTicket:
		s.NewSessionTicket = m
	}
}

// forget drops the messages, and a client's or a server's secrets that protect no data. What was
// negotiated stays.
func (s *Score) forget(live bool) {
	kept := Score{Agreed: s.Agreed, GroupName: s.GroupName, Group: s.Group,
		VerifyData: s.VerifyData,
		Resumed:    s.Resumed, Blind: s.Blind, CertificateStatus: s.CertificateStatus,
		secrets: s.secrets, quic: s.quic}
	// the staple and the timestamps of TLS 1.3
	if c := s.Certificate[iana.Server]; c != nil && len(c.Leaf()) > 0 {
		kept.Certificate[iana.Server] = &message.Certificate{Extensions: c.Extensions[:1]}
	}
	if live {
		s.secrets.forget()
	} else { // an observer looks for secrets by the randoms
		kept.ClientHello = &message.ClientHello{Random: s.ClientHello.Random}
		kept.ServerHello = &message.ServerHello{Random: s.ServerHello.Random}
	}
	if s.Retry != nil {
		kept.Retry = &message.ServerHello{}
	}
	if s.CertificateRequest != nil {
		kept.CertificateRequest = &message.CertificateRequest{}
	}
	*s = kept
}

// Retried reports whether the server asked for a second ClientHello.
func (s *Score) Retried() bool { return s.Retry != nil }

// TLS13 reports whether the handshake is known to be TLS 1.3.
func (s *Score) TLS13() bool {
	return s.Retried() || s.Agreed != nil && s.Agreed.Version == iana.TLS13
}

// Staple returns the OCSP response that came with the server's certificate, or nil.
func (s *Score) Staple() []byte {
	if s.CertificateStatus != nil {
		return s.CertificateStatus.Response
	}
	var m message.CertificateStatus
	if c := s.Certificate[iana.Server]; c != nil {
		_, _ = c.Leaf().Read(iana.ExtStatusRequest, &m) // it was checked
	}
	return m.Response
}

// Timestamps returns the SCTs that came with the server's certificate, or nil.
func (s *Score) Timestamps() [][]byte {
	var m message.SCTs
	if c := s.Certificate[iana.Server]; c != nil {
		if sent, _ := c.Leaf().Read(iana.ExtSCT, &m); sent { // it was checked
			return m.List
		}
	}
	if s.Agreed == nil {
		return nil
	}
	return s.Agreed.SCTs
}

// EarlyAccepted reports whether the server accepts early data.
func (s *Score) EarlyAccepted() bool { return s.Agreed != nil && s.Agreed.EarlyData }

// OfferedEarly reports whether the client offered early data. See RFC 8446 §4.2.10.
func (s *Score) OfferedEarly() bool {
	return s.FirstHello != nil && s.FirstHello.Extensions.Has(iana.ExtEarlyData) ||
		s.ClientHello != nil && s.ClientHello.Extensions.Has(iana.ExtEarlyData)
}

// Secret returns the secret of a later resumption: the master_secret, or in TLS 1.3 the PSK of the
// ticket with a nonce. It is nil until it is known.
func (s *Score) Secret(nonce []byte) []byte {
	if s.secrets == nil {
		return nil
	}
	return s.secrets.session(nonce)
}

// negotiatedParameters is the cached result of negotiate: the check of a ServerHello and its effect
// both need it.
type negotiatedParameters struct {
	hello *message.ServerHello
	rest  *message.EncryptedExtensions
	*negotiation.Agreed
}

// negotiate returns the parameters that ClientHello, sh and, in TLS 1.3, ee negotiate. It changes
// only its cache: sh may be a message that is about to be sent.
func (s *Score) negotiate(sh *message.ServerHello,
	ee *message.EncryptedExtensions) (*negotiation.Agreed, error) {
	if s.negotiated.hello != sh || s.negotiated.rest != ee {
		a, err := negotiation.Agree(s.ClientHello, sh, ee)
		if err != nil {
			return nil, err
		}
		s.negotiated = negotiatedParameters{sh, ee, a}
	}
	return s.negotiated.Agreed, nil
}

// Session is the state from which a later connection resumes. See package session.
type Session = session.Session

// knowsRequests reports whether TLS 1.2 or older may be negotiated: TLS 1.3 has no HelloRequest. An
// observer, which has no configuration, does not know. See RFC 8446 §4.
func knowsRequests(c *negotiation.Config) bool { return c == nil || c.MinVersion < iana.TLS13 }
