package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// What a Machine knows about its own side.

// Shown returns the credential that we sent in this handshake, or nil.
func (m *Machine) Shown() *pki.Credential {
	switch p := m.player.(type) {
	case *client:
		return p.certChoice.Credential
	case *server:
		if p.choice != nil {
			return p.choice.Credential
		}
	}
	return nil
}

// Origin returns the session that this handshake resumes, or nil.
func (m *Machine) Origin() *Session {
	if !m.Resumed {
		return nil
	}
	switch p := m.player.(type) {
	case *client:
		return p.Offer
	case *server:
		return p.choice.Session
	}
	return nil
}

// Greeting returns the version that a server has chosen, or will choose, and the client's
// server_name. The version is 0 before a ClientHello is received.
func (m *Machine) Greeting() (v iana.Version, name string) {
	ch, now := m.current.msg.(*message.ClientHello)
	if !now {
		ch = m.ClientHello
	}
	c := m.Config()
	if ch == nil || c == nil {
		return 0, ""
	}
	// what is malformed or has no version in common is refused when the hello is answered
	v, _ = negotiation.ChooseVersion(ch, c)
	return v, negotiation.ServerName(ch)
}
