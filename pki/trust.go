package pki

import (
	"crypto/x509"
	"time"
)

// Trust has the roots and the rules that a chain is checked against.
type Trust struct {
	Roots *x509.CertPool // nil: the system's
	// the DNS name or IP address that a server must prove; not asked of a client
	Name string
	Now  time.Time // zero: the system's clock

	// Listed are further roots. They are needed as a list, because a pool does not give out its
	// certificates, where a path needs a signature that crypto/x509 does not compute. Of Roots such
	// a path can only use one that the peer sends along, or one that signed with an algorithm that
	// crypto/x509 does compute.
	Listed []*x509.Certificate

	// Weak accepts certificates that are signed with SHA-1 or SHA-224. Finding a collision of SHA-1
	// costs some ten thousand dollars, and lets the holder of one certificate forge another of the
	// same authority.
	Weak bool
}
