package suite

import (
	"cmp"
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/record"
)

// registry holds the suites that Vitrine can negotiate, sorted by ID.
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

// ByID returns the suite with an ID, or nil if Vitrine cannot negotiate it.
func ByID(id iana.CipherSuite) *Suite { return byID.find(id) }

var byID = indexOf(registry)

// index has suites by the two bytes of their ID. A handshake looks for one about forty times.
type index [256]*[256]*Suite

func indexOf(rows []*Suite) (x index) {
	for _, s := range rows {
		if x[s.ID>>8] == nil {
			x[s.ID>>8] = new([256]*Suite)
		}
		x[s.ID>>8][s.ID&0xFF] = s
	}
	return x
}

func (x *index) find(id iana.CipherSuite) *Suite {
	if rows := x[id>>8]; rows != nil {
		return rows[id&0xFF]
	}
	return nil
}

// All returns the suites that Vitrine can negotiate, sorted by ID.
func All() []*Suite { return slices.Clone(registry) }

// Certified returns the suites whose server needs only a certificate, sorted by ID: those without a
// pre-shared key.
func Certified() []*Suite {
	return slices.DeleteFunc(All(), func(s *Suite) bool { return s.PreShared() })
}

func (s *Suite) String() string { return s.ID.String() }

// AEAD reports whether the cipher is an AEAD. See RFC 5246 §6.2.3.3.
func (s *Suite) AEAD() bool { return s.Cipher.AEAD() }

// ForwardSecret reports whether the traffic of a past connection stays secret if the server's
// private key is disclosed.
func (s *Suite) ForwardSecret() bool { return s.kex.Ephemeral() || s.TLS13() }

// HTTP2 reports whether HTTP/2 allows the suite. Appendix A of RFC 9113 prohibits those whose key
// exchange is not ephemeral and those that are not AEADs. See RFC 9113 §9.2.2.
func (s *Suite) HTTP2() bool { return s.ForwardSecret() && s.AEAD() }

// MinVersion returns the lowest version that allows the suite. AEADs and MACs with SHA-2 need TLS
// 1.2. See RFC 5246 §1.2, RFC 5288 §4, RFC 5289 §4 and RFC 6655 §5.
func (s *Suite) MinVersion() iana.Version {
	if s.MAC == record.HMAC_SHA1 || s.MAC == record.HMAC_MD5 {
		return iana.TLS10
	}
	return iana.TLS12
}

// In reports whether a version has the suite.
func (s *Suite) In(v iana.Version) bool {
	return s.TLS13() == (v == iana.TLS13) && v >= s.MinVersion()
}

// PRFHash returns the hash of the PRF and of the transcript: the suite's own in TLS 1.2, MD5
// together with SHA-1 in TLS 1.0 and 1.1, and keys.SSL30 in SSL 3.0. See RFC 5246 §5 and RFC 4346
// §5.
func (s *Suite) PRFHash(v iana.Version) crypto.Hash {
	switch {
	case v == iana.SSL30:
		return keys.SSL30
	case v < iana.TLS12:
		return crypto.MD5SHA1
	}
	return s.PRF
}

// Shape returns how many bytes each direction takes from the key_block. A part that is not taken is
// 0: an AEAD has no MAC key, and since TLS 1.1 a CBC record carries its IV. See RFC 5246 §6.3 and
// appendix C.
func (s *Suite) Shape(v iana.Version) keys.Shape {
	shape := keys.Shape{Key: s.Cipher.KeyLen, IV: s.Cipher.IVLen(v)}
	if s.MAC != nil {
		shape.MAC = s.MAC.Len
	}
	return shape
}
