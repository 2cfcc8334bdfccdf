package main

import (
	"crypto/tls"
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// compliance is what one of BoringSSL's compliance policies leaves of the settings.
type compliance struct {
	groups   []tls.CurveID
	schemes  []tls.SignatureScheme
	suites   []iana.CipherSuite
	suites13 []uint16
}

// compliances has the policies that a Config can express: they allow TLS 1.2 and 1.3. Those of CNSA
// want ML-KEM-1024 alone as a group, which Vitrine has only as a part of hybrids.
var compliances = map[string]compliance{
	"fips-202205": {
		groups: []tls.CurveID{tls.CurveP256, tls.CurveP384},
		schemes: []tls.SignatureScheme{tls.PKCS1WithSHA256, tls.PKCS1WithSHA384,
			tls.PKCS1WithSHA512, tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384,
			tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512},
		suites: []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		suites13: []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384},
	},
	"wpa-202304": {
		groups: []tls.CurveID{tls.CurveP384},
		schemes: []tls.SignatureScheme{tls.PKCS1WithSHA384, tls.PKCS1WithSHA512,
			tls.ECDSAWithP384AndSHA384, tls.PSSWithSHA384, tls.PSSWithSHA512},
		suites: []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		suites13: []uint16{tls.TLS_AES_256_GCM_SHA384},
	},
}

// complies limits the settings to those of a compliance policy.
func (c *connection) complies(cfg *vitrine.Config) error {
	if c.compliance == "" {
		return nil
	}
	p := compliances[c.compliance]
	cfg.MinVersion = max(cfg.MinVersion, vitrine.VersionTLS12)
	cfg.CipherSuites, cfg.CipherSuites13 = nil, p.suites13
	for _, id := range suite.Preference() {
		if slices.Contains(p.suites, id) {
			cfg.CipherSuites = append(cfg.CipherSuites, uint16(id))
		}
	}
	cfg.SignatureSchemes = slices.DeleteFunc(cfg.SignatureSchemes,
		func(s tls.SignatureScheme) bool { return !slices.Contains(p.schemes, s) })
	if c.curves == nil {
		cfg.CurvePreferences = p.groups
	}
	return nil
}
