// Package suite is the table in which key exchange, authentication, record protection and PRF meet:
// a cipher suite is a row, and everything about it that others need is a column or follows from
// one.
//
// It implements the suites of RFC 5246 appendix A.5, RFC 5288, RFC 5289, RFC 6655, RFC 7251, RFC
// 7905 and RFC 8422 §6 whose key exchange is RSA, DHE_RSA, ECDHE_RSA or ECDHE_ECDSA, or one of the
// four with a pre-shared key (registry_psk.go), and whose cipher is AES (CBC, GCM, CCM),
// ChaCha20-Poly1305, triple DES or none. It leaves out static, anonymous and DSS exchanges, RC4
// (RFC 7465), DES, IDEA, HMAC-MD5 (a single suite, without encryption), and the national ciphers,
// which no library here provides. package iana can name them all.
package suite

import (
	"cmp"
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/record"
)

// Suite is a row. See RFC 5246 §7.4.1.2.
type Suite struct {
	ID iana.CipherSuite
	Columns
}

// Columns are what the name of a suite stands for.
type Columns struct {
	Kex    iana.KeyExchange
	Auth   iana.Authentication
	Cipher *record.Cipher
	MAC    *record.MAC // nil for an AEAD, which authenticates by itself
	PRF    crypto.Hash // of TLS 1.2, and of its transcript
}

// registry is every row that Vitrine speaks, by ID.
var registry = table(certified, preShared)

func table(parts ...map[iana.CipherSuite]Columns) (suites []*Suite) {
	for _, rows := range parts {
		for id, columns := range rows {
			suites = append(suites, &Suite{id, columns})
		}
	}
	slices.SortFunc(suites, func(a, b *Suite) int { return cmp.Compare(a.ID, b.ID) })
	return suites
}

// ByID is the row of id, or nil for a suite that Vitrine does not speak.
func ByID(id iana.CipherSuite) *Suite { return find(registry, id) }

func find(rows []*Suite, id iana.CipherSuite) *Suite {
	i, ok := slices.BinarySearchFunc(rows, id,
		func(s *Suite, id iana.CipherSuite) int { return cmp.Compare(s.ID, id) })
	if !ok {
		return nil
	}
	return rows[i]
}

// All is every row, by ID.
func All() []*Suite { return slices.Clone(registry) }

// Certified is every row whose server needs nothing but a certificate, by ID: not those with a
// pre-shared key.
func Certified() []*Suite {
	return slices.DeleteFunc(All(), func(s *Suite) bool { return s.Kex.PreShared() })
}

func (s *Suite) String() string { return s.ID.String() }

// AEAD tells whether the cipher authenticates by itself. See RFC 5246 §6.2.3.3.
func (s *Suite) AEAD() bool { return s.Cipher.AEAD() }

// ForwardSecret tells whether the keys of a past connection stay secret when the server's private
// key does not.
func (s *Suite) ForwardSecret() bool { return s.Kex.Ephemeral() }

// HTTP2 tells whether HTTP/2 may be spoken with the suite: appendix A of RFC 9113 lists those that
// are not ephemeral or no AEAD. See RFC 9113 §9.2.2.
func (s *Suite) HTTP2() bool { return s.ForwardSecret() && s.AEAD() }

// MinVersion is the lowest version that may use the suite: 1.2 for AEADs and for MACs of SHA-2,
// which came with it. See RFC 5246 §1.2, RFC 5288 §4, RFC 5289 §4 and RFC 6655 §5.
func (s *Suite) MinVersion() iana.Version {
	if s.MAC == record.HMAC_SHA1 || s.MAC == record.HMAC_MD5 {
		return iana.TLS10
	}
	return iana.TLS12
}

// PRFHash is the hash of the PRF and the transcript: the suite's own in TLS 1.2, MD5 and SHA-1
// together below it. See RFC 5246 §5 and RFC 4346 §5.
func (s *Suite) PRFHash(v iana.Version) crypto.Hash {
	switch {
	case v == iana.SSL30:
		return keys.SSL30
	case v < iana.TLS12:
		return crypto.MD5SHA1
	}
	return s.PRF
}

// Shape is what the suite takes from the key_block, in bytes for each direction. A part that it
// does not take is 0: an AEAD has no MAC key, and since TLS 1.1 each CBC record brings its own IV.
// See RFC 5246 §6.3 and appendix C.
func (s *Suite) Shape(v iana.Version) keys.Shape {
	shape := keys.Shape{Key: s.Cipher.KeyLen, IV: s.Cipher.IVLen(v)}
	if s.MAC != nil {
		shape.MAC = s.MAC.Len
	}
	return shape
}
