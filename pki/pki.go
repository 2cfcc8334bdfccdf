// Package pki is ④, the proof of identity: certificate chains, the signatures that bind a handshake
// to a key, the credentials that one side may show, and stapled OCSP responses.
//
// It implements RFC 5246 §7.4.2, §7.4.4, §7.4.6 (which certificate, and whether it fits), §7.4.3,
// §7.4.8 (what is signed) and §7.4.1.4.1 (with what); RFC 8422 §5 for ECDSA and EdDSA; RFC 8446
// §4.2.3 for RSASSA-PSS; RFC 4055 and RFC 8410, the public keys and certificate signatures that
// crypto/x509 does not read; RFC 6066 §8, RFC 6960 §3.2 and RFC 7633, stapling.
//
// Paths are validated by crypto/x509. Where it does not compute one of a path's signatures
// (RSASSA-PSS and Ed448 keys of authorities; SHA-1 and SHA-224 where the caller allows them) this
// package verifies those, and crypto/x509 judges the path in all other respects. CRLs, OCSP
// requests and the content of SCTs are left out: the first two ask the network, which a handshake
// must not, and the third is a policy of its own.
//
// Signing leans on crypto/rsa, crypto/ecdsa and crypto/ed25519, which are constant time; circl's
// Ed448 is meant to be. What a hardware key does is unknown here. Verifying handles public data
// only and need not be.
package pki
