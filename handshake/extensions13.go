package handshake

import (
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
	v.Versions = withGrease(&o.client.live, greaseVersion, v.Versions)
	return &v, o.MaxVersion >= iana.TLS13
}

func answerVersion(_ *Config, an *answering) (message.Content, bool, error) {
	return &message.SelectedVersion{Version: an.version}, an.version == iana.TLS13, nil
}

// key_share

func offerShares(o *offering) (message.Content, bool) {
	var k message.KeyShares
	if o.GREASE && o.score.Retry == nil {
		k.Shares = append(k.Shares, message.KeyShareEntry{
			Group: iana.Group(o.client.greased.value(greaseGroup)), KeyExchange: []byte{0}})
	}
	for _, s := range o.client.shares {
		k.Shares = append(k.Shares,
			message.KeyShareEntry{Group: s.ID(), KeyExchange: s.offer.Share()})
	}
	return &k, o.MaxVersion >= iana.TLS13
}

// cookie: a second hello says again what the server's retry said.

func offerCookie(o *offering) (message.Content, bool) {
	if o.score.Retry == nil {
		return nil, false
	}
	var cookie message.Cookie
	sent, err := read(o.score.Retry.Extensions, iana.ExtCookie, &cookie)
	return &cookie, sent && err == nil
}

// early_data

// settleEarlyData: the server takes the early data that the client sends.
func settleEarlyData(a *Agreed, _, _ message.Extensions) error {
	a.EarlyData = true
	return nil
}
