package main

import (
	"bytes"
	"crypto"
	"maps"
	"slices"

	"github.com/vitrine-tls/vitrine"
)

// Pre-shared keys of TLS 1.3, which BoringSSL always imports: RFC 9258.

func hashes(h crypto.Hash) func(*credential, string) error {
	return func(c *credential, _ string) error {
		c.psk.Hash = h
		return nil
	}
}

// preShared returns the keys among the credentials, by their numbers.
func (o *options) preShared() map[int]*vitrine.PSK {
	keys := map[int]*vitrine.PSK{}
	for i, c := range o.credentials {
		if c.psk != nil {
			keys[i] = c.psk
		}
	}
	return keys
}

// importKeys sets how a side finds its pre-shared keys.
func (c *connection) importKeys(cfg *vitrine.Config) error {
	keys := c.preShared()
	if len(keys) == 0 {
		return nil
	}
	if !c.server && !c.verifyPeer { // then BoringSSL takes no certificate
		cfg.InsecureSkipVerify, cfg.MinVersion = false, vitrine.VersionTLS13
	}
	if !c.server {
		cfg.GetPSKs = func(i *vitrine.PSKInfo) (offered []*vitrine.PSK, err error) {
			if i.Version < vitrine.VersionTLS13 {
				return nil, nil
			}
			for _, n := range slices.Sorted(maps.Keys(keys)) {
				offered = append(offered, keys[n])
			}
			return offered, nil
		}
	}
	cfg.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
		for n, k := range keys {
			if i.Version < vitrine.VersionTLS13 {
				break // BoringSSL's are for TLS 1.3 alone
			}
			if i.Imported && bytes.Equal(k.Identity, i.Identity) &&
				bytes.Equal(k.Context, i.ImportContext) {
				c.selected = n
				return k, nil
			}
		}
		return nil, nil
	}
	return nil
}

// noteKey notes which of its pre-shared keys a client has used.
func (c *connection) noteKey(s *vitrine.ConnectionState) error {
	for n, k := range c.preShared() {
		if !c.server && bytes.Equal(k.Identity, s.PSKIdentity) {
			c.selected = n
		}
	}
	return nil
}
