package handshake

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// The columns of the extensions that only TLS 1.3 has.

// supported_versions

func offerVersions(o *offering) (message.Content, bool) {
	var v message.SupportedVersions
	for version := o.MaxVersion; version >= o.MinVersion && version >= iana.TLS10; version-- {
		v.Versions = append(v.Versions, version)
	}
	v.Versions = withGrease(o.greased, greaseVersion, v.Versions)
	return &v, o.MaxVersion >= iana.TLS13
}

func answerVersion(_ *Config, an *answering) (message.Content, bool, error) {
	return &message.SelectedVersion{Version: an.version}, an.version == iana.TLS13, nil
}

// key_share

func offerShares(o *offering) (message.Content, bool) {
	var k message.KeyShares
	if o.GREASE && o.retry == nil {
		k.Shares = append(k.Shares, message.KeyShareEntry{
			Group: iana.Group(o.greased.value(greaseGroup)), KeyExchange: []byte{0}})
	}
	k.Shares = append(k.Shares, o.shares...)
	return &k, o.MaxVersion >= iana.TLS13
}

// cookie: a second hello says again what the server's retry said.

func offerCookie(o *offering) (message.Content, bool) {
	if o.retry == nil {
		return nil, false
	}
	var cookie message.Cookie
	sent, err := read(o.retry.Extensions, iana.ExtCookie, &cookie)
	return &cookie, sent && err == nil
}

// early_data

// settleEarlyData: the server takes the early data that the client sends.
func settleEarlyData(a *Agreed, _, _ message.Extensions) error {
	a.EarlyData = true
	return nil
}

func offerCompression(o *offering) (message.Content, bool) {
	return &message.CompressionAlgorithms{Algorithms: o.CertificateCompression},
		o.MaxVersion >= iana.TLS13 && len(o.CertificateCompression) > 0
}

func offerLateAuth(o *offering) (message.Content, bool) {
	return nil, o.PostHandshakeAuth && o.MaxVersion >= iana.TLS13
}

// offerPSK names the keys on offer. Their binders are not known before the rest of the hello is:
// see bind.
func offerPSK(o *offering) (message.Content, bool) {
	m := &message.OfferedPSKs{}
	for _, k := range o.keys {
		identity := message.PSKIdentity{Identity: k.identity}
		if s := k.session; s != nil {
			age := max(0, o.currentTime().Sub(s.Issued).Milliseconds())
			identity.ObfuscatedTicketAge = uint32(age) + s.AgeAdd
		}
		m.Identities = append(m.Identities, identity)
		m.Binders = append(m.Binders, make([]byte, k.hash.Size()))
	}
	return m, len(m.Identities) > 0
}

func offerPSKModes(o *offering) (message.Content, bool) {
	return &message.PSKKeyExchangeModes{Modes: o.greased.withMode(o.pskModes())},
		o.MaxVersion >= iana.TLS13 && (o.Tickets || len(o.keys) > 0)
}

// answerPSK says which identity was taken.
func answerPSK(_ *Config, an *answering) (message.Content, bool, error) {
	return &message.SelectedPSK{Identity: uint16(an.chosen.identity)}, an.chosen.key != nil, nil
}

func offerEarlyData(o *offering) (message.Content, bool) {
	return nil, o.early
}

// answerEarlyData says in EncryptedExtensions that early data is accepted.
func answerEarlyData(_ *Config, an *answering) (message.Content, bool, error) {
	return nil, an.chosen.early, nil
}

// group13 answers key_share: our share, or the group that we want one of.
func group13(_ *Config, an *answering) (message.Content, bool, error) {
	if !an.chosen.exchanges() {
		return nil, false, nil
	}
	id := an.chosen.group.ID()
	if an.at == message.InHelloRetryRequest {
		return &message.SelectedGroup{Group: id}, true, nil
	}
	if an.key == nil {
		return nil, false, fmt.Errorf("handshake: no share of %v was made", id)
	}
	return &message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: id,
		KeyExchange: an.key.Share}}, true, nil
}
