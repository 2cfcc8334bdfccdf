package handshake

import (
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// The effects of lines: what changes once they have been said. They are the same for all three players.

// TrafficKeys is what the record layer needs to protect one direction.
type TrafficKeys struct {
	*Agreed
	keys.Direction
}

// Params is what the record layer makes a protection of. rand draws CBC IVs.
func (k *TrafficKeys) Params(rand io.Reader) record.Params {
	return record.Params{Version: k.Version, EncryptThenMAC: k.EncryptThenMAC, Keys: record.Keys(k.Direction), Rand: rand}
}

// ErrNoSecret is an observer's: nobody gave it a secret for this handshake.
var ErrNoSecret = errors.New("handshake: no secret for this handshake")

// settle draws the facts from both hellos, and starts the transcript's hash.
func settle(m *Machine) (err error) {
	if m.Agreed, err = m.agree(m.ServerHello); err != nil {
		return err
	}
	m.transcript.start(m.Agreed.Suite.PRFHash(m.Agreed.Version))
	m.carrier.Settle(m.Agreed)
	if m.Agreed.Version == iana.TLS13 {
		m.settleShare()
		return secrets13(m)
	}
	if !m.Agreed.Suite.Kex.Ephemeral() || m.Resumed == Must {
		m.tellAgreed("RFC 5246 §7.4.1.3")
	}
	return nil
}

// settleShare names the group of TLS 1.3, where the hellos carry the key exchange; resuming may do without one.
func (m *Machine) settleShare() {
	var share message.KeyShare
	if ok, err := m.ServerHello.Extensions.Read(iana.ExtKeyShare, &share); ok && err == nil {
		m.Group, m.GroupName = share.Group, share.Group.String()
	}
}

// Kex is how the secret was agreed on; in TLS 1.3 the group and the pre-shared key tell, and not the suite.
func (s *Score) Kex() iana.KeyExchange {
	if s.Agreed.Version != iana.TLS13 {
		return s.Agreed.Suite.Kex
	}
	psk := s.ServerHello.Extensions.Has(iana.ExtPreSharedKey)
	switch {
	case s.Group == 0:
		return iana.KexPSK
	case s.Group.FiniteField() && psk:
		return iana.KexDHEPSK
	case s.Group.FiniteField():
		return iana.KexDHE
	case psk:
		return iana.KexECDHEPSK
	}
	return iana.KexECDHE
}

// settleGroup completes them with the group, which only ServerKeyExchange names.
func settleGroup(m *Machine) error {
	if !m.Agreed.Suite.Kex.Ephemeral() {
		return nil // a hint, and no more
	}
	if !m.live {
		m.Group, m.GroupName = nameGroup(m.ServerKeyExchange)
	} else {
		g, err := groupOf(m.Agreed.Suite.Kex, m.ServerKeyExchange, 0)
		if err != nil {
			return err
		}
		m.Group, m.GroupName = g.ID(), g.Name()
	}
	m.tellAgreed("RFC 5246 §7.4.3")
	return nil
}

func (m *Machine) tellAgreed(ref string) {
	a := m.Agreed
	m.log.Agreed(trace.Agreed{
		Version: a.Version, Suite: a.Suite.ID, KeyExchange: m.Kex(), Authentication: a.Suite.Auth, Group: m.GroupName,
		ExtendedMasterSecret: a.ExtendedMasterSecret, EncryptThenMAC: a.EncryptThenMAC, ALPN: a.ALPN, ServerName: a.ServerName,
		Resumed: m.Resumed == Must,
	}, ref)
}

// deriveMaster turns the shared secret into the master_secret and the key_block. The transcript ends with ClientKeyExchange
// here, as the session hash of RFC 7627 §3 wants it.
func deriveMaster(m *Machine) error {
	in, err := m.player.secret(&m.Score)
	if errors.Is(err, ErrNoSecret) {
		m.Blind = true
		return nil
	}
	if err != nil {
		return err
	}
	m.master, m.block, err = m.derive(in, m.log)
	clear(in.PreMaster) // as far as Go's garbage collector lets bytes be forgotten
	return err
}

// derive is the way from what the key exchange gave to the key_block.
func (s *Score) derive(in Input, log *trace.Log) (master keys.Master, block keys.Block, err error) {
	prf := keys.PRF{Hash: s.Agreed.Suite.PRFHash(s.Agreed.Version), Log: log}
	switch {
	case in.Master != nil:
		if master, err = prf.Recall(in.Master); err != nil {
			return master, block, err
		}
	case s.Agreed.ExtendedMasterSecret:
		log.SharedSecret("pre_master_secret", in.PreMaster, preMasterRef(s.Agreed.Suite.Kex))
		master = prf.ExtendedMaster(in.PreMaster, s.transcript.sum())
	default:
		log.SharedSecret("pre_master_secret", in.PreMaster, preMasterRef(s.Agreed.Suite.Kex))
		master = prf.Master(in.PreMaster, s.Randoms())
	}
	return master, master.KeyBlock(s.Agreed.Suite.Shape(s.Agreed.Version), s.Randoms()), nil
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

// recall takes the master_secret from the session and switches the server's direction: the first change in Figure 2.
func recall(m *Machine) error {
	m.Resumed = Must
	if err := deriveMaster(m); err != nil {
		return err
	}
	return protect(iana.Server)(m)
}

// protect switches a direction to the new keys. No CertificateVerify can come after the client's ChangeCipherSpec.
func protect(from iana.Side) func(*Machine) error {
	return func(m *Machine) error {
		m.transcript.drop()
		if m.Blind {
			return m.carrier.Protect(from, nil)
		}
		d := m.block.Of(from)
		m.log.KeysInstalled(from, d.MAC, d.Key, d.IV, "RFC 5246 §6.3")
		return m.carrier.Protect(from, &TrafficKeys{m.Agreed, d})
	}
}

// suiteOf finds the suite of a ServerHello.
func suiteOf(id iana.CipherSuite, v iana.Version) (*suite.Suite, error) {
	s := suite.Readable(id)
	if s == nil {
		return nil, alert.Fail(alert.IllegalParameter, "RFC 5246 §7.4.1.3", "the server chose %v, which Vitrine does not know", id)
	}
	if (s.Kex == iana.KexNone) != (v == iana.TLS13) {
		return nil, alert.Fail(alert.IllegalParameter, "RFC 8446 §4.1.3", "the server chose %v with %v", id, v)
	}
	if max(v, iana.TLS10) < s.MinVersion() {
		return nil, alert.Fail(alert.IllegalParameter, "RFC 5246 §7.4.1.3", "the server chose %v with %v, which needs %v", id, v, s.MinVersion())
	}
	return s, nil
}
