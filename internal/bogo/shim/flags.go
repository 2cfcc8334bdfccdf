package main

import (
	"crypto"
	"crypto/tls"
	"strconv"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
)

// flags are those that the shim implements, without the leading dash.
var flags = map[string]flag{
	"port":         number(func(o *options) *int { return &o.port }),
	"shim-id":      number(func(o *options) *int { return &o.shimID }),
	"resume-count": number(func(o *options) *int { return &o.resumeCount }),
	"refuse":       yes(func(o *options) *bool { return &o.refuse }), // our own
	"ipv6":         yes(func(o *options) *bool { return &o.ipv6 }),
	"server":       yes(func(o *options) *bool { return &o.server }),

	"min-version":    number(func(o *options) *uint16 { return &o.minVersion }),
	"max-version":    number(func(o *options) *uint16 { return &o.maxVersion }),
	"expect-version": number(func(o *options) *uint16 { return &o.expectVersion }),
	"no-tls1":        without(0x0301),
	"no-tls11":       without(0x0302),
	"no-tls12":       without(0x0303),
	"no-tls13":       without(0x0304),
	"fallback-scsv":  yes(func(o *options) *bool { return &o.fallbackSCSV }),

	"cert-file": ofCredential(true, func(c *credential, v string) error {
		c.certFile = v
		return nil
	}),
	"key-file": ofCredential(true, func(c *credential, v string) error {
		c.keyFile = v
		return nil
	}),
	"signing-prefs": ofCredential(true, func(c *credential, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		c.signingPrefs = append(c.signingPrefs, tls.SignatureScheme(n))
		return err
	}),
	"must-match-issuer": ofCredential(false, func(c *credential, _ string) error {
		c.mustMatchIssuer = true
		return nil
	}),
	"ocsp-response":          decode64(func(c *credential) *[]byte { return &c.staple }),
	"signed-cert-timestamps": decode64(func(c *credential) *[]byte { return &c.timestamps }),
	"new-x509-credential": {false, func(o *options, _ string) error {
		o.credentials = append(o.credentials, &credential{})
		return nil
	}},
	"new-rpk-credential": {false, func(o *options, _ string) error {
		o.credentials = append(o.credentials, &credential{raw: true})
		return nil
	}},
	"accepted-peer-cert-types": types(func(o *options) *[]iana.CertificateType {
		return &o.peerTypes
	}),
	"available-client-cert-types": types(func(o *options) *[]iana.CertificateType {
		return &o.ownTypes
	}),
	"expect-peer-certificate-type": integer(func(o *options) **int { return &o.expectPeerType }),
	"expect-peer-rpk-sha256":       blob(func(o *options) *[]byte { return &o.expectPeerKey }),
	"new-psk-credential": {false, func(o *options, _ string) error {
		o.credentials = append(o.credentials, &credential{psk: &vitrine.PSK{Import: true}})
		return nil
	}},
	"psk-importer-key":           decode64(func(c *credential) *[]byte { return &c.psk.Key }),
	"psk-importer-identity":      decode64(func(c *credential) *[]byte { return &c.psk.Identity }),
	"psk-importer-context":       decode64(func(c *credential) *[]byte { return &c.psk.Context }),
	"psk-importer-sha256":        ofCredential(false, hashes(crypto.SHA256)),
	"psk-importer-sha384":        ofCredential(false, hashes(crypto.SHA384)),
	"expect-selected-credential": integer(func(o *options) **int { return &o.expectSelected }),
	"expect-peer-verify-pref":    list(func(o *options) *[]uint16 { return &o.expectPrefs }),
	"trust-cert":                 text(func(o *options) *string { return &o.trustCert }),
	"verify-prefs":               list(func(o *options) *[]uint16 { return &o.verifyPrefs }),
	"enable-ocsp-stapling":       yes(func(o *options) *bool { return &o.enableOCSP }),
	"expect-ocsp-response":       blob(func(o *options) *[]byte { return &o.expectOCSP }),
	"expect-certificate-types": blob(func(o *options) *[]byte {
		return &o.expectCertificateTypes
	}),
	"expect-peer-cert-file": text(func(o *options) *string {
		return &o.expectPeerCertFile
	}),
	"enable-signed-cert-timestamps": yes(func(o *options) *bool { return &o.enableSCT }),
	"expect-signed-cert-timestamps": blob(func(o *options) *[]byte { return &o.expectSCT }),
	"expect-peer-signature-algorithm": number(func(o *options) *uint16 {
		return &o.expectPeerSignature
	}),

	"verify-peer":                    yes(func(o *options) *bool { return &o.verifyPeer }),
	"verify-fail":                    yes(func(o *options) *bool { return &o.verifyFail }),
	"reverify-on-resume":             yes(func(o *options) *bool { return &o.reverify }),
	"fail-cert-callback":             yes(func(o *options) *bool { return &o.failCertCallback }),
	"expect-no-peer-cert":            yes(func(o *options) *bool { return &o.expectNoPeerCert }),
	"use-custom-verify-callback":     yes(func(o *options) *bool { return &o.customVerify }),
	"require-any-client-certificate": yes(func(o *options) *bool { return &o.requireCert }),
	"use-client-ca-list": optional(func(o *options) **string {
		return &o.clientCAList
	}),
	"expect-client-ca-list": optional(func(o *options) **string {
		return &o.expectClientCAList
	}),
	"expect-verify-result": accepted(false),

	"curves":     list(func(o *options) *[]uint16 { return &o.curves }),
	"key-shares": list(func(o *options) *[]uint16 { return &o.keyShares }),
	"no-key-shares": {false, func(o *options, _ string) error {
		o.keyShares = []uint16{}
		return nil
	}},
	"expect-curve-id": number(func(o *options) *uint16 { return &o.expectCurve }),
	"fips-202205":     choice(func(o *options) *string { return &o.compliance }, "fips-202205"),
	"wpa-202304":      choice(func(o *options) *string { return &o.compliance }, "wpa-202304"),
	"expect-cipher":   number(func(o *options) *uint16 { return &o.expectCipher }),
	"expect-cipher-aes": number(func(o *options) *uint16 {
		return &o.expectAES
	}),
	"expect-cipher-no-aes": number(func(o *options) *uint16 {
		return &o.expectNoAES
	}),
	"cipher": text(func(o *options) *string { return &o.cipher }),

	"host-name":             text(func(o *options) *string { return &o.hostName }),
	"expect-server-name":    text(func(o *options) *string { return &o.expectServerName }),
	"expect-no-server-name": yes(func(o *options) *bool { return &o.expectNoServerName }),
	"advertise-alpn":        raw(func(o *options) *[]byte { return &o.advertiseALPN }),
	"select-alpn":           optional(func(o *options) **string { return &o.selectALPN }),
	"decline-alpn":          yes(func(o *options) *bool { return &o.declineALPN }),
	"reject-alpn":           yes(func(o *options) *bool { return &o.rejectALPN }),
	"expect-alpn":           optional(func(o *options) **string { return &o.expectALPN }),
	"expect-advertised-alpn": raw(func(o *options) *[]byte {
		return &o.expectAdvertisedALPN
	}),

	"expect-extended-master-secret": yes(func(o *options) *bool { return &o.expectEMS }),
	"export-keying-material":        number(func(o *options) *int { return &o.exportLength }),
	"export-label":                  text(func(o *options) *string { return &o.exportLabel }),
	"export-context":                text(func(o *options) *string { return &o.exportContext }),
	"use-export-context":            yes(func(o *options) *bool { return &o.useExportContext }),
	"export-traffic-secrets":        yes(func(o *options) *bool { return &o.trafficSecrets }),
	"tls-unique":                    yes(func(o *options) *bool { return &o.tlsUnique }),

	"no-ticket":                yes(func(o *options) *bool { return &o.noTicket }),
	"expect-session-miss":      yes(func(o *options) *bool { return &o.expectMiss }),
	"use-ticket-aead-callback": yes(func(o *options) *bool { return &o.ticketCallback }),
	"use-ticket-callback":      yes(func(o *options) *bool { return &o.ticketCallback }),
	"renew-ticket":             yes(func(o *options) *bool { return &o.renewTicket }),
	"skip-ticket":              yes(func(o *options) *bool { return &o.skipTicket }),
	"expect-ticket-renewal":    yes(func(o *options) *bool { return &o.expectRenewal }),
	"expect-no-session":        yes(func(o *options) *bool { return &o.expectNoSession }),
	"expect-session-id":        yes(func(o *options) *bool { return &o.expectID }),
	"expect-no-session-id":     yes(func(o *options) *bool { return &o.expectNoID }),
	"expect-ticket-age-skew":   number(func(o *options) *int { return &o.expectSkew }),
	"resumption-delay":         number(func(o *options) *int { return &o.resumptionDelay }),

	"renegotiate-freely": choice(func(o *options) *string {
		return &o.renegotiation
	}, "freely"),
	"renegotiate-explicit": choice(func(o *options) *string { // a Read does it by itself here
		return &o.renegotiation
	}, "freely"),
	"renegotiate-ignore": accepted(false), // no_renegotiation, a warning, and no more
	"renegotiate-once": choice(func(o *options) *string {
		return &o.renegotiation
	}, "once"),
	"expect-total-renegotiations": integer(func(o *options) **int { return &o.expectRenegs }),
	"expect-secure-renegotiation": yes(func(o *options) *bool { return &o.expectSecure }),
	"no-legacy-server-connect":    accepted(false), // policy Modern never does

	"expect-hrr":            verdict(func(o *options) **bool { return &o.expectHRR }, true),
	"expect-no-hrr":         verdict(func(o *options) **bool { return &o.expectHRR }, false),
	"install-ddos-callback": accepted(false), // one that lets every client pass
	"fail-ddos-callback":    yes(func(o *options) *bool { return &o.failHello }),
	"use-ocsp-callback":     yes(func(o *options) *bool { return &o.ocspCallback }),
	"set-ocsp-in-callback":  yes(func(o *options) *bool { return &o.setOCSP }),
	"decline-ocsp-callback": yes(func(o *options) *bool { return &o.declineOCSP }),
	"fail-ocsp-callback":    yes(func(o *options) *bool { return &o.failOCSP }),
	"expect-msg-callback":   optional(func(o *options) **string { return &o.expectMessages }),

	"write-different-record-sizes": yes(func(o *options) *bool { return &o.differentSizes }),
	"cbc-record-splitting":         accepted(false), // TLS 1.0 records are always split
	"partial-write":                accepted(false),
	"repeat-shim-initial-write":    number(func(o *options) *int { return &o.repeatWrite }),

	"shim-writes-first":          yes(func(o *options) *bool { return &o.shimWritesFirst }),
	"shim-shuts-down":            yes(func(o *options) *bool { return &o.shimShutsDown }),
	"check-close-notify":         yes(func(o *options) *bool { return &o.checkCloseNotify }),
	"implicit-handshake":         yes(func(o *options) *bool { return &o.implicit }),
	"shim-initial-write":         text(func(o *options) *string { return &o.initialWrite }),
	"enable-early-data":          yes(func(o *options) *bool { return &o.enableEarly }),
	"expect-accept-early-data":   yes(func(o *options) *bool { return &o.expectAccept }),
	"expect-reject-early-data":   yes(func(o *options) *bool { return &o.expectReject }),
	"expect-no-offer-early-data": yes(func(o *options) *bool { return &o.expectNoOffer }),
	"expect-ticket-supports-early-data": yes(func(o *options) *bool {
		return &o.expectTicketEarly
	}),
	"expect-early-data-reason": text(func(o *options) *string { return &o.expectEarlyReason }),
	"key-update":               yes(func(o *options) *bool { return &o.keyUpdate }),
	"read-size":                number(func(o *options) *int { return &o.readSize }),
	"psk":                      text(func(o *options) *string { return &o.psk }),
	"psk-identity":             text(func(o *options) *string { return &o.pskIdentity }),
	"handshake-twice":          yes(func(o *options) *bool { return &o.handshakeTwice }),

	"enable-grease":                    yes(func(o *options) *bool { return &o.grease }),
	"install-cert-compression-algs":    yes(func(o *options) *bool { return &o.compressions }),
	"install-one-cert-compression-alg": number(func(o *options) *uint16 { return &o.compression }),

	"async": accepted(false),
	// there is one code point here, and none over TCP
	"quic-use-legacy-codepoint":    accepted(true),
	"srtp-profiles":                accepted(true), // means nothing without DTLS
	"peek-then-read":               yes(func(o *options) *bool { return &o.peek }),
	"use-early-callback":           accepted(false),
	"use-old-client-cert-callback": accepted(false),
	"no-op-extra-handshake":        accepted(false),
	"handshaker-path":              accepted(true),
	"allow-hint-mismatch":          accepted(false), // there are no hints here
	"server-preference":            accepted(false),
}
