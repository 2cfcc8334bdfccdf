// Package suite is the table of cipher suites: each row combines a key exchange, a form of
// authentication, a record protection and a PRF. What other packages need to know about a suite is
// a column or is computed from the columns.
//
// The table holds the suites of RFC 5246 appendix A.5, RFC 5288, RFC 5289, RFC 6655, RFC 7251, RFC
// 7905 and RFC 8422 §6 whose key exchange is RSA, DHE_RSA, ECDHE_RSA or ECDHE_ECDSA, and the suites
// with a pre-shared key (registry_psk.go), as far as their cipher is AES (CBC, GCM or CCM),
// ChaCha20-Poly1305, triple DES or NULL. A table of its own, All13, has the five suites of TLS 1.3.
//
// Left out of the tables, but known to Readable for observers: static and anonymous Diffie-Hellman,
// DSS, RC4 (RFC 7465), DES and HMAC-MD5. Left out of both: export suites, IDEA, AEGIS, the national
// ciphers, the suites of TLS 1.3 that do not encrypt (RFC 9150), and the exchanges with Kerberos or
// passwords. Package iana has names for all of them.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	columns.go exchange.go         a row, and the key exchange of its suite
//	registry.go registry_psk.go    the rows
//	suite.go                       the table of them
//	reasons.go read.go             the order of preference; TLS 1.3, and what is only read
//	concerns.go                    concerns
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package suite
