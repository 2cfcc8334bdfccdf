package handshake

import (
	"context"
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// What a client does with pre-shared keys of TLS 1.3: offer them, compute their binders, and check
// the server's choice. See RFC 8446 §4.2.9 and §4.2.11.

// findOffer asks the program for an external key to offer. It comes first: if it has to wait,
// nothing has been decided and no random value drawn.
func (c *client) findOffer() error {
	if !c.Offers13() || c.FindKey == nil {
		return nil
	}
	_, err := c.shared13.await("a pre-shared key",
		func(ctx context.Context) ([]*negotiation.PSK, error) {
			if c.FindKeys != nil {
				return c.FindKeys(ctx)
			}
			k, err := c.FindKey(ctx, negotiation.KeyRequest{Version: iana.TLS13})
			return []*negotiation.PSK{k}, err
		})
	return err
}

// keysAlone reports whether only a pre-shared key can authenticate the server.
func (c *client) keysAlone() bool { return c.FindKey != nil && c.ServerName == "" && !c.Skip }

// gather collects the keys for the first hello: that of the session on offer, then external ones.
func (c *client) gather() error {
	if o := c.Offer; o != nil && o.IsPSK() && c.Offers13() {
		c.offered = []*negotiation.Key13{negotiation.OfTicket(o)}
	}
	for _, k := range c.shared13.value {
		if k == nil {
			continue
		}
		external, err := k.Offers(c.Suites13, c.Log)
		if err != nil {
			return err
		}
		c.offered = append(c.offered, external...)
	}
	return nil
}

// keepHash drops the keys whose hash is not that of the suite that a HelloRetryRequest chose: the
// server could not use them. See RFC 8446 §4.1.4.
func (c *client) keepHash(hash crypto.Hash) {
	c.offered = slices.DeleteFunc(c.offered,
		func(k *negotiation.Key13) bool { return k.Hash != hash })
}

// bind adds the binders of the keys on offer: for each an HMAC over the hello up to the binders,
// which are its last field. See RFC 8446 §4.2.11.2.
func (c *client) bind(m *message.ClientHello, s *Score) error {
	if len(c.offered) == 0 {
		return nil
	}
	raw, err := (message.Dialect{Version: iana.TLS12}).Encode(m)
	if err != nil {
		return err
	}
	binders := 0
	for _, k := range c.offered {
		binders += 1 + k.Hash.Size()
	}
	data := m.Extensions[len(m.Extensions)-1].Data
	at := data[len(data)-binders:]
	for _, k := range c.offered {
		known := s.transcript.with(k.Hash, raw[:len(raw)-binders-2])
		at = at[1+copy(at[1:], k.Binder(c.Log, known)):]
	}
	return nil
}

// goesOn checks that the server chose one of the keys on offer, and uses that key. See RFC 8446
// §4.2.11.
func (c *client) goesOn(a *negotiation.Agreed) error {
	const ref = "RFC 8446 §4.2.11"
	if a.Identity >= len(c.offered) {
		return alert.KindResumption.Fail(alert.IllegalParameter, ref,
			"the server chose pre-shared key %d, we offered %d", a.Identity, len(c.offered))
	}
	k := c.offered[a.Identity]
	if a.Suite.PRF != k.Hash {
		return alert.KindResumption.Fail(alert.IllegalParameter, ref,
			"the server uses a pre-shared key of %v with %v, which has another hash", k.Hash,
			a.Suite.ID)
	}
	mode := iana.PSKDHEKE
	if a.Group == 0 {
		mode = iana.PSKKE
	}
	if !slices.Contains(c.PskModes(), mode) {
		return alert.KindResumption.Fail(alert.IllegalParameter, ref,
			"the server chose %v, we offered %v", mode, c.PskModes())
	}
	c.key, c.early, c.peer = k, k.Early, Peer{PSKIdentity: k.Name}
	if k.Session != nil {
		c.peer = c.remembered
	}
	return nil
}
