package handshake

import (
	"crypto/hmac"
	"fmt"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

// What the messages so far say about the key exchange.

// Randoms returns client_random and server_random. It must not be called before ServerHello.
func (s *Score) Randoms() keys.Randoms {
	return keys.Randoms{Client: s.ClientHello.Random, Server: s.ServerHello.Random}
}

// Public returns the ephemeral public key that a side sent, or nil.
func (s *Score) Public(from iana.Side) []byte {
	if s.Agreed != nil && s.Agreed.Group != 0 {
		return s.keyShare(from)
	}
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

func either(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// keyShare returns what a side sent in key_share for the group that was negotiated, or nil.
func (s *Score) keyShare(from iana.Side) []byte {
	if from == iana.Server {
		var share message.KeyShare
		if ok, err := s.ServerHello.Extensions.Read(iana.ExtKeyShare, &share); !ok || err != nil {
			return nil
		}
		return share.KeyExchange
	}
	var shares message.KeyShares
	if ok, err := s.ClientHello.Extensions.Read(iana.ExtKeyShare, &shares); !ok || err != nil {
		return nil
	}
	for _, share := range shares.Shares {
		if share.Group == s.Agreed.Group {
			return share.KeyExchange
		}
	}
	return nil
}

// KexGroup returns the group of an ephemeral exchange, as ServerKeyExchange or the server's
// key_share names it. It returns nil for another exchange, and for a group of TLS 1.3 that is not
// implemented.
func (s *Score) KexGroup() (kex.Group, error) {
	if s.Agreed.Group != 0 {
		g, _ := kex.Named(s.Agreed.Group)
		return g, nil
	}
	if s.ServerKeyExchange == nil {
		return nil, nil
	}
	return groupOf(s.Agreed.Kex, s.ServerKeyExchange, 0)
}

// groupOf returns the group of a ServerKeyExchange, named or given by explicit parameters. Package
// kex checks finite-field parameters first.
func groupOf(k iana.KeyExchange, m *message.ServerKeyExchange, minBits int) (kex.Group, error) {
	if k.FiniteField() {
		return kex.FiniteField(m.P, m.G, minBits)
	}
	return curve(m.Group)
}

// curve returns the elliptic curve of a code point, or an error if Vitrine does not implement it.
// The code points of supported_groups also include finite fields, which are not curves.
func curve(id iana.Group) (kex.Group, error) {
	g, ok := kex.Named(id)
	if !ok || id.FiniteField() || id.Hybrid() {
		return nil, alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8422 §5.4",
			"got the group %v, expected a curve that Vitrine knows", id)
	}
	return g, nil
}

// nameGroup names the group of a ServerKeyExchange, also one that Vitrine does not implement.
func nameGroup(m *message.ServerKeyExchange) (iana.Group, string) {
	switch {
	case m == nil || m.P == nil && m.Group == 0:
		return 0, "" // it is missing
	case m.P == nil:
		return m.Group, m.Group.String()
	}
	return kex.NameOf(m.P, m.G)
}

func groupName(g iana.Group) string {
	if g == 0 {
		return ""
	}
	return g.String()
}

func isFiniteField(g kex.Group) bool {
	p, _ := kex.Params(g)
	return p != nil
}

// Exchange returns the key exchange and the authentication as a suite's name has them: "ECDHE_RSA".
func (s *Score) Exchange() string {
	kx, auth := s.Agreed.Kex.String(), s.Agreed.Auth
	switch {
	case auth == iana.AuthNone || s.Agreed.Kex.PreShared() || s.Agreed.Kex == iana.KexRSA:
		return kx
	case auth == iana.AuthAnon:
		// "DH_anon" is ephemeral, whatever its name says
		return fmt.Sprintf("%s_anon", kx[:len(kx)-1])
	}
	return fmt.Sprintf("%s_%v", kx, auth)
}

// PSKIdentity returns the identity of the pre-shared key that a server of TLS 1.3 selected, or nil.
func (s *Score) PSKIdentity() []byte {
	var offered message.OfferedPSKs
	if s.Agreed == nil || !s.Agreed.PSK {
		return nil
	}
	if ok, err := s.ClientHello.Extensions.Read(iana.ExtPreSharedKey, &offered); !ok ||
		err != nil || s.Agreed.Identity >= len(offered.Identities) {
		return nil
	}
	return offered.Identities[s.Agreed.Identity].Identity
}

// EarlyTraffic returns the client_early_traffic_secret that an observer derives from a pre-shared
// key without the key exchange: early data is not forward secret. It returns nil if there is none,
// or if the key is not that of the first identity, as its binder shows. See RFC 8446 §7.1.
func (s *Score) EarlyTraffic(psk []byte) []byte {
	if s.Retried() || !s.ResumedByPSK() || s.Agreed.Identity != 0 || !s.OfferedEarly() ||
		len(s.transcript.messages) == 0 {
		return nil
	}
	var offered message.OfferedPSKs
	raw := s.transcript.messages[0]
	_, err := s.ClientHello.Extensions.Read(iana.ExtPreSharedKey, &offered)
	binders := 2
	for _, b := range offered.Binders {
		binders += 1 + len(b)
	}
	if err != nil || len(offered.Binders) == 0 || binders > len(raw) {
		return nil
	}
	hash := func(b []byte) []byte {
		h := s.Agreed.Suite.PRF.New()
		h.Write(b)
		return h.Sum(nil)
	}
	early := keys.HKDF{Hash: s.Agreed.Suite.PRF}.Early(psk)
	for _, kind := range []keys.PSKKind{keys.ResumptionPSK, keys.ExternalPSK, keys.ImportedPSK} {
		if hmac.Equal(early.Binder(kind).VerifyData(hash(raw[:len(raw)-binders])),
			offered.Binders[0]) {
			return early.ClientTraffic(hash(raw)).Bytes()
		}
	}
	return nil
}

// RefusedEarly returns the identity of the pre-shared key under which a client sent early data that
// a HelloRetryRequest turned down, or nil. The server need not have accepted the key since.
func (s *Score) RefusedEarly() []byte {
	var offered message.OfferedPSKs
	if s.FirstHello == nil || !s.FirstHello.Extensions.Has(iana.ExtEarlyData) {
		return nil
	}
	if ok, err := s.FirstHello.Extensions.Read(iana.ExtPreSharedKey, &offered); !ok ||
		err != nil || len(offered.Identities) == 0 {
		return nil
	}
	return offered.Identities[0].Identity
}

// RefusedEarlyTraffic returns the client_early_traffic_secret of that early data, if psk is its key
// and has the hash of the suite that was negotiated: the transcript has no other hash of the first
// ClientHello. It returns nil if there is none. See RFC 8446 §4.4.1.
func (s *Score) RefusedEarlyTraffic(psk []byte) []byte {
	if s.RefusedEarly() == nil || s.Agreed == nil || len(s.transcript.messages) == 0 {
		return nil
	}
	h := s.Agreed.Suite.PRF
	first := s.transcript.messages[0] // a message_hash
	if len(first) != message.HeaderLen+h.Size() {
		return nil
	}
	return keys.HKDF{Hash: h}.Early(psk).ClientTraffic(first[message.HeaderLen:]).Bytes()
}

// ResumedByPSK reports whether a TLS 1.3 handshake resumes an earlier one or uses an external
// pre-shared key.
func (s *Score) ResumedByPSK() bool {
	return s.Agreed != nil && s.Agreed.PSK
}
