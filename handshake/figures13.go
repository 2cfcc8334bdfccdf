package handshake

import (
	"crypto"
	"errors"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

// Figures 1 to 4 of RFC 8446 are one table: a retry (Figure 2), a resumption (Figure 3) and early data (Figure 4) leave lines out
// or add some. Only an observer performs it.
var full13 = Figure{"RFC 8446, Figures 1 to 4: TLS 1.3", ifTLS13, []Line{
	{iana.Client, Kind(iana.ClientHello), always, nil, "RFC 8446 §4.1.2"},
	{iana.Server, HelloRetryRequest, may, retry, "RFC 8446 §4.1.4"},
	{iana.Client, Kind(iana.ClientHello), ifRetried, nil, "RFC 8446 §4.1.2"},
	{iana.Server, Kind(iana.ServerHello), always, settle, "RFC 8446 §4.1.3"},
	{iana.Server, Kind(iana.EncryptedExtensions), ifReadable, settleEncrypted, "RFC 8446 §4.3.1"},
	{iana.Server, Kind(iana.CertificateRequest), mayCertify, nil, "RFC 8446 §4.3.2"},
	{iana.Server, Kind(iana.Certificate), ifSigned13, nil, "RFC 8446 §4.4.2"},
	{iana.Server, Kind(iana.CertificateVerify), ifSigned13, nil, "RFC 8446 §4.4.3"},
	{iana.Server, Kind(iana.Finished), ifReadable, traffic(iana.Server, application), "RFC 8446 §4.4.4"},
	{iana.Client, Kind(iana.EndOfEarlyData), ifEarly, traffic(iana.Client, handshaking), "RFC 8446 §4.5"},
	{iana.Client, Kind(iana.Certificate), ifRequested, nil, "RFC 8446 §4.4.2"},
	{iana.Client, Kind(iana.CertificateVerify), ifSigned, nil, "RFC 8446 §4.4.3"},
	{iana.Client, Kind(iana.Finished), ifReadable, traffic(iana.Client, application), "RFC 8446 §4.4.4"},
}}

// HelloRetryRequest is a ServerHello that its random makes another message. See RFC 8446 §4.1.3.
const HelloRetryRequest Kind = 0x102

// KindOf is what a whole handshake message says.
func KindOf(raw []byte) Kind {
	if message.IsHelloRetryRequest(raw) {
		return HelloRetryRequest
	}
	if raw[0] == byte(iana.CompressedCertificate) {
		return Kind(iana.Certificate) // RFC 8879 §4: it comes where a Certificate would
	}
	return Kind(raw[0])
}

// TLS13 tells whether what follows is TLS 1.3, as far as that is known.
func (s *Score) TLS13() bool {
	return s.Retried || s.Agreed != nil && s.Agreed.Version == iana.TLS13
}

func ifTLS13(s *Score) Presence { return must(versionOf(s.ServerHello) == iana.TLS13) }

func may(*Score) Presence { return May }

func ifRetried(s *Score) Presence { return must(s.Retried) }

// ifSigned13: a server that resumes by a pre-shared key shows no certificate. See RFC 8446 §4.4.2.
func ifSigned13(s *Score) Presence { return must(s.signs13()) }

func mayCertify(s *Score) Presence { return mayIf(s.signs13()) }

func (s *Score) signs13() bool {
	return !s.Blind && !s.ServerHello.Extensions.Has(iana.ExtPreSharedKey)
}

func ifEarly(s *Score) Presence { return must(s.EarlyAccepted) }

// versionOf is what a ServerHello chose: TLS 1.3 says so in an extension only. See RFC 8446 §4.2.1.
func versionOf(sh *message.ServerHello) iana.Version {
	var v message.SelectedVersion
	if ok, err := sh.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil {
		return v.Version
	}
	return sh.Version
}

// TrafficSecrets are what a key log knows of a TLS 1.3 connection. A secret that it does not know is nil.
type TrafficSecrets struct {
	Early       []byte    // of the client, before the server has answered
	Handshake   [2][]byte // by side
	Application [2][]byte
}

// epoch is a part of a connection with traffic secrets of its own.
type epoch func(*TrafficSecrets, iana.Side) []byte

func early(t *TrafficSecrets, _ iana.Side) []byte       { return t.Early }
func handshaking(t *TrafficSecrets, s iana.Side) []byte { return t.Handshake[s] }
func application(t *TrafficSecrets, s iana.Side) []byte { return t.Application[s] }

// retry puts the hash of the first ClientHello in its place in the transcript. See RFC 8446 §4.4.1.
func retry(m *Machine) error {
	s, err := suiteOf(m.said.msg.(*message.ServerHello).CipherSuite, iana.TLS13)
	if err != nil {
		return err
	}
	m.Retried = true
	m.transcript.retry(s.PRF)
	return nil
}

// secrets13 begins what the observer was given secrets for.
func secrets13(m *Machine) error {
	in, err := m.player.secret(&m.Score)
	if err != nil && !errors.Is(err, ErrNoSecret) {
		return err
	}
	if in.Traffic == nil {
		m.Blind = true
		for _, side := range []iana.Side{iana.Client, iana.Server} {
			if err := m.carrier.Protect(side, nil); err != nil {
				return err
			}
		}
		return nil
	}
	m.traffic = in.Traffic
	if err := traffic(iana.Server, handshaking)(m); err != nil {
		return err
	}
	if m.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		return traffic(iana.Client, early)(m)
	}
	return traffic(iana.Client, handshaking)(m)
}

// settleEncrypted completes the facts with what the server said under protection. Early data that it did not take is followed by
// records under other keys, without a mark between them. See RFC 8446 §4.2.10.
func settleEncrypted(m *Machine) error {
	e := m.said.msg.(*message.EncryptedExtensions).Extensions
	var alpn message.Protocols
	if ok, err := e.Read(iana.ExtALPN, &alpn); ok && err == nil && len(alpn.Names) == 1 {
		m.Agreed.ALPN = string(alpn.Names[0])
	}
	m.tellAgreed("RFC 8446 §4.3.1")
	if !m.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		return nil
	}
	if m.EarlyAccepted = e.Has(iana.ExtEarlyData); m.EarlyAccepted {
		return nil
	}
	return traffic(iana.Client, handshaking)(m)
}

// traffic switches a direction to the keys of an epoch; without its secret the direction is blind from here on.
func traffic(from iana.Side, e epoch) func(*Machine) error {
	return func(m *Machine) error {
		if m.Blind {
			return nil
		}
		secret := e(m.traffic, from)
		if secret == nil {
			return m.carrier.Protect(from, nil)
		}
		t, err := keys.HKDF{Hash: m.Agreed.Suite.PRF, Log: m.log}.Traffic(from, secret)
		if err != nil {
			return err
		}
		m.current[from] = t
		return m.install(from)
	}
}

// install protects a direction by its current traffic secret.
func (m *Machine) install(from iana.Side) error {
	d := m.current[from].Direction(m.Agreed.Suite.Shape(iana.TLS13))
	m.log.KeysInstalled(from, nil, d.Key, d.IV, "RFC 8446 §7.3")
	return m.carrier.Protect(from, &TrafficKeys{m.Agreed, d})
}

// KeyUpdate gives a direction its next keys. See RFC 8446 §7.2.
func (m *Machine) KeyUpdate(from iana.Side) error {
	m.current[from] = m.current[from].Update()
	return m.install(from)
}

// retry replaces the messages before the last, which is the HelloRetryRequest, by a message that
// holds their hash. See RFC 8446 §4.4.1.
func (t *transcript) retry(hash crypto.Hash) {
	last := len(t.messages) - 1
	h := hash.New()
	for _, raw := range t.messages[:last] {
		h.Write(raw)
	}
	replaced := append([]byte{byte(iana.MessageHash), 0, 0, byte(h.Size())}, h.Sum(nil)...)
	t.messages = [][]byte{replaced, t.messages[last]}
}
