// Package keys derives every secret of a connection from the first one: pre_master_secret → master_secret → key_block →
// the keys of both directions, verify_data and exported keying material. Stages are types, and the RFC's arrows are their
// methods.
//
// It implements RFC 5246 §5 (the PRF), §6.3 (key calculation), §7.4.9 (verify_data), §8.1 (the master secret), RFC 7627 §4
// (the extended master secret), RFC 5705 §4 (exporters) and, for TLS 1.0 and 1.1, the PRF of RFC 2246 §5; in all else those
// versions derive as RFC 5246 does. It leaves out a verify_data_length other than 12, which no suite defines, and the export
// ciphers' final keys of RFC 2246 §6.3.1.
//
// What Go cannot promise: secrets are not wiped, because the garbage collector may have copied them. Go's HMAC runs in time that
// depends on the lengths of key and message only; of these one is secret, see FiniteFieldPreMaster.
package keys
