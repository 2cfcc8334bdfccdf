package vitrine

import "crypto/tls"

// Aliases of the crypto/tls types that have the same meaning here. A program that moves to Vitrine
// keeps their names, and values of one package are values of the other.
type (
	Certificate                  = tls.Certificate
	CertificateVerificationError = tls.CertificateVerificationError
	CipherSuite                  = tls.CipherSuite
	ClientAuthType               = tls.ClientAuthType
	CurveID                      = tls.CurveID
	RenegotiationSupport         = tls.RenegotiationSupport
	SignatureScheme              = tls.SignatureScheme
)

// The protocol versions, named as in crypto/tls. Vitrine speaks TLS 1.0 to 1.3; VersionSSL30 is
// defined only so that programs that name it compile. See Config.MinVersion for the defaults.
const (
	VersionTLS10 = tls.VersionTLS10
	VersionTLS11 = tls.VersionTLS11
	VersionTLS12 = tls.VersionTLS12
	VersionTLS13 = tls.VersionTLS13

	// Deprecated: SSL 3.0 must not be used (RFC 7568). Connections do not speak it; package observe
	// reads it in captures.
	VersionSSL30 = 0x0300
)

// The modes of Config.ClientAuth.
const (
	NoClientCert               = tls.NoClientCert
	RequestClientCert          = tls.RequestClientCert
	RequireAnyClientCert       = tls.RequireAnyClientCert
	VerifyClientCertIfGiven    = tls.VerifyClientCertIfGiven
	RequireAndVerifyClientCert = tls.RequireAndVerifyClientCert
)

// The modes of Config.Renegotiation.
const (
	RenegotiateNever          = tls.RenegotiateNever
	RenegotiateOnceAsClient   = tls.RenegotiateOnceAsClient
	RenegotiateFreelyAsClient = tls.RenegotiateFreelyAsClient
)

// The groups that crypto/tls defines. Those with MLKEM in their names are used in TLS 1.3 only.
// Package iana names all groups.
const (
	CurveP256          = tls.CurveP256
	CurveP384          = tls.CurveP384
	CurveP521          = tls.CurveP521
	X25519             = tls.X25519
	X25519MLKEM768     = tls.X25519MLKEM768
	SecP256r1MLKEM768  = tls.SecP256r1MLKEM768
	SecP384r1MLKEM1024 = tls.SecP384r1MLKEM1024
)

// The signature schemes that crypto/tls defines. Package iana names all of them.
const (
	PKCS1WithSHA256        = tls.PKCS1WithSHA256
	PKCS1WithSHA384        = tls.PKCS1WithSHA384
	PKCS1WithSHA512        = tls.PKCS1WithSHA512
	PSSWithSHA256          = tls.PSSWithSHA256
	PSSWithSHA384          = tls.PSSWithSHA384
	PSSWithSHA512          = tls.PSSWithSHA512
	ECDSAWithP256AndSHA256 = tls.ECDSAWithP256AndSHA256
	ECDSAWithP384AndSHA384 = tls.ECDSAWithP384AndSHA384
	ECDSAWithP521AndSHA512 = tls.ECDSAWithP521AndSHA512
	Ed25519                = tls.Ed25519
	PKCS1WithSHA1          = tls.PKCS1WithSHA1
	ECDSAWithSHA1          = tls.ECDSAWithSHA1
)

// The cipher suites that crypto/tls defines. Package iana names all of them. No connection uses
// RC4. Suites of TLS 1.3 are ignored in Config.CipherSuites.
const (
	TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 uint16 = 0xcca9

	TLS_RSA_WITH_RC4_128_SHA                    = tls.TLS_RSA_WITH_RC4_128_SHA
	TLS_RSA_WITH_3DES_EDE_CBC_SHA               = tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA
	TLS_RSA_WITH_AES_128_CBC_SHA                = tls.TLS_RSA_WITH_AES_128_CBC_SHA
	TLS_RSA_WITH_AES_256_CBC_SHA                = tls.TLS_RSA_WITH_AES_256_CBC_SHA
	TLS_RSA_WITH_AES_128_CBC_SHA256             = tls.TLS_RSA_WITH_AES_128_CBC_SHA256
	TLS_RSA_WITH_AES_128_GCM_SHA256             = tls.TLS_RSA_WITH_AES_128_GCM_SHA256
	TLS_RSA_WITH_AES_256_GCM_SHA384             = tls.TLS_RSA_WITH_AES_256_GCM_SHA384
	TLS_ECDHE_ECDSA_WITH_RC4_128_SHA            = tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA
	TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA        = tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
	TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA        = tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
	TLS_ECDHE_RSA_WITH_RC4_128_SHA              = tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA
	TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA         = tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
	TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA          = tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
	TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA          = tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
	TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256     = tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
	TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256       = tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256
	TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256       = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256     = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384       = tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
	TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384     = tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
	TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	TLS_AES_128_GCM_SHA256                      = tls.TLS_AES_128_GCM_SHA256
	TLS_AES_256_GCM_SHA384                      = tls.TLS_AES_256_GCM_SHA384
	TLS_CHACHA20_POLY1305_SHA256                = tls.TLS_CHACHA20_POLY1305_SHA256
	TLS_FALLBACK_SCSV                           = tls.TLS_FALLBACK_SCSV
	TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305        = tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305
	TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305      = tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305
)
