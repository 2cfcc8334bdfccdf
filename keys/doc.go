// Package keys derives all secrets of a connection from the first one. Up to TLS 1.2:
// pre_master_secret → master_secret → key_block → the keys of both directions, verify_data and
// exported keying material. In TLS 1.3: the key schedule, from the Early Secret to the traffic
// secrets. Stages are types, and the RFC's arrows are their methods.
//
// It implements RFC 5246 §5 (the PRF), §6.3 (key calculation), §7.4.9 (verify_data), §8.1 (the
// master secret), RFC 7627 §4 (the extended master secret), RFC 4279 (pre-shared keys), RFC 5705 §4
// (exporters), for TLS 1.0 and 1.1 the PRF of RFC 2246 §5, and for SSL 3.0 the derivations of RFC
// 6101 §6. Of RFC 8446 it implements §7.1 (the key schedule), §7.2 (key update), §7.3 (traffic
// keys), §7.5 (exporters), §4.2.11.2 (binders), §4.4.4 (Finished) and §4.6.1 (the keys of tickets),
// and of RFC 9258 §5.1 (the importer of external keys). It leaves out a verify_data_length other
// than 12 before TLS 1.3, which no suite defines, and the export ciphers' final keys of RFC 2246
// §6.3.1.
//
// Secrets are not wiped: Go's garbage collector may have copied them. The time of HMAC depends on
// the lengths of key and message only; one of these lengths is secret, see FiniteFieldPreMaster.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	mac.go ssl30.go prf.go tls12.go exporter.go   HMAC, the PRFs, and what up to TLS 1.2 is derived
//	hkdf.go tls13.go                              HKDF, and the key schedule
//	psk.go                                        pre-shared keys
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package keys
