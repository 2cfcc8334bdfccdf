package alert

// Kind says what went wrong, for programs that must tell failures apart: it is finer than the alert
// that was sent, and stable where the text of an error is not. An error whose alert says it all has
// no Kind, as those of certificates: certificate_expired, unknown_ca and the like.
type Kind string

// The kinds.
const (
	// A callback of the program refused the peer, or failed.
	KindCallback Kind = "callback"

	// The peer's bytes are not TLS, or have another major version.
	KindNotTLS Kind = "not TLS"

	// A record is longer than allowed, or empty where it must not be.
	KindLength Kind = "record length"

	// The stream ended without close_notify.
	KindTruncated Kind = "truncated"

	// A record does not authenticate under the peer's keys, or under TLS 1.3 keys is not protected.
	KindRecord Kind = "record protection"

	// A message, an extension or an alert does not follow its syntax, or has a value that is never
	// allowed.
	KindMalformed Kind = "malformed"

	// A message, a ChangeCipherSpec or data came at a point where it may not.
	KindOrder Kind = "order"

	// Handshake bytes stand behind the end of a flight, or across a change of keys.
	KindFlight Kind = "flight"

	// The peer sent too many items that cost it nothing: empty records, warnings, requests.
	KindFlood Kind = "flood"

	// No version is left that both sides speak, or the peer chose one that it may not.
	KindVersion Kind = "version"

	// One side chose an older version than both speak, which points to an attack.
	KindDowngrade Kind = "downgrade"

	// No cipher suite is left that both sides can use, or the server chose one that it may not.
	KindSuite Kind = "cipher suite"

	// No group is left that both sides can use, or the peer chose one that it may not.
	KindGroup Kind = "group"

	// A key share is not a valid public key, is not allowed here, or is missing.
	KindShare Kind = "key share"

	// No signature scheme is left that both sides can use, or the peer chose one that it may not.
	KindScheme Kind = "signature scheme"

	// A signature does not verify.
	KindSignature Kind = "signature"

	// A Finished, or the binder of a pre-shared key, does not match the transcript.
	KindFinished Kind = "finished"

	// The peer's certificate has a key of the wrong kind, or one that may not be used so.
	KindKeyUsage Kind = "key usage"

	// Neither side's certificate type, X.509 or a raw public key, suits the other. See RFC 7250.
	KindCertificateType Kind = "certificate type"

	// The peer sent no certificate, and needs one.
	KindNoCertificate Kind = "no certificate"

	// An extension that was not requested, in a message that may not contain it, or with a value
	// that was not offered.
	KindExtension Kind = "extension"

	// A required extension is missing.
	KindMissing Kind = "missing extension"

	// No application protocol is left that both sides speak.
	KindProtocol Kind = "application protocol"

	// compression_methods or the choice from it: TLS without compression is the only one.
	KindCompression Kind = "compression"

	// A compressed certificate that cannot be expanded, or whose algorithm was not offered. See RFC
	// 8879.
	KindCertificateCompression Kind = "certificate compression"

	// A session was resumed with other parameters than it was made with, or without being offered.
	KindResumption Kind = "resumption"

	// No pre-shared key is left that both sides have and may use, and no certificate can be used
	// instead.
	KindPSK Kind = "pre-shared key"

	// More early data than a ticket allows, or a server that accepts it where it may not.
	KindEarlyData Kind = "early data"

	// A renegotiation is not bound to the handshake before it, or changes what must stay the same.
	KindRenegotiation Kind = "renegotiation"

	// A HelloRetryRequest, or the hello that answers it, changes nothing or too much.
	KindRetry Kind = "retry"
)
