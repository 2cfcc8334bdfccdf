package negotiation

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// The functions of the extensions that only TLS 1.3 has.

// supported_versions

func offerVersions(p *Parameters, g *Greased) (message.Content, bool) {
	var v message.SupportedVersions
	for version := p.MaxVersion; version >= p.MinVersion && version >= iana.TLS10; version-- {
		v.Versions = append(v.Versions, version)
	}
	v.Versions = WithGrease(g, greaseVersion, v.Versions)
	return &v, true
}

func answerVersion(_ *Config, an *Answering) (message.Content, bool, error) {
	return &message.SelectedVersion{Version: an.Version}, an.Version == iana.TLS13, nil
}

// key_share

func offerShares(o *Offering) (message.Content, bool) {
	var k message.KeyShares
	if o.GREASE && o.Retry == nil {
		k.Shares = append(k.Shares, message.KeyShareEntry{
			Group: iana.Group(o.Greased.value(greaseGroup)), KeyExchange: []byte{0}})
	}
	k.Shares = append(k.Shares, o.Shares...)
	return &k, true
}

// cookie: a second hello repeats the cookie of the HelloRetryRequest.

func offerCookie(o *Offering) (message.Content, bool) {
	if o.Retry == nil {
		return nil, false
	}
	var cookie message.Cookie
	sent, err := Read(o.Retry.Extensions, iana.ExtCookie, &cookie)
	return &cookie, sent && err == nil
}

// early_data

// applyEarlyData records that the server accepts the early data that the client sends.
func applyEarlyData(a *Agreed, _, _ message.Extensions) error {
	a.EarlyData = true
	return nil
}

func offerCompression(p *Parameters, _ *Greased) (message.Content, bool) {
	return &message.CompressionAlgorithms{Algorithms: p.CertificateCompression},
		len(p.CertificateCompression) > 0
}

func offerLateAuth(p *Parameters, _ *Greased) (message.Content, bool) {
	return nil, p.PostHandshakeAuth
}

// offerPSK lists the identities on offer. Their binders depend on the rest of the hello: see bind.
func offerPSK(o *Offering) (message.Content, bool) {
	if len(o.Keys) == 0 {
		return nil, false
	}
	m := &message.OfferedPSKs{}
	for _, k := range o.Keys {
		identity := message.PSKIdentity{Identity: k.Identity}
		if s := k.Session; s != nil {
			age := max(0, o.CurrentTime().Sub(s.Issued).Milliseconds())
			identity.ObfuscatedTicketAge = uint32(age) + s.AgeAdd
		}
		m.Identities = append(m.Identities, identity)
		m.Binders = append(m.Binders, make([]byte, k.Hash.Size()))
	}
	return m, true
}

func offerPSKModes(o *Offering) (message.Content, bool) {
	return &message.PSKKeyExchangeModes{Modes: o.Greased.withMode(o.PskModes())},
		o.Tickets || len(o.Keys) > 0
}

// answerPSK returns the index of the selected identity.
func answerPSK(_ *Config, an *Answering) (message.Content, bool, error) {
	return &message.SelectedPSK{Identity: uint16(an.Chosen.Identity)}, an.Chosen.Key != nil, nil
}

func offerEarlyData(o *Offering) (message.Content, bool) {
	return nil, o.Early
}

// answerEarlyData announces in EncryptedExtensions that early data is accepted.
func answerEarlyData(_ *Config, an *Answering) (message.Content, bool, error) {
	return nil, an.Chosen.Early, nil
}

// group13 answers key_share with our share, or in a HelloRetryRequest with the group that a share
// is requested for.
func group13(_ *Config, an *Answering) (message.Content, bool, error) {
	if !an.Chosen.Exchanges() {
		return nil, false, nil
	}
	id := an.Chosen.Group.ID()
	if an.At == message.InHelloRetryRequest {
		return &message.SelectedGroup{Group: id}, true, nil
	}
	if an.Key == nil {
		return nil, false, fmt.Errorf("negotiation: no key share of %v was made", id)
	}
	return &message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: id,
		KeyExchange: an.Key.Share}}, true, nil
}
