package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ImportedIdentity is the identity of a pre-shared key that was imported for one protocol and one
// KDF. Its encoding is the identity that pre_shared_key carries. See RFC 9258 §5.1.
type ImportedIdentity struct {
	External []byte // the identity of the key before it was imported, 1 to 65535 bytes
	Context  []byte // of the key, such as the identities and roles of both sides
	Protocol iana.Version
	KDF      iana.KDF
}

func (i *ImportedIdentity) layout(c *wire.Codec) {
	wire.Opaque16(c, "external_identity", &i.External, 1, 1<<16-1)
	wire.Opaque16(c, "context", &i.Context, 0, 1<<16-1)
	wire.Uint16(c, "target_protocol", &i.Protocol)
	wire.Uint16(c, "target_kdf", &i.KDF)
}

// Encode returns the identity as it is sent. It fails if External or Context has a length that the
// layout does not allow.
func (i *ImportedIdentity) Encode() ([]byte, error) {
	return wire.Encode("imported_identity", i.layout)
}

// ParseImportedIdentity decodes an identity. Any other identity, such as a ticket, is an error
// unless it happens to have this layout.
func ParseImportedIdentity(identity []byte) (*ImportedIdentity, error) {
	i := &ImportedIdentity{}
	if err := wire.Decode(identity, "imported_identity", i.layout); err != nil {
		return nil, err
	}
	return i, nil
}
