package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// config returns the Config of one connection.
func (c *connection) config() (*vitrine.Config, error) {
	o := c.options
	cfg := c.shared.base.Clone()
	cfg.GetCertificate, cfg.MaxEarlyData = nil, 0
	cfg.InsecureSkipVerify, cfg.ServerName = true, o.hostName
	cfg.ClientSessionCache, cfg.SessionStore = &c.cache, &c.store
	cfg.TicketKeys, cfg.SessionTicketsDisabled = c.ticketKeys(), o.noTicket
	cfg.Trace, cfg.KeyLogWriter = &c.messages, &c.secrets
	if c.server {
		// for the hello in the form of SSL 2.0; what it allows is set below
		cfg.Policy = vitrine.Legacy
	}
	if c.server && c.enableEarly {
		cfg.MaxEarlyData = maxEarlyData
	}
	for _, step := range []func(*vitrine.Config) error{
		c.versions, c.suites, c.groups, c.schemes, c.certificates, c.verification, c.extensions,
		c.complies,
	} {
		if err := step(cfg); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// versions sets the range. Vitrine has no ranges with holes.
func (c *connection) versions(cfg *vitrine.Config) error {
	var on []uint16
	for v := max(c.options.minVersion, 0x0301); v <= c.options.maxVersion; v++ {
		if !c.options.without[v] {
			on = append(on, v)
		}
	}
	if len(on) == 0 {
		return unimplemented("no version is left that Vitrine speaks")
	}
	cfg.MinVersion, cfg.MaxVersion = on[0], on[len(on)-1]
	if int(cfg.MaxVersion-cfg.MinVersion)+1 != len(on) {
		return unimplemented("a range of versions with a hole")
	}
	return nil
}

// suites sets the cipher suites: BoringSSL's defaults, or what an OpenSSL string names.
func (c *connection) suites(cfg *vitrine.Config) error {
	if c.options.fallbackSCSV {
		return unimplemented("-fallback-scsv")
	}
	names, err := cipherString(c.options.cipher)
	if err != nil {
		return err
	}
	for _, id := range suite.Preference() {
		if names(suite.ByID(id)) {
			cfg.CipherSuites = append(cfg.CipherSuites, uint16(id))
		}
	}
	if len(cfg.CipherSuites) == 0 {
		return unimplemented("-cipher %s", c.options.cipher)
	}
	return nil
}

// cipherString returns a predicate for the few cipher strings that the runner uses.
func cipherString(s string) (func(*suite.Suite) bool, error) {
	boring := func(r *suite.Suite) bool { // what BoringSSL has by default
		n := r.String()
		return !slices.ContainsFunc([]string{"3DES", "NULL", "CCM", "TLS_DHE_", "RSA_PSK"},
			func(not string) bool { return strings.Contains(n, not) })
	}
	contains := func(part string) func(*suite.Suite) bool {
		return func(r *suite.Suite) bool {
			return strings.Contains(r.String(), part) && !strings.Contains(r.String(), "_DHE_")
		}
	}
	switch s {
	case "":
		return boring, nil
	case "3DES":
		return contains("RSA_WITH_3DES"), nil
	case "ALL:3DES":
		return func(r *suite.Suite) bool { return boring(r) || contains("RSA_WITH_3DES")(r) }, nil
	case "AES128":
		return func(r *suite.Suite) bool { return boring(r) && contains("AES_128")(r) }, nil
	case "DEFAULT:!AES":
		return func(r *suite.Suite) bool { return boring(r) && !contains("AES")(r) }, nil
	}
	names := strings.Split(s, ":")
	for _, n := range names {
		if !strings.HasPrefix(n, "TLS_") {
			return nil, unimplemented("-cipher %s", s)
		}
	}
	return func(r *suite.Suite) bool { return slices.Contains(names, r.String()) }, nil
}

// defaultAccepted are what BoringSSL accepts by default.
var defaultAccepted = []tls.SignatureScheme{
	tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.PKCS1WithSHA256,
	tls.ECDSAWithP384AndSHA384, tls.PSSWithSHA384, tls.PKCS1WithSHA384,
	tls.PSSWithSHA512, tls.PKCS1WithSHA512, tls.PKCS1WithSHA1,
}

// defaultSigning are what it signs with by default.
var defaultSigning = []tls.SignatureScheme{
	tls.Ed25519, tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.PKCS1WithSHA256,
	tls.ECDSAWithP384AndSHA384, tls.PSSWithSHA384, tls.PKCS1WithSHA384,
	tls.ECDSAWithP521AndSHA512, tls.PSSWithSHA512, tls.PKCS1WithSHA512,
	tls.ECDSAWithSHA1, tls.PKCS1WithSHA1,
}

// schemes sets what this side signs with and accepts, for which Vitrine has one list and BoringSSL
// two: each in its own order where a side does only one of both. Each credential is limited to its
// own besides.
func (c *connection) schemes(cfg *vitrine.Config) error {
	accepted := defaultAccepted
	if len(c.verifyPrefs) > 0 {
		accepted = convert(c.verifyPrefs)
	}
	var list []tls.SignatureScheme
	for _, cred := range append(slices.Clone(c.credentials), &c.usual) {
		switch {
		case len(cred.signingPrefs) > 0:
			list = append(list, cred.signingPrefs...)
		case cred.certFile != "":
			able, err := cred.schemes()
			if err != nil {
				return err
			}
			list = append(list, able...)
		}
	}
	if !c.server || c.verifyPeer || c.requireCert {
		list = append(list, accepted...)
	}
	for _, s := range list {
		if pki.Signs(iana.SignatureScheme(s)) && !slices.Contains(cfg.SignatureSchemes, s) {
			cfg.SignatureSchemes = append(cfg.SignatureSchemes, s)
		}
	}
	return nil
}

func convert(ids []uint16) (list []tls.SignatureScheme) {
	for _, id := range ids {
		list = append(list, tls.SignatureScheme(id))
	}
	return list
}

func (c *connection) groups(cfg *vitrine.Config) error {
	list := c.options.curves
	if list == nil {
		list = []uint16{uint16(iana.X25519MLKEM768), 29, 23, 24}
	}
	for _, id := range list {
		g, ok := kex.Named(iana.Group(id))
		switch {
		case !ok:
			return unimplemented("the group 0x%04x", id)
		case g.ID().Hybrid() && cfg.MaxVersion < vitrine.VersionTLS13:
			continue
		}
		cfg.CurvePreferences = append(cfg.CurvePreferences, tls.CurveID(id))
	}
	if c.keyShares != nil {
		cfg.KeyShares = []tls.CurveID{}
	}
	for _, id := range c.keyShares {
		cfg.KeyShares = append(cfg.KeyShares, tls.CurveID(id))
	}
	return nil
}

func (c *connection) verification(cfg *vitrine.Config) error {
	o := c.options
	cfg.PeerCertificateTypes = o.peerTypes
	if o.server {
		switch {
		case o.verifyPeer:
			cfg.ClientAuth = tls.RequestClientCert
		case o.requireCert:
			cfg.ClientAuth = tls.RequireAnyClientCert
		}
		pool, err := authorities(o.clientCAList)
		if err != nil {
			return err
		}
		cfg.ClientCAs = pool
	}
	if !o.server { // with a verdict of its own about chains a client looks at their KeyUsage
		cfg.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return nil }
	}
	if !o.server || !o.enableEarly || o.verifyFail {
		cfg.VerifyConnection = c.verify // with which a server accepts no early data
	}
	return nil
}

// verify judges a connection as the flags say.
func (c *connection) verify(s vitrine.ConnectionState) error {
	if s.EarlyData == vitrine.EarlyDataRejected {
		c.options = c.rejected
	}
	refuse := alert.HandshakeFailure
	if c.customVerify {
		refuse = alert.CertificateUnknown
	}
	anew := !s.DidResume || c.reverify
	shown := len(s.PeerCertificates) > 0 && (c.verifyPeer || c.requireCert) ||
		s.PeerRawPublicKey != nil
	if c.verifyFail && anew && shown {
		return &alert.Error{Alert: refuse, Reason: ":CERTIFICATE_VERIFY_FAILED:"}
	}
	if c.failOCSP && !c.server && c.enableOCSP && !s.DidResume {
		return &alert.Error{Alert: alert.BadCertificateStatusResponse, Reason: ":OCSP_CB_ERROR:"}
	}
	return nil
}

// authorities returns a pool that has no more than the names of a -use-client-ca-list.
func authorities(list *string) (*x509.CertPool, error) {
	if list == nil {
		return nil, nil
	}
	names, err := namesOf(*list)
	pool := x509.NewCertPool()
	for _, der := range names {
		pool.AddCert(&x509.Certificate{Raw: der, RawSubject: der})
	}
	return pool, err
}

// namesOf reads distinguished names in hexadecimal, with commas between them.
func namesOf(list string) (names [][]byte, err error) {
	if list == "<NULL>" || list == "<EMPTY>" {
		return nil, nil
	}
	for _, s := range strings.Split(list, ",") {
		der, err := hex.DecodeString(s)
		if err != nil {
			return nil, err
		}
		names = append(names, der)
	}
	return names, nil
}

func (c *connection) extensions(cfg *vitrine.Config) error {
	o := c.options
	if !o.enableOCSP {
		cfg.StatusRequest = vitrine.Off
	}
	if o.server {
		cfg.StatusRequest = vitrine.Preferred
		if o.declineOCSP {
			cfg.StatusRequest = vitrine.Off
		}
	}
	if !o.enableSCT && !o.server {
		cfg.Timestamps = vitrine.Off
	}
	cfg.EncryptThenMAC, cfg.GREASE = vitrine.Off, o.grease
	cfg.CertificateCompression = o.compressionsOn()
	switch o.renegotiation {
	case "freely":
		cfg.Renegotiation = tls.RenegotiateFreelyAsClient
	case "once":
		cfg.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if o.psk != "" {
		cfg.PSKIdentityHint = []byte(o.pskIdentity)
		key := &vitrine.PSK{Identity: []byte(o.pskIdentity), Key: []byte(o.psk)}
		cfg.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
			if o.server && !bytes.Equal(i.Identity, key.Identity) {
				return nil, nil
			}
			return key, nil
		}
	}
	if err := c.importKeys(cfg); err != nil {
		return err
	}
	for b := o.advertiseALPN; len(b) > 0; {
		n := int(b[0])
		cfg.NextProtos, b = append(cfg.NextProtos, string(b[1:1+n])), b[1+n:]
	}
	switch {
	case o.selectALPN != nil:
		cfg.NextProtos = []string{*o.selectALPN}
	case o.rejectALPN:
		cfg.NextProtos = []string{"a protocol that nobody offers"}
	}
	if o.server {
		c.watchHello(cfg)
	}
	return nil
}

// watchHello keeps the ClientHello for the expectations.
func (c *connection) watchHello(cfg *vitrine.Config) {
	cfg.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
		c.hello = i
		if err := c.checkPrefs(i.SignatureSchemes); err != nil {
			return nil, err
		}
		switch {
		case c.failHello:
			return nil, failure(":CONNECTION_REJECTED:")
		case c.failOCSP && slices.Contains(i.Extensions, uint16(iana.ExtStatusRequest)):
			return nil, &alert.Error{Alert: alert.InternalError, Reason: ":OCSP_CB_ERROR:"}
		}
		return nil, nil
	}
}
