package handshake

import (
	"context"
	"crypto/subtle"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// What a server does with the pre-shared keys of a client of TLS 1.3: find one that fits, and check
// that the client knows it. See RFC 8446 §4.2.9 and §4.2.11.

// maxIdentities is how many of a client's identities are tried. Each may cost a decryption and two
// callbacks, and the client is not authenticated yet.
const maxIdentities = 4

// offeredKeys returns the client's identities, the length in bytes of the binders that end its
// hello, and the key exchange mode. psks is nil if no key can be used.
func (v *server) offeredKeys(ch *message.ClientHello) (psks *message.OfferedPSKs, binders int,
	mode iana.PSKKeyExchangeMode, err error) {
	const ref = "RFC 8446 §4.2.11"
	psks = &message.OfferedPSKs{}
	sent, err := negotiation.Read(ch.Extensions, iana.ExtPreSharedKey, psks)
	if !sent || err != nil {
		return nil, 0, 0, err
	}
	if ch.Extensions[len(ch.Extensions)-1].Type != iana.ExtPreSharedKey {
		return nil, 0, 0, alert.KindExtension.Fail(alert.IllegalParameter, ref,
			"the client's pre_shared_key is not its last extension")
	}
	if len(psks.Identities) != len(psks.Binders) {
		return nil, 0, 0, alert.KindMalformed.Fail(alert.IllegalParameter, ref,
			"%d identities and %d binders", len(psks.Identities), len(psks.Binders))
	}
	var modes message.PSKKeyExchangeModes
	if sent, err := negotiation.Read(ch.Extensions, iana.ExtPSKKeyExchangeModes,
		&modes); err != nil {
		return nil, 0, 0, err
	} else if !sent {
		return nil, 0, 0, alert.KindMissing.Fail(alert.MissingExtension, "RFC 8446 §4.2.9",
			"the client sends pre_shared_key without psk_key_exchange_modes")
	}
	binders = 2
	for _, b := range psks.Binders {
		binders += 1 + len(b)
	}
	mode, common := v.CommonMode(modes.Modes)
	if !common || !(v.Tickets && v.Open != nil) && v.Find == nil && v.FindKey == nil {
		return nil, 0, 0, nil
	}
	return psks, binders, mode, nil
}

// selectKey finds the first identity of the client whose key can be used with one of the suites,
// and checks that the client knows the key. If no key is used, an event gives the reason. A wrong
// binder ends the handshake before anything else in the hello has an effect.
func (v *server) selectKey(ch *message.ClientHello, h *negotiation.Hello13, got *negotiation.Choice,
	suites []*suite.Suite, s *Score) error {
	// from a first hello, whose key the second may leave out
	v.early, v.peer, v.skew, v.unfit = nil, Peer{}, 0, nil
	psks, binders, mode, err := v.offeredKeys(ch)
	if psks == nil || err != nil {
		return err
	}
	for i, identity := range psks.Identities[:min(len(psks.Identities), maxIdentities)] {
		k, err := v.keyOf(identity.Identity)
		if err != nil {
			return err
		}
		row, why, ref := v.unfitKey(k, suites, ch, h)
		if why != "" {
			v.Log.Choice("session", k.What(), "a full handshake", why, ref)
			v.peer = Peer{}
			if i == 0 {
				v.unfit = &reason{why, ref}
			}
			continue
		}
		known := s.transcript.with(k.Hash, s.checking[:len(s.checking)-binders])
		if subtle.ConstantTimeCompare(k.Binder(v.Log, known), psks.Binders[i]) != 1 {
			return alert.KindFinished.Fail(alert.DecryptError, "RFC 8446 §4.2.11",
				"the client's binder does not match its hello")
		}
		v.Log.Choice("session", k.What(), mode.String(),
			"known, fresh, and bound to a suite in common", "RFC 8446 §4.2.11")
		got.Suite, got.Key, got.Session, got.Identity, got.Mode = row, k, k.Session, i, mode
		v.early, v.ids, v.skew = k.Early, nil, v.skewOf(identity, k.Session)
		if k.Session != nil && len(k.Session.ID) > 0 {
			v.ids = [][]byte{k.Session.ID} // to withdraw: tickets of our own follow
		}
		return nil
	}
	return nil
}

// keyOf finds the key of an identity, once for both hellos: that of one of our tickets, or an
// external one. It returns nil if there is none.
func (v *server) keyOf(identity []byte) (*negotiation.Key13, error) {
	if v.opened == nil {
		v.opened = map[string]*slow[*negotiation.Key13]{}
	}
	o := v.opened[string(identity)]
	if o == nil {
		o = &slow[*negotiation.Key13]{}
		v.opened[string(identity)] = o
	}
	return o.await("a pre-shared key", func(ctx context.Context) (*negotiation.Key13, error) {
		s, err := v.openTicket13(ctx, identity)
		if err = v.spare(ctx, "opening a ticket", err); err != nil {
			return nil, err
		}
		if s != nil {
			return v.keyOfTicket(ctx, s)
		}
		return v.External(ctx, identity)
	})
}

// keyOfTicket returns the key of a ticket that was opened. A session that began with a pre-shared
// key ends with that key.
func (v *server) keyOfTicket(ctx context.Context, s *Session) (*negotiation.Key13, error) {
	if !s.IsPSK() || suite.ByID13(s.Suite) == nil {
		return &negotiation.Key13{Session: s}, nil // unfitKey returns why not
	}
	k := negotiation.OfTicket(s)
	if len(s.PSKIdentity) == 0 {
		return k, nil
	}
	origin, err := v.External(ctx, s.PSKIdentity)
	if origin == nil || err != nil {
		return nil, err
	}
	k.Name = origin.Name
	return k, nil
}

// unfitKey returns why a key is not used, or "" and the first of the suites that has its hash.
func (v *server) unfitKey(k *negotiation.Key13, suites []*suite.Suite, ch *message.ClientHello,
	h *negotiation.Hello13) (row *suite.Suite, why, ref string) {
	if k == nil {
		return nil, "neither a ticket key of ours nor the program knows it", "RFC 8446 §4.2.11"
	}
	if k.Session != nil && !k.Session.IsPSK() {
		return nil, "it was made with another version", "RFC 8446 §4.6.1"
	}
	at := slices.IndexFunc(suites, func(s *suite.Suite) bool { return s.PRF == k.Hash })
	if at < 0 {
		return nil, "its hash is not that of a cipher suite in common", "RFC 8446 §4.2.11"
	}
	if k.Session == nil {
		v.peer = Peer{PSKIdentity: k.Name}
		return suites[at], "", ""
	}
	if why, ref = v.Unfit(k.Session, &negotiation.Greeting{Hello: ch,
		ServerName: h.Wishes.Name, Version: iana.TLS13}); why != "" {
		return nil, why, ref
	}
	if err := v.restorePeer(iana.Client, k.Session); err != nil {
		return nil, "the client's certificate is no longer accepted", "RFC 8446 §4.6.1"
	}
	v.peer.PSKIdentity = k.Name
	return suites[at], "", ""
}
