package handshake

import (
	"math"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
)

// Early data (0-RTT): what a client sends after its first ClientHello, under keys of a ticket. See
// RFC 8446 §2.3 and §4.2.10. An attacker who records it can send it again (§8): the server's part
// is in early_server.go.

// sendEarly is the effect of the first ClientHello: a client that offers early data continues under
// the early keys, after a change_cipher_spec. See RFC 8446 §D.4.
func sendEarly(m *Machine) error {
	if !m.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		return nil
	}
	m.early.status = EarlyPending
	k := m.player.earlyKeys(&m.Score)
	if k == nil || m.me != iana.Client {
		return nil
	}
	// The hello goes in the clear, in a record of TLS 1.0; what follows goes in TLS 1.3's.
	if err := m.carrier.Protect(iana.Client, nil); err != nil {
		return err
	}
	m.carrier.SetNegotiated(undecided13(k.suite))
	m.compat()
	return m.openEarly(k)
}

// openEarly derives the secrets of early data, and protects the client's direction with them. See
// RFC 8446 §7.1.
func (m *Machine) openEarly(k *earlyKeys) error {
	traffic, exporter := k.secret.ClientTraffic(k.hello), k.secret.Exporter(k.hello)
	if err := m.logKey(keylog.ClientEarlyTraffic, traffic.Bytes()); err != nil {
		return err
	}
	if err := m.logKey(keylog.EarlyExporter, exporter.Bytes()); err != nil {
		return err
	}
	m.early.open, m.early.left, m.early.exporter = true, k.limit, &exporter
	d := traffic.Direction(k.suite.Shape(iana.TLS13))
	protected := trafficKeys(undecided13(k.suite), iana.Client, d)
	protected.Traffic = traffic
	if err := m.carrier.Protect(iana.Client, protected); err != nil {
		return err
	}
	m.log.KeysInstalled(iana.Client, nil, d.Key, d.IV, "RFC 8446 §7.3")
	return nil
}

// closeEarly ends early data that the server does not accept. See RFC 8446 §4.2.10.
func (m *Machine) closeEarly() { m.early.open, m.early.status = false, EarlyRejected }

// endEarly is the effect of EndOfEarlyData. See RFC 8446 §4.5.
func endEarly(m *Machine) error {
	m.early.open = false
	return m.install(iana.Client, Handshaking)
}

// protectClient protects the client's direction after a ServerHello. A client and an observer wait
// for EncryptedExtensions, which shows whether early data is accepted; a server has decided it.
func (m *Machine) protectClient() error {
	if m.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		k := m.player.earlyKeys(&m.Score)
		switch {
		case !m.live:
			return m.expectEarly()
		case m.me == iana.Client && m.quic: // packets of both keys are sent side by side
		case m.me == iana.Client:
			return nil
		case k == nil:
			m.closeEarly()
		default:
			if err := m.openEarly(k); err != nil || !m.quic {
				return err
			}
		}
	}
	return m.install(iana.Client, Handshaking)
}

// answerEarly processes the answer to early data in EncryptedExtensions. Early data that the server
// does not accept is followed by records under other keys, and nothing marks the boundary. See RFC
// 8446 §4.2.10.
func (m *Machine) answerEarly() error {
	switch {
	case !m.ClientHello.Extensions.Has(iana.ExtEarlyData):
		return nil
	case m.Agreed.EarlyData:
		m.early.status = EarlyAccepted
		return nil
	}
	m.closeEarly()
	if m.quic || m.live && m.me == iana.Server {
		return nil // it was protected before: see protectClient
	}
	return m.install(iana.Client, Handshaking)
}

// EarlyData returns what became of the client's early data.
func (m *Machine) EarlyData() EarlyStatus { return m.early.status }

// EarlyOpen reports whether a client may send early data now, or a server may receive some.
func (m *Machine) EarlyOpen() bool { return m.early.open }

// AnswersEarly reports whether a server may send application data although the client's Finished
// has not come: it has accepted early data, and sent its own Finished. See RFC 8446 §4.4.4.
func (m *Machine) AnswersEarly() bool {
	return m.live && m.me == iana.Server && m.early.status == EarlyAccepted &&
		m.VerifyData[iana.Server] != nil
}

// EarlyLeft returns how many more bytes of early data the ticket allows.
func (m *Machine) EarlyLeft() int { return int(min(m.early.left, math.MaxInt32)) }

// SpendEarly counts n bytes of early data. It returns an error if they are more than the ticket
// allows. See RFC 8446 §4.2.10.
func (m *Machine) SpendEarly(n int) error {
	if uint64(n) > uint64(m.early.left) {
		return alert.KindEarlyData.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.1",
			"got more early data than the ticket allows: %d bytes, expected at most %d more", n,
			m.early.left)
	}
	m.early.left -= uint32(n)
	return nil
}

// ExportEarly returns n bytes of keying material that a client's early data can be bound to. It
// fails if this side has no early data. See RFC 8446 §7.5.
func (m *Machine) ExportEarly(label string, context []byte, n int) ([]byte, error) {
	if m.early.exporter == nil {
		return nil, alert.Fail(alert.InternalError, "RFC 8446 §7.5",
			"there is no early_exporter_secret without early data")
	}
	return m.early.exporter.Export(label, context, n)
}

// expectEarly makes an observer expect early data. If the secret of early data is not known, its
// end must be found by trial decryption.
func (m *Machine) expectEarly() error {
	if m.KeysOf(iana.Client, Early) != nil {
		return m.install(iana.Client, Early)
	}
	m.Blind[iana.Client] = m.KeysOf(iana.Client, Handshaking) == nil
	return m.carrier.Protect(iana.Client, nil)
}
