package negotiation

import (
	"bytes"
	"crypto/subtle"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// The checks of a client on a server's answer, before and after the parameters are computed.

// Acceptable returns an error if a client must reject a ServerHello, before the parameters are
// computed. See RFC 5246 §7.4.1.3 and §7.4.1.4.
func Acceptable(ch *message.ClientHello, sh *message.ServerHello, p *Parameters) error {
	const ref = "RFC 5246 §7.4.1.3"
	switch {
	case sh.Version > min(ch.Version, iana.TLS12):
		return alert.KindVersion.Fail(alert.ProtocolVersion, "RFC 5246 §E.1",
			"the server chose %v, we offered at most %v", sh.Version, ch.Version)
	case sh.Version < p.MinVersion:
		return alert.KindVersion.Fail(alert.ProtocolVersion, "RFC 5246 §E.1",
			"the server chose %v, we offered %v to %v", sh.Version, p.MinVersion, p.MaxVersion)
	case downgraded(sh, p.MaxVersion):
		return alert.KindDowngrade.Fail(alert.IllegalParameter, "RFC 8446 §4.1.3",
			"server_random says that the server supports a later version than %v: somebody may "+
				"have changed the client_hello", sh.Version)
	case !ch.Offers(sh.CipherSuite) || signalling(sh.CipherSuite):
		return alert.KindSuite.Fail(alert.IllegalParameter, ref,
			"the server chose %v, which we did not offer", sh.CipherSuite)
	case sh.CompressionMethod != iana.CompressionNull:
		return alert.KindCompression.Fail(alert.IllegalParameter, ref,
			"the server chose compression %v, we offered null", sh.CompressionMethod)
	}
	return Placed(sh.Extensions, VersionOf(sh), message.InServerHello,
		func(x *Extension) bool { return x.Asked(ch) })
}

// Acceptable13 returns an error if a client must reject a ServerHello or HelloRetryRequest of TLS
// 1.3. See RFC 8446 §4.1.3 and §4.1.4.
func Acceptable13(ch *message.ClientHello, sh *message.ServerHello, at message.Place) error {
	const ref = "RFC 8446 §4.1.3"
	row := extensionRow
	switch {
	case VersionOf(sh) != iana.TLS13:
		return alert.KindVersion.Fail(alert.IllegalParameter, "RFC 8446 §4.2.1",
			"the server's supported_versions has %v, expected TLS 1.3", VersionOf(sh))
	case sh.Version != iana.TLS12:
		return alert.KindVersion.Fail(alert.ProtocolVersion, "RFC 9846 §4.2.3",
			"the server's legacy_version is %v, expected TLS 1.2", sh.Version)
	case !bytes.Equal(sh.SessionID, ch.SessionID):
		return alert.KindResumption.Fail(alert.IllegalParameter, ref,
			"the server does not echo our session ID")
	case sh.CompressionMethod != iana.CompressionNull:
		return alert.KindCompression.Fail(alert.IllegalParameter, ref,
			"the server chose compression %v, we offered null", sh.CompressionMethod)
	case !ch.Offers(sh.CipherSuite):
		return alert.KindSuite.Fail(alert.IllegalParameter, ref,
			"the server chose %v, which we did not offer", sh.CipherSuite)
	}
	return Placed(sh.Extensions, iana.TLS13, at, func(x *Extension) bool {
		// RFC 8446 §4.2
		return x.Asked(ch) || at == message.InHelloRetryRequest && x == row(iana.ExtCookie)
	})
}

// Follows checks, for a client, that a handshake is bound to the one before it, or is the
// connection's first. A first handshake needs renegotiation_info too: without it an attacker can
// splice the client's handshake behind one of its own. Only the client can notice, and only a
// server that renegotiates can be used; ours never does and accepts any client. See RFC 5746 §3.4
// and §3.5.
func (a *Agreed) Follows(prior *Prior, secure Demand) error {
	var want []byte
	if prior != nil {
		want = append(bytes.Clone(prior.VerifyData[iana.Client]), prior.VerifyData[iana.Server]...)
	}
	switch same := subtle.ConstantTimeCompare(a.renegotiated, want) == 1; {
	case !same && prior == nil:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.4",
			"the server's renegotiation_info has %d bytes in a connection's first handshake, "+
				"expected none", len(a.renegotiated))
	case !same:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.5",
			"the server's renegotiation_info does not match the handshake before this one")
	case prior == nil && secure == Required && !a.SecureRenegotiation:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.4",
			"the server does not know RFC 5746 (renegotiation_info), without which an attacker "+
				"can insert data before the handshake; policy legacy accepts it")
	case prior == nil:
		return nil
	case prior.Leaf != nil && !a.Certified():
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §5",
			"the server showed a certificate, and renegotiates with %v, which has none", a.Suite.ID)
	case !a.SecureRenegotiation:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.5",
			"the server renegotiates without renegotiation_info")
	case a.Version != prior.Agreed.Version,
		a.ExtendedMasterSecret != prior.Agreed.ExtendedMasterSecret:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 7627 §5.4",
			"the server renegotiates with another version, or another kind of master_secret")
	case a.ALPN != "" && a.ALPN != prior.Agreed.ALPN:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 7301 §3.2",
			"the server renegotiates with the protocol %q, the connection uses %q", a.ALPN,
			prior.Agreed.ALPN)
	}
	return nil
}

// Demanded returns an error if a parameter that p requires was not negotiated.
func (a *Agreed) Demanded(p *Parameters, sh *message.ServerHello) error {
	switch {
	case sh.Extensions.Has(iana.ExtEncryptThenMAC) && !a.EncryptThenMAC:
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 7366 §3",
			"the server accepts encrypt_then_mac with %v, which is not a CBC suite", a.Suite.ID)
	case p.EncryptThenMAC == Required && !a.EncryptThenMAC && a.Suite.Cipher.CBC():
		return alert.KindMissing.Fail(alert.HandshakeFailure, "RFC 7366 §2",
			"the peer does not support encrypt_then_mac, which we require")
	case p.ExtendedMasterSecret == Required && !a.ExtendedMasterSecret:
		return alert.KindMissing.Fail(alert.HandshakeFailure, "RFC 7627 §5.2",
			"the peer does not support extended_master_secret, which we require")
	}
	return nil
}

// The last eight bytes of a server_random when a server negotiates a lower version than it
// supports.
const (
	DowngradeTo12 = "DOWNGRD\x01"
	DowngradeTo11 = "DOWNGRD\x00"
)

// MarkDowngrade sets the downgrade sentinel if the server supports a higher version than it
// negotiates. See RFC 8446 §4.1.3.
func (c *Config) MarkDowngrade(sh *message.ServerHello) {
	switch {
	case sh.Version < iana.TLS12 && c.MaxVersion >= iana.TLS12:
		copy(sh.Random[24:], DowngradeTo11)
	case c.MaxVersion >= iana.TLS13:
		copy(sh.Random[24:], DowngradeTo12)
	}
}

// downgraded reports whether a sentinel shows a downgrade attack. The one for TLS 1.2 does not if
// TLS 1.2 is our highest version. See RFC 8446 §4.1.3.
func downgraded(sh *message.ServerHello, ours iana.Version) bool {
	tail := string(sh.Random[24:])
	return sh.Version < ours && (tail == DowngradeTo11 || tail == DowngradeTo12)
}

// signalling reports whether a value in a list of suites is a signalling value and not a suite.
func signalling(s iana.CipherSuite) bool {
	return s == iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV || s == iana.TLS_FALLBACK_SCSV
}

// AcceptableRequest returns an error if no server may send such a CertificateRequest.
func AcceptableRequest(m *message.CertificateRequest) error {
	if err := Placed(m.Extensions, iana.TLS13, message.InCertificateRequest, nil); err != nil {
		return err
	}
	if !m.Extensions.Has(iana.ExtSignatureAlgorithms) {
		return alert.KindMissing.Fail(alert.MissingExtension, "RFC 8446 §4.3.2",
			"the server's CertificateRequest has no signature_algorithms")
	}
	return nil
}

// AcceptableEntries checks the extensions of every certificate.
func AcceptableEntries(m *message.Certificate, asked func(*Extension) bool) error {
	for _, e := range m.Extensions {
		if err := Placed(e, iana.TLS13, message.InCertificate, asked); err != nil {
			return err
		}
		if err := WellFormed(e, message.InCertificate); err != nil {
			return err
		}
	}
	return nil
}
