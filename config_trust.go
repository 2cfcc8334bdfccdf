package vitrine

import (
	"crypto/tls"
	"errors"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// The fields of a Config about certificates and trust.

func (c *Config) trust(me iana.Side) (negotiation.Trust, error) {
	t := negotiation.Trust{VerifyPeer: c.VerifyPeerCertificate,
		Legacy: c.Policy.orModern().legacyChains, LegacyRoots: c.LegacyRoots,
		EachChain: c.ChainCacheDisabled}
	if me == iana.Client {
		t.ServerName, t.Roots, t.Skip = c.ServerName, c.RootCAs, c.InsecureSkipVerify
		if t.ServerName == "" && !t.Skip && c.GetPSK == nil && c.namesPeer() {
			return t, errors.New("vitrine: either Config.ServerName or Config.InsecureSkipVerify " +
				"must be set")
		}
		return t, c.rawKeys(&t, !t.Skip)
	}
	if len(c.Certificates) == 0 && c.GetPSK == nil && c.GetCertificate == nil &&
		c.GetConfigForClient == nil {
		return t, errors.New("vitrine: a server needs Config.Certificates, GetCertificate, " +
			"GetConfigForClient or GetPSK")
	}
	t.Roots = c.ClientCAs
	t.ClientAuth = clientAuth(c.ClientAuth)
	return t, c.rawKeys(&t, t.ClientAuth.Verify)
}

func clientAuth(t tls.ClientAuthType) negotiation.ClientAuth {
	return negotiation.ClientAuth{
		Request: t != tls.NoClientCert,
		Require: t == tls.RequireAnyClientCert || t == tls.RequireAndVerifyClientCert,
		Verify:  t == tls.VerifyClientCertIfGiven || t == tls.RequireAndVerifyClientCert,
	}
}
