package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// A client's part of early data.

// earlyTicket returns the ticket whose keys early data is sent under, or nil if the next hello
// offers none: only the first hello may, with the first of its keys, and for the application
// protocol of the session. See RFC 8446 §4.2.10.
func (c *client) earlyTicket(s *Score) *negotiation.Key13 {
	if !c.Sends || s.Retry != nil || len(c.offered) == 0 {
		return nil
	}
	k := c.offered[0]
	if o := k.Session; o == nil || o.MaxEarlyData == 0 ||
		c.QUIC != nil && o.MaxEarlyData != negotiation.QUICMaxEarlyData ||
		o.ALPN != "" && !slices.Contains(c.Protocols, o.ALPN) {
		return nil
	}
	return k
}

// earlyKeys returns the keys of the ticket on offer. The transcript ends with the ClientHello.
func (c *client) earlyKeys(s *Score) *earlyKeys {
	k := c.earlyTicket(s)
	if k == nil {
		return nil
	}
	return &earlyKeys{k.Early, suite.ByID13(k.Session.Suite), k.Session.MaxEarlyData,
		s.transcript.with(k.Hash, nil)}
}

// EarlyProtocol returns the application protocol of a client's early data. ok is false if it can
// send none.
func (m *Machine) EarlyProtocol() (protocol string, ok bool) {
	c, client := m.player.(*client)
	if !client || !m.early.open {
		return "", false
	}
	return c.Offer.ALPN, true
}

// outdated returns an error if a server answers early data with an earlier version: it cannot have
// decrypted the early data, and may misinterpret it. See RFC 8446 §D.3.
func (c *client) outdated(sh *message.ServerHello, s *Score) error {
	if !s.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		return nil
	}
	return alert.KindEarlyData.Fail(alert.ProtocolVersion, "RFC 8446 §D.3",
		"the server chose %v for a client with early data, which only TLS 1.3 has", sh.Version)
}

// earlyAccepted returns an error if a server accepts early data but negotiates other parameters
// than those it was sent with. See RFC 8446 §4.2.10.
func (c *client) earlyAccepted(a *negotiation.Agreed) error {
	const ref = "RFC 8446 §4.2.10"
	switch {
	case !a.EarlyData:
		return nil
	case !a.PSK || a.Identity != 0:
		return alert.KindEarlyData.Fail(alert.IllegalParameter, "RFC 8446 §4.2.11",
			"the server accepts early data, but not the ticket that protects it")
	case a.Suite.ID != c.Offer.Suite:
		return alert.KindEarlyData.Fail(alert.IllegalParameter, ref,
			"the server accepts early data sent under %v, but chose %v", c.Offer.Suite, a.Suite.ID)
	case a.ALPN != c.Offer.ALPN:
		return alert.KindEarlyData.Fail(alert.IllegalParameter, ref,
			"the server accepts early data of the protocol %q, but chose %q", c.Offer.ALPN, a.ALPN)
	}
	return nil
}
