// Package parity tests that behaviour which docs/from-crypto-tls.md calls the same is the same:
// each row is performed with this library and with crypto/tls, and everything that a program can
// observe must be equal.
package parity
