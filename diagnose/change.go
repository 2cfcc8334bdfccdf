package diagnose

import (
	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
)

// Kind identifies a change, so that a program can show it in its own terms, such as flags.
type Kind uint8

// The kinds of change.
const (
	NoProtocols      Kind = iota // offer no application protocols
	DefaultSuites                // offer the suites of the policy instead of a list
	DefaultGroups                // offer the groups of the policy instead of a list
	DefaultVersions              // offer the versions of the policy
	CompatiblePolicy             // use vitrine.Compatible
	LegacyPolicy                 // use vitrine.Legacy
	NullSuites                   // offer the suites without encryption
	IgnoreKeyUsage               // use vitrine.Compatible and the suite that the server chose
	FewerExtensions              // leave out the extensions that can be turned off
	OnlyP256                     // offer the group secp256r1 alone
	OnlyTLS10                    // use vitrine.Legacy and TLS 1.0
	NoServerName                 // send no server_name
	OnlyTLS12                    // leave out TLS 1.3
	NoHybrids                    // leave out the groups that resist a quantum computer
	AllGroups                    // offer every group
	AllSuites13                  // offer every suite of TLS 1.3
	NoPreSharedKey               // do without the pre-shared key
	NotAwaiting                  // do not wait for the server's first record
	OneSuite                     // offer one suite and version that the server is known to have
	OneExtension                 // leave out one extension
	UpToVersion                  // leave out the versions above one
	ShownAnyway                  // show the certificate to a server that names other authorities
	OneRecord                    // send the ClientHello in one record
	ShortRecords                 // send the ClientHello in short records
	NoRecordSplit                // send data with CBC in TLS 1.0 without a record of one byte
	OneScheme                    // accept one signature scheme that the server is known to have
	Certificates                 // accept certificates in place of raw public keys
	kinds            = iota
)

// Kinds returns all kinds of change.
func Kinds() []Kind {
	var list []Kind
	for k := range Kind(kinds) {
		list = append(list, k)
	}
	return list
}

// Change is a change of a Config that may make a handshake succeed.
type Change struct {
	Kind Kind
	// Suite is that of IgnoreKeyUsage, and of NullSuites and AllSuites13 once one was negotiated.
	Suite     iana.CipherSuite
	Version   iana.Version         // of UpToVersion; of OneSuite, if the Config lacks it
	NoMax     bool                 // of OneSuite, if the Config's MaxVersion is below it
	Group     iana.Group           // of AllGroups, once one was negotiated; of OneSuite, or 0
	Scheme    iana.SignatureScheme // of OneScheme
	Policy    *vitrine.Policy      // of OneSuite, if it needs another one
	Extension string               // of OneExtension: ems, etm, ocsp, sct, tickets
	Protocols []string             // of NoProtocols, if some are left
	Go        string               // the fields of vitrine.Config
	Costs     string               // what the change gives up
	Cause     string               // the cause of the failure, if this change helps; may be empty

	when   func(*Failure, *vitrine.Config) bool
	apply  func(*vitrine.Config)
	narrow func(Change, vitrine.ConnectionState) Change // to what was negotiated; may be nil
	// the single changes, one of which may be enough
	parts []Change
	hello bool // see AboutHello
}

// AboutHello reports whether the change concerns how a ClientHello is made, and not which versions,
// suites and groups it offers.
func (c *Change) AboutHello() bool { return c.hello }

func (c *Change) String() string { return c.Go }

// ShortRecord is the length in bytes of the records of ShortRecords: a small device can read them,
// and few names are in one as a whole.
const ShortRecord = 64
