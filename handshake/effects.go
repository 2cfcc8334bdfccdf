package handshake

import (
	"errors"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// The effects of lines: what changes once a message was sent or received. They are the same in all
// three roles.

// retry is the effect of a HelloRetryRequest: in the transcript, the first ClientHello is replaced
// by its hash. See RFC 8446 §4.4.1.
func retry(m *Machine) error {
	s, err := negotiation.SuiteOf(m.Retry.CipherSuite, iana.TLS13)
	if err != nil {
		return err
	}
	m.transcript.retry(s.PRF)
	a := undecided13(s)
	a.EarlyOffered = m.ClientHello.Extensions.Has(iana.ExtEarlyData)
	if a.EarlyOffered {
		if m.early.open { // the second hello goes in the clear
			if err := m.carrier.Protect(iana.Client, nil); err != nil {
				return err
			}
		}
		m.closeEarly() // RFC 8446 §4.2.10: a retry accepts none
	}
	m.carrier.SetNegotiated(a)
	m.compat()
	return nil
}

// negotiate computes the negotiated parameters from both hellos, and starts the transcript's hash.
// What follows is the protocol's. It may be called again, after a Pending.
func negotiate(m *Machine) (err error) {
	if m.Agreed, err = m.negotiate(m.ServerHello, nil); err != nil {
		return err
	}
	m.transcript.start(m.Agreed.Suite.PRFHash(m.Agreed.Version))
	m.carrier.SetNegotiated(m.Agreed)
	return m.protocol.begin(m)
}

// begin12 ends early data, which only a server of TLS 1.3 can accept.
func begin12(m *Machine) error {
	if m.early.status == EarlyPending {
		m.closeEarly()
	}
	if !m.Agreed.Kex.Ephemeral() || m.Resumed {
		m.logAgreed("RFC 5246 §7.4.1.3")
	}
	return nil
}

// begin13 derives the first keys, which may be Pending.
func begin13(m *Machine) error {
	m.Group, m.GroupName = m.Agreed.Group, groupName(m.Agreed.Group)
	if err := firstKeys13(m); err != nil {
		return err
	}
	m.transcript.drop() // signatures are over the hash
	return nil
}

// setGroup adds the group to the negotiated parameters, since only ServerKeyExchange names it.
func setGroup(m *Machine) error {
	if !m.Agreed.Kex.Ephemeral() {
		return nil // a hint, and no more
	}
	if !m.live {
		m.Group, m.GroupName = nameGroup(m.ServerKeyExchange)
	} else {
		g, err := groupOf(m.Agreed.Kex, m.ServerKeyExchange, 0)
		if err != nil {
			return err
		}
		m.Group, m.GroupName = g.ID(), g.Name()
	}
	m.logAgreed("RFC 5246 §7.4.3")
	return nil
}

func (m *Machine) logAgreed(ref string) {
	a := m.Agreed
	m.log.Agreed(trace.Agreed{
		Version: a.Version, Suite: a.Suite.ID, KeyExchange: a.Kex, Authentication: a.Auth,
		Group:                m.GroupName,
		ExtendedMasterSecret: a.ExtendedMasterSecret, EncryptThenMAC: a.EncryptThenMAC,
		ALPN: a.ALPN, ServerName: a.ServerName,
		Resumed:               m.Resumed,
		ServerCertificateType: a.CertificateTypes[iana.Server],
		ClientCertificateType: a.CertificateTypes[iana.Client],
	}, ref)
}

// deriveMaster derives the master_secret and the key_block from the shared secret. The transcript
// ends with ClientKeyExchange here, as the session hash of RFC 7627 §3 requires.
func deriveMaster(m *Machine) error {
	in, err := m.player.secret(&m.Score)
	if errors.Is(err, ErrNoSecret) {
		m.Blind = [2]bool{true, true}
		return nil
	}
	if err != nil {
		return err
	}
	s, err := m.derive(in, m.log)
	clear(in.PreMaster) // as far as Go's garbage collector lets bytes be forgotten
	if err != nil {
		return err
	}
	m.secrets = s
	return m.logKey(keylog.ClientRandom, s.master.Bytes())
}

// derive computes the secrets of TLS 1.2 and earlier, up to the key_block, from the result of the
// key exchange.
func (s *Score) derive(in Input, log *trace.Log) (*secrets12, error) {
	var master keys.Master
	var err error
	prf := keys.PRF{Hash: s.Agreed.Suite.PRFHash(s.Agreed.Version), Log: log}
	switch {
	case in.Master != nil:
		if master, err = prf.Restore(in.Master); err != nil {
			return nil, err
		}
	case s.Agreed.ExtendedMasterSecret:
		log.SharedSecret("pre_master_secret", in.PreMaster, preMasterRef(s.Agreed.Kex))
		master = prf.ExtendedMaster(in.PreMaster, s.transcript.sum())
	default:
		log.SharedSecret("pre_master_secret", in.PreMaster, preMasterRef(s.Agreed.Kex))
		master = prf.Master(in.PreMaster, s.Randoms())
	}
	block := master.KeyBlock(s.Agreed.Suite.Shape(s.Agreed.Version), s.Randoms())
	return &secrets12{master, block, s.Randoms(), prf.Hash == keys.SSL30}, nil
}

func preMasterRef(k iana.KeyExchange) string {
	switch {
	case k.FiniteField():
		return "RFC 5246 §8.1.2"
	case k.EllipticCurve():
		return "RFC 8422 §5.10"
	}
	return "RFC 5246 §8.1.1"
}

// resume takes the master_secret from the session and protects the server's direction: the first
// change of keys in Figure 2.
func resume(m *Machine) error {
	m.Resumed, m.Undecided = true, false
	if err := deriveMaster(m); err != nil {
		return err
	}
	return protect(iana.Server)(m)
}

// firstKeys13 derives the keys for what follows the ServerHello. An observer without a secret can
// read nothing of it.
func firstKeys13(m *Machine) error {
	in, err := m.player.secret(&m.Score)
	if err != nil && !errors.Is(err, ErrNoSecret) {
		return err
	}
	if err == nil {
		if m.secrets, err = m.schedule(in); err != nil {
			return err
		}
		if err := m.secrets.reach(Handshaking, &m.transcript); err != nil {
			return err
		}
	}
	m.compat()
	if err := m.install(iana.Server, Handshaking); err != nil {
		return err
	}
	if m.Blind[iana.Server] { // then the client's part of the figure is not known either
		m.Blind[iana.Client] = true
	}
	return m.protectClient()
}

// schedule returns the key schedule of TLS 1.3: the complete one if the shared secret is known,
// else the logged secrets.
func (m *Machine) schedule(in Input) (secrets, error) {
	k := keys.HKDF{Hash: m.Agreed.Suite.PRF, Log: m.log}
	if in.Traffic != nil {
		return logged(k, m.Agreed.Suite, in.Traffic), nil
	}
	early := in.Early
	if early == nil {
		psk := k.Early(in.PSK)
		early = &psk
	}
	if in.Shared != nil {
		m.log.SharedSecret("shared_secret", in.Shared, "RFC 8446 §7.4")
	}
	s := &schedule13{traffic13: traffic13{suite: m.Agreed.Suite},
		handshake: early.Handshake(in.Shared)}
	if m.keyLogger() != nil {
		s.keyLog = m.logKey
	}
	clear(in.Shared)
	if !m.live {
		return s, m.deriveEarly(s, *early)
	}
	return s, nil
}

// negotiateEncrypted computes the negotiated parameters again, now that EncryptedExtensions is
// known.
func negotiateEncrypted(m *Machine) (err error) {
	if m.Agreed, err = m.negotiate(m.ServerHello, m.EncryptedExtensions); err != nil {
		return err
	}
	m.carrier.SetNegotiated(m.Agreed)
	m.logAgreed("RFC 8446 §4.3.1")
	return m.answerEarly()
}

// negotiateNPN adds the protocol that the client chose to the negotiated parameters:
// draft-agl-tls-nextprotoneg-04.
func negotiateNPN(m *Machine) error {
	if m.Agreed.ALPN == "" {
		a := *m.Agreed
		a.ALPN = string(m.current.msg.(*message.NextProtocol).Selected)
		m.Agreed = &a
	}
	return nil
}

// advance returns the effect of a Finished of TLS 1.3: an epoch is reached, and its sender's data
// begins.
func advance(from iana.Side, e Epoch) func(*Machine) error {
	return func(m *Machine) error {
		if err := m.secrets.reach(e, &m.transcript); err != nil {
			return err
		}
		return m.install(from, Application)
	}
}

// protect returns the effect of a ChangeCipherSpec until TLS 1.2. No CertificateVerify can come
// after it, so the bytes of the transcript are no longer needed.
func protect(from iana.Side) func(*Machine) error {
	return func(m *Machine) error {
		m.transcript.drop()
		return m.install(from, Application)
	}
}

// deriveEarly derives the secret of early data for an observer that has the pre-shared key. Early
// data is under the first identity of the first ClientHello alone. See RFC 8446 §4.2.10.
func (m *Machine) deriveEarly(s *schedule13, early keys.Early) error {
	if m.Retried() || !m.Agreed.PSK || m.Agreed.Identity != 0 || !m.OfferedEarly() ||
		len(m.transcript.messages) == 0 {
		return nil
	}
	h := m.Agreed.Suite.PRF.New()
	h.Write(m.transcript.messages[0])
	traffic := early.ClientTraffic(h.Sum(nil))
	s.set(Early, iana.Client, traffic)
	return m.logKey(keylog.ClientEarlyTraffic, traffic.Bytes())
}

// first12 returns the keys that in gives a direction first, until TLS 1.2.
func first12(s *Score, in Input, from iana.Side) (keys.Direction, bool, error) {
	derived, err := s.derive(in, nil)
	if err != nil {
		return keys.Direction{}, false, err
	}
	return derived.block.Of(from), true, nil
}

// first13 returns the keys that in gives a direction first in TLS 1.3.
func first13(s *Score, in Input, from iana.Side) (d keys.Direction, ok bool, err error) {
	k := keys.HKDF{Hash: s.Agreed.Suite.PRF}
	switch {
	case in.Traffic != nil:
		d, ok = logged(k, s.Agreed.Suite, in.Traffic).keys(from, Handshaking)
	case in.Shared != nil || in.PSK != nil:
		d, ok = k.Early(in.PSK).Handshake(in.Shared).Traffic(from, s.transcript.sum()).
			Direction(s.Agreed.Suite.Shape(iana.TLS13)), true
	}
	return d, ok, nil
}

// keepTranscript keeps the transcript hash for a later authentication.
func (m *Machine) keepTranscript() {
	p, ok := m.player.(interface{ allowsLate() bool })
	if ok && !m.unsound && p.allowsLate() &&
		m.ClientHello.Extensions.Has(iana.ExtPostHandshakeAuth) {
		m.late.after, m.late.context = m.transcript.running, &awaitedContext{}
	}
}
