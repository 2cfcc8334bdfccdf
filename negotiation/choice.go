package negotiation

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
)

// Choice is what a server chooses for a ClientHello.
type Choice struct {
	Version    iana.Version
	Suite      *suite.Suite
	Group      kex.Group        // of an ephemeral key exchange
	pki.Choice                  // unless the suite authenticates by a pre-shared key
	Session    *session.Session // it is resumed: there is no credential, and until TLS 1.2 no group
	Share      []byte           // TLS 1.3: the client's, of the group; nil: it must be asked for

	Key      *Key13 // TLS 1.3: the pre-shared key, of the session or an external one
	Identity int    // of the client's identities, the one of key
	Mode     iana.PSKKeyExchangeMode
	Early    bool // TLS 1.3: early data is accepted

	Asks       bool                 // the client is, or may later be, asked for a certificate
	ClientType iana.CertificateType // of that certificate
}

// Wishes are the parts of a ClientHello that a choice depends on. A hello may list 32,767 values of
// each kind: they are reduced once to those that we know.
type Wishes struct {
	pki.Hello
	suites      []iana.CipherSuite // ours that the client offers, best first
	groups      []iana.Group       // ours that the client lists, best first
	listed      []iana.Group       // all that the client lists
	sentGroups  bool
	finiteField bool // it lists a finite-field group, known or not
	byClient    bool // the client's order of preference is followed
}

// Exchanges reports whether there is a key exchange: always, except with psk_ke.
func (got *Choice) Exchanges() bool { return got.Key == nil || got.Mode == iana.PSKDHEKE }
