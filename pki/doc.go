// Package pki implements the proof of identity: certificate chains, the signatures that bind a
// handshake to a key, the credentials that one side may show, and stapled OCSP responses.
//
// It implements RFC 5246 §7.4.2, §7.4.4 and §7.4.6 (which certificate, and whether it fits), §7.4.3
// and §7.4.8 (what is signed) and §7.4.1.4.1 (with which algorithm); RFC 8422 §5 for ECDSA and
// EdDSA; RFC 8446 §4.2.3 for RSASSA-PSS; RFC 4055 and RFC 8410 for the public keys and certificate
// signatures that crypto/x509 does not read; RFC 6066 §8, RFC 6960 §3.2 and RFC 7633 for stapling.
//
// Paths are validated by crypto/x509: dates, usages, name constraints, lengths. Where it does not
// compute one of a path's signatures (those of RSASSA-PSS and Ed448 keys of authorities; those with
// SHA-1 or SHA-224, if the caller allows them) this package verifies these signatures, and
// crypto/x509 judges the path in all other respects. No path with an MD5 signature is valid; in
// handshakes MD5 stands beside SHA-1 in the signatures of TLS 1.0 and 1.1. CRLs, OCSP requests and
// the content of SCTs are left out: the first two need the network, which a handshake must not wait
// for, and the third needs a policy of its own.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	spki.go keykind.go keyname.go           keys as they are encoded, and their kinds
//	small.go scheme.go signed.go            signature schemes, and what a handshake signs
//	cache.go lenient.go certsig.go          a certificate, and the signature on it
//	chain.go rawkey.go fits.go              a peer's chain, its names and keys
//	trust.go still.go path.go verify.go     who is trusted, and whether a path leads there
//	verdicts.go                             what need not be verified again
//	staple.go                               stapled OCSP responses
//	credential.go privatekey.go choose.go   which credential to show
//	print.go                                printing
//
// Signatures are made by crypto/rsa, crypto/ecdsa and crypto/ed25519, which are constant time, by
// circl's Ed448, which is meant to be, or by the caller's key. Verification handles public data
// only and need not be constant time.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package pki
