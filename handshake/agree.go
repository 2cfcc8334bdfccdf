package handshake

import (
	"bytes"
	"crypto/subtle"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// Agreed is what the hellos settle, computed from the messages alone. It never changes: where a
// later message adds to it, as EncryptedExtensions does in TLS 1.3, there is a new one.
type Agreed struct {
	Version iana.Version
	Suite   *suite.Suite
	// of the suite; in TLS 1.3 what key_share and pre_shared_key say
	Kex         iana.KeyExchange
	Auth        iana.Authentication // of the suite; in TLS 1.3 none: only the certificate tells
	Group       iana.Group          // in TLS 1.3 alone; 0 without a key exchange
	PSK         bool                // TLS 1.3 goes on from a pre-shared key: that of Identity
	Identity    int                 // which of the client's identities it is, from 0
	Compression iana.CompressionMethod

	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	SecureRenegotiation  bool
	renegotiated         []byte // the server's renegotiated_connection
	Stapling             bool   // CertificateStatus may come
	Ticket               bool   // NewSessionTicket will come
	EarlyOffered         bool   // the client sends early data
	EarlyData            bool   // the server takes it

	ServerName string // as the client sent it
	ALPN       string
	SCTs       [][]byte

	MaxFragment int    // both sides' longest plaintext from ServerHello on, RFC 6066 §4
	SizeLimit   [2]int // by sender: its longest plaintext under protection, RFC 8449 §4
}

// agree draws the facts from the hellos and, in TLS 1.3, from EncryptedExtensions, which is nil as
// long as it is not known. It fails only where they make no sense: what a live client must refuse
// besides is for its serverHello, so that an observer can read more than we would speak.
func agree(ch *message.ClientHello, sh *message.ServerHello,
	ee *message.EncryptedExtensions) (*Agreed, error) {
	version := versionOf(sh)
	s, err := suiteOf(sh.CipherSuite, version)
	if err != nil {
		return nil, err
	}
	a := &Agreed{Version: version, Suite: s, Compression: sh.CompressionMethod,
		MaxFragment: record.MaxPlaintext,
		SizeLimit:   [2]int{record.MaxPlaintext, record.MaxPlaintext}}
	a.Kex, a.Auth = s.KeyExchange()
	if version == iana.TLS13 {
		if err := a.exchange13(sh); err != nil {
			return nil, err
		}
	}
	if err := a.settleAll(ch, sh.Extensions, message.InServerHello); err != nil {
		return nil, err
	}
	if ee != nil {
		if err := a.settleAll(ch, ee.Extensions, message.InEncryptedExtensions); err != nil {
			return nil, err
		}
	}
	a.ServerName, a.EarlyOffered = ServerName(ch), ch.Extensions.Has(iana.ExtEarlyData)
	return a, nil
}

// settleAll draws the facts from the server's extensions in one message.
func (a *Agreed) settleAll(ch *message.ClientHello, server message.Extensions,
	in message.Place) error {
	for _, x := range server {
		row := extensionRow(x.Type)
		if row == nil || row.settle == nil || row.places(a.Version)&in == 0 || !row.asked(ch) {
			continue
		}
		if err := row.settle(a, ch.Extensions, server); err != nil {
			return err
		}
	}
	return nil
}

// exchange13 is how a TLS 1.3 handshake comes to its secret: the hellos carry the key exchange, and
// a pre-shared key may do without.
func (a *Agreed) exchange13(sh *message.ServerHello) error {
	var share message.KeyShare
	var selected message.SelectedPSK
	shared, err := read(sh.Extensions, iana.ExtKeyShare, &share)
	if err != nil {
		return err
	}
	if a.PSK, err = read(sh.Extensions, iana.ExtPreSharedKey, &selected); err != nil {
		return err
	}
	a.Group, a.Identity = share.Group, int(selected.Identity)
	switch finite := a.Group.FiniteField(); {
	case !shared:
		a.Kex = iana.KexPSK
	case finite && a.PSK:
		a.Kex = iana.KexDHEPSK
	case finite:
		a.Kex = iana.KexDHE
	case a.PSK:
		a.Kex = iana.KexECDHEPSK
	default:
		a.Kex = iana.KexECDHE
	}
	return nil
}

// certified reports whether the server shows a certificate.
func (a *Agreed) certified() bool {
	if a.Version == iana.TLS13 {
		return !a.PSK
	}
	return a.Suite.Certified()
}

// agreement is what agree made of a ServerHello: who checks it and who settles it need not both
// compute it.
type agreement struct {
	hello *message.ServerHello
	rest  *message.EncryptedExtensions
	*Agreed
}

// agree is the agreement with messages that were heard or are about to be said. It settles nothing.
func (s *Score) agree(sh *message.ServerHello, ee *message.EncryptedExtensions) (*Agreed, error) {
	if s.agreement.hello != sh || s.agreement.rest != ee {
		a, err := agree(s.ClientHello, sh, ee)
		if err != nil {
			return nil, err
		}
		s.agreement = agreement{sh, ee, a}
	}
	return s.agreement.Agreed, nil
}

// acceptable is what a live client refuses in a ServerHello before anything is agreed. See RFC 5246
// §7.4.1.3 and §7.4.1.4.
func acceptable(ch *message.ClientHello, sh *message.ServerHello, p *Parameters) error {
	const ref = "RFC 5246 §7.4.1.3"
	switch {
	case sh.Version > min(ch.Version, iana.TLS12):
		return alert.KindVersion.Fail(alert.IllegalParameter, ref,
			"the server chose %v, we offered at most %v", sh.Version, ch.Version)
	case sh.Version < p.MinVersion:
		return alert.KindVersion.Fail(alert.ProtocolVersion, ref,
			"the server chose %v, we offered %v to %v", sh.Version, p.MinVersion, p.MaxVersion)
	case downgraded(sh, p.MaxVersion):
		return alert.KindDowngrade.Fail(alert.IllegalParameter, "RFC 8446 §4.1.3",
			"server_random says that the server was made to choose %v, and speaks more", sh.Version)
	case !ch.Offers(sh.CipherSuite) || signalling(sh.CipherSuite):
		return alert.KindSuite.Fail(alert.IllegalParameter, ref,
			"the server chose %v, which we did not offer", sh.CipherSuite)
	case sh.CompressionMethod != iana.CompressionNull:
		return alert.KindCompression.Fail(alert.IllegalParameter, ref,
			"the server chose compression %v, we offered null", sh.CompressionMethod)
	}
	return placed(sh.Extensions, versionOf(sh), message.InServerHello,
		func(x *extension) bool { return x.asked(ch) })
}

// follows checks, for a client, that a handshake is tied to the one before it or is the
// connection's first. A first handshake needs renegotiation_info too: without it an attacker can
// splice the client's handshake behind one of its own. Only the client can notice, and only a
// server that renegotiates can be used; ours never does and accepts any client. See RFC 5746 §3.4
// and §3.5.
func (a *Agreed) follows(prior *Prior, secure Demand) error {
	var want []byte
	if prior != nil {
		want = append(bytes.Clone(prior.VerifyData[iana.Client]), prior.VerifyData[iana.Server]...)
	}
	switch {
	case subtle.ConstantTimeCompare(a.renegotiated, want) != 1:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.5",
			"the server's renegotiation_info is not that of the handshake before this one, or "+
				"of none")
	case prior == nil && secure == Required && !a.SecureRenegotiation:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.4",
			"the server does not know RFC 5746 (renegotiation_info), without which a "+
				"renegotiation "+
				"can be spliced; policy legacy accepts it")
	case prior == nil:
		return nil
	case prior.Leaf != nil && !a.certified():
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §5",
			"the server showed a certificate, and renegotiates with %v, which has none", a.Suite.ID)
	case !a.SecureRenegotiation:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.5",
			"the server renegotiates without renegotiation_info")
	case a.Version != prior.Agreed.Version,
		a.ExtendedMasterSecret != prior.Agreed.ExtendedMasterSecret:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 7627 §5.2",
			"the server renegotiates with another version, or another kind of master_secret")
	case a.ALPN != "" && a.ALPN != prior.Agreed.ALPN:
		return alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 7301 §3.1",
			"the server renegotiates with the protocol %q, the program speaks %q", a.ALPN,
			prior.Agreed.ALPN)
	}
	return nil
}

// demanded compares what was agreed with what we insist on.
func (a *Agreed) demanded(p *Parameters, sh *message.ServerHello) error {
	switch {
	case sh.Extensions.Has(iana.ExtEncryptThenMAC) && !a.EncryptThenMAC:
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 7366 §3",
			"the server agrees to encrypt_then_mac with %v, which has no MAC to move", a.Suite.ID)
	case p.EncryptThenMAC == Required && !a.EncryptThenMAC && a.Suite.Cipher.CBC():
		return alert.KindMissing.Fail(alert.HandshakeFailure, "RFC 7366 §3",
			"the peer does not do encrypt_then_mac, which we require")
	case p.ExtendedMasterSecret == Required && !a.ExtendedMasterSecret:
		return alert.KindMissing.Fail(alert.HandshakeFailure, "RFC 7627 §5.2",
			"the peer does not do extended_master_secret, which we require")
	}
	return nil
}

// The last eight bytes of a server_random by which a server says that it was asked for less than it
// speaks.
const (
	downgradeTo12 = "DOWNGRD\x01"
	downgradeTo11 = "DOWNGRD\x00"
)

// downgraded checks the sentinels. One for TLS 1.2 is no attack as long as TLS 1.2 is the most that
// we offer. See RFC 8446 §4.1.3.
func downgraded(sh *message.ServerHello, ours iana.Version) bool {
	tail := string(sh.Random[24:])
	return sh.Version < ours && (tail == downgradeTo11 || tail == downgradeTo12)
}

// signalling tells the values that stand in a list of suites and are none.
func signalling(s iana.CipherSuite) bool {
	return s == iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV || s == iana.TLS_FALLBACK_SCSV
}
