package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// Keys on their way to the record layer and to the key log.

// trafficKeys returns the keys of a direction together with what was negotiated about its records.
func trafficKeys(a *negotiation.Agreed, from iana.Side, d keys.Direction) *TrafficKeys {
	return &TrafficKeys{Version: a.Version, Suite: a.Suite, Compression: a.Compression,
		EncryptThenMAC: a.EncryptThenMAC, MaxPlaintext: a.MaxPlaintext(from), Direction: d}
}

// undecided13 returns parameters of TLS 1.3 before anything is negotiated.
func undecided13(s *suite.Suite) *negotiation.Agreed {
	return &negotiation.Agreed{Version: iana.TLS13, Suite: s, MaxFragment: record.MaxPlaintext,
		SizeLimit: [2]int{record.MaxPlaintext, record.MaxPlaintext}}
}

// compat sends the ChangeCipherSpec that makes TLS 1.3 look like a resumption to middleboxes. It is
// sent once, in the clear, before the first protected record, and never in QUIC. See RFC 8446 §D.4
// and RFC 9001 §8.4.
func (m *Machine) compat() {
	if m.live && !m.disguised && !m.quic {
		m.disguised = true
		m.carrier.Send(ChangeCipherSpec, []byte{1})
	}
}

// logKey writes a line of the key log, as soon as the secret exists. See RFC 9850 §2.
func (m *Machine) logKey(l keylog.Label, secret []byte) error {
	write := m.keyLogger()
	if write == nil {
		return nil
	}
	return write(keylog.Line{Label: l, ID: m.ClientHello.Random[:], Secret: secret})
}

// keyLogger returns the function that writes the key log, or nil if there is no key log.
func (m *Machine) keyLogger() func(keylog.Line) error {
	if c := m.Config(); c != nil {
		return c.KeyLog
	}
	return m.keyLog
}

// LogKeys sets a function that receives the secrets that an observer derives, as lines of a key
// log.
func (m *Machine) LogKeys(put func(keylog.Line)) {
	m.keyLog = func(l keylog.Line) error {
		put(l)
		return nil
	}
}

// KeysOf returns the keys of TLS 1.3 under which a side sends in an epoch, or nil if they are not
// known yet. It is for an observer that reads records before, or without, the messages that change
// keys.
func (m *Machine) KeysOf(from iana.Side, e Epoch) *TrafficKeys {
	if m.secrets == nil || m.Agreed == nil {
		return nil
	}
	d, ok := m.secrets.keys(from, e)
	if !ok {
		return nil
	}
	k := trafficKeys(m.Agreed, from, d)
	k.Epoch = e
	return k
}

// install sets the keys that an epoch has for a direction now.
func (m *Machine) install(from iana.Side, e Epoch) error {
	d, ok := keys.Direction{}, false
	if m.secrets != nil {
		d, ok = m.secrets.keys(from, e)
	}
	if !ok {
		m.Blind[from] = true
		return m.carrier.Protect(from, nil)
	}
	k := trafficKeys(m.Agreed, from, d)
	k.Epoch = e
	if t, ok := m.secrets.(interface {
		trafficSecret(iana.Side, Epoch) keys.Traffic
	}); ok {
		k.Traffic = t.trafficSecret(from, e)
	}
	if err := m.carrier.Protect(from, k); err != nil {
		return err
	}
	// after the flight that Protect seals
	m.log.KeysInstalled(from, d.MAC, d.Key, d.IV, m.secrets.ref())
	return nil
}

// EarlyKeys returns the keys of a client's early data under the suite of its ticket, or nil if the
// secret's length is not that of the suite's hash. It is for an observer of data that the server
// turned down before it had chosen a suite.
func EarlyKeys(s *suite.Suite, secret []byte) *TrafficKeys {
	t := logged(keys.HKDF{Hash: s.PRF}, s, &TrafficSecrets{Early: secret})
	d, ok := t.keys(iana.Client, Early)
	if !ok {
		return nil
	}
	return trafficKeys(undecided13(s), iana.Client, d)
}

// KeyUpdate replaces the keys of a direction with the next ones. See RFC 8446 §7.2.
func (m *Machine) KeyUpdate(from iana.Side) error {
	if m.secrets == nil || m.Blind[from] && m.KeysOf(from, Application) == nil {
		return nil
	}
	m.secrets.update(from)
	return m.install(from, Application)
}
