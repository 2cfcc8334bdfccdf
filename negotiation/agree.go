package negotiation

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// Agree returns the parameters that the hellos and, in TLS 1.3, EncryptedExtensions negotiate; ee
// is nil until it is known. It returns an error only if they contradict each other: a client checks
// more (see Acceptable), so that an observer can follow connections that our client would reject.
func Agree(ch *message.ClientHello, sh *message.ServerHello,
	ee *message.EncryptedExtensions) (*Agreed, error) {
	version := VersionOf(sh)
	s, err := SuiteOf(sh.CipherSuite, version)
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
	if err := a.applyExtensions(ch, sh.Extensions, message.InServerHello); err != nil {
		return nil, err
	}
	if ee != nil {
		if err := a.applyExtensions(ch, ee.Extensions, message.InEncryptedExtensions); err != nil {
			return nil, err
		}
	}
	a.ServerName, a.EarlyOffered = ServerName(ch), ch.Extensions.Has(iana.ExtEarlyData)
	return a, nil
}

// applyExtensions sets what the server's extensions in one message negotiate.
func (a *Agreed) applyExtensions(ch *message.ClientHello, server message.Extensions,
	in message.Place) error {
	for _, x := range server {
		row := extensionRow(x.Type)
		if row == nil || row.apply == nil || row.places(a.Version)&in == 0 || !row.Asked(ch) {
			continue
		}
		if err := row.apply(a, ch.Extensions, server); err != nil {
			return err
		}
	}
	return nil
}

// exchange13 sets the key exchange of a TLS 1.3 handshake: the group of key_share, a pre-shared
// key, or both.
func (a *Agreed) exchange13(sh *message.ServerHello) error {
	var share message.KeyShare
	var selected message.SelectedPSK
	shared, err := Read(sh.Extensions, iana.ExtKeyShare, &share)
	if err != nil {
		return err
	}
	if a.PSK, err = Read(sh.Extensions, iana.ExtPreSharedKey, &selected); err != nil {
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

// SuiteOf returns the suite of a ServerHello.
func SuiteOf(id iana.CipherSuite, v iana.Version) (*suite.Suite, error) {
	s := suite.Readable(id)
	if s == nil {
		return nil, alert.KindSuite.Fail(alert.IllegalParameter, "RFC 5246 §7.4.1.3",
			"the server chose %v, which Vitrine does not know", id)
	}
	if s.TLS13() != (v == iana.TLS13) {
		return nil, alert.KindSuite.Fail(alert.IllegalParameter, "RFC 8446 §B.4",
			"the server chose %v with %v", id, v)
	}
	if max(v, iana.TLS10) < s.MinVersion() {
		return nil, alert.KindSuite.Fail(alert.IllegalParameter, "RFC 5246 §7.4.1.3",
			"the server chose %v with %v, which needs %v", id, v, s.MinVersion())
	}
	return s, nil
}

// Echoes reports whether a ServerHello repeats the session ID of the session on offer. See RFC 5246
// §7.4.1.3.
func Echoes(ch *message.ClientHello, sh *message.ServerHello) bool {
	return len(ch.SessionID) > 0 && bytes.Equal(ch.SessionID, sh.SessionID)
}

// Resumes reports what the two hellos alone show about resumption: it is undecided until the
// server's next message if the client offered a ticket with an empty session ID. See RFC 5077 §3.4.
func Resumes(ch *message.ClientHello, sh *message.ServerHello) (resumed, undecided bool) {
	if VersionOf(sh) == iana.TLS13 {
		// the echo of the session ID is there for old middleboxes: RFC 8446 §4.1.3
		return false, false
	}
	if len(ch.SessionID) > 0 {
		return Echoes(ch, sh), false
	}
	var t message.SessionTicket
	_, err := Read(ch.Extensions, iana.ExtSessionTicket, &t)
	return false, err == nil && len(t.Ticket) > 0
}
