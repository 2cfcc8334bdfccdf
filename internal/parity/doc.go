// Package parity tests that what docs/from-crypto-tls.md calls the same behaves the same: each row
// is done with this library and with crypto/tls, and all that a program can observe must be equal.
package parity
