package suite

import (
	"crypto"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// Suite is a row of the table. See RFC 5246 §7.4.1.2.
type Suite struct {
	ID iana.CipherSuite
	Columns
}

// Columns are the parts that the name of a suite stands for.
type Columns struct {
	kex    iana.KeyExchange // see exchange.go, for both
	auth   iana.Authentication
	Cipher *record.Cipher
	MAC    *record.MAC // nil for an AEAD, which needs no MAC
	PRF    crypto.Hash // the hash of the PRF and of the transcript in TLS 1.2
}
