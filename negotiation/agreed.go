package negotiation

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// Agreed is what the hellos negotiate, computed from the messages alone. It never changes: where a
// later message adds to it, as EncryptedExtensions does in TLS 1.3, there is a new one.
type Agreed struct {
	Version iana.Version
	Suite   *suite.Suite
	// of the suite; in TLS 1.3 of key_share and pre_shared_key
	Kex iana.KeyExchange
	// of the suite; none in TLS 1.3, where only the certificate shows it
	Auth        iana.Authentication
	Group       iana.Group // in TLS 1.3 alone; 0 without a key exchange
	PSK         bool       // TLS 1.3 uses a pre-shared key: that of Identity
	Identity    int        // which of the client's identities it is, from 0
	Compression iana.CompressionMethod

	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	SecureRenegotiation  bool
	renegotiated         []byte // the server's renegotiated_connection
	Stapling             bool   // CertificateStatus may come
	Ticket               bool   // NewSessionTicket will come
	EarlyOffered         bool   // the client sends early data
	EarlyData            bool   // the server accepts it

	CertificateTypes [2]iana.CertificateType // by side: RFC 7250

	ServerName string // as the client sent it
	ALPN       string
	SCTs       [][]byte

	MaxFragment int    // both sides' longest plaintext from ServerHello on, RFC 6066 §4
	SizeLimit   [2]int // by sender: its longest plaintext under protection, RFC 8449 §4
}

// Certified reports whether the server sends a certificate.
func (a *Agreed) Certified() bool {
	if a.Version == iana.TLS13 {
		return !a.PSK
	}
	return a.Suite.Certified()
}

// MaxPlaintext returns the length of the longest plaintext, in bytes, that a record of the side
// from may have under protection.
func (a *Agreed) MaxPlaintext(from iana.Side) int {
	return min(a.MaxFragment, a.SizeLimit[from], record.MaxPlaintext)
}

// EncryptsHandshake reports whether what follows the ServerHello is encrypted, as in TLS 1.3. See
// RFC 8446 §2.
func (a *Agreed) EncryptsHandshake() bool { return a.Version == iana.TLS13 }
