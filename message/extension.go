package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Extension is one hello extension, its content as sent. See RFC 5246 §7.4.1.4.
type Extension struct {
	Type iana.ExtensionType
	Data []byte
}

// Extensions is the block of extensions of a hello, in the order sent. Unknown ones stay in it.
type Extensions []Extension

func (e *Extensions) layout(c *wire.Codec, from iana.Side) {
	if !c.Tail(*e != nil) {
		return
	}
	// RFC 5246 §7.4.1.4: "There MUST NOT be more than one extension of the same type." A set, because a peer can put 16,383
	// empty extensions into a hello, and comparing each with each would cost it nothing and us a tenth of a second.
	var seen [1 << 16 / 64]uint64
	wire.Vector16(c, "extensions", (*[]Extension)(e), 0, 1<<16-1, func(c *wire.Codec, x *Extension) {
		wire.Struct(c, "extension", func(c *wire.Codec) {
			wire.Uint16(c, "extension_type", &x.Type)
			if word, bit := &seen[x.Type/64], uint64(1)<<(x.Type%64); *word&bit != 0 {
				c.Failf("got %v a second time, expected each extension once", x.Type)
			} else {
				*word |= bit
			}
			wire.Inner(c, "extension_data", &x.Data, 1<<16-1, func(c *wire.Codec) { annotate(c, x.Type, from) })
		})
	})
}

// Get finds an extension's content.
func (e Extensions) Get(t iana.ExtensionType) (data []byte, ok bool) {
	for _, x := range e {
		if x.Type == t {
			return x.Data, true
		}
	}
	return nil, false
}

// Has tells whether an extension is there.
func (e Extensions) Has(t iana.ExtensionType) bool {
	_, ok := e.Get(t)
	return ok
}

// Content is the content of an extension that has a structure.
type Content interface{ layout(*wire.Codec) }

// Read reads the extension t into v. It is false without an error if the extension is absent.
func (e Extensions) Read(t iana.ExtensionType, v Content) (ok bool, err error) {
	data, ok := e.Get(t)
	if !ok {
		return false, nil
	}
	return true, wire.Decode(data, t.String(), v.layout)
}

// Add appends an extension with the content v. nil is an empty content.
func (e *Extensions) Add(t iana.ExtensionType, v Content) error {
	var data []byte
	if v != nil {
		var err error
		if data, err = wire.Encode(nil, t.String(), v.layout); err != nil {
			return err
		}
	}
	*e = append(*e, Extension{t, data})
	return nil
}

// NewContent returns an empty content of extension t in a hello of one side, for Read. It returns
// nil if the structure is not known, or not expected from that side.
func NewContent(t iana.ExtensionType, from iana.Side) Content {
	if make := contents[t][from]; make != nil {
		return make()
	}
	return nil
}

// annotate takes the content of an extension from one side apart, as far as it is known.
func annotate(c *wire.Codec, t iana.ExtensionType, from iana.Side) {
	content := NewContent(t, from)
	if content == nil {
		content = new(opaque)
	}
	content.layout(c)
}

// opaque is a content whose structure is not known.
type opaque struct{ data []byte }

func (o *opaque) layout(c *wire.Codec) { wire.Rest(c, "extension_data", &o.data) }

// contents has, for each extension, its content in the client's hello and in the server's; nil
// where it is not known, or not expected.
var contents = map[iana.ExtensionType][2]func() Content{
	iana.ExtServerName:              {content[ServerNames], content[Empty]},
	iana.ExtMaxFragmentLength:       {content[MaxFragmentLength], content[MaxFragmentLength]},
	iana.ExtStatusRequest:           {content[StatusRequest], content[Empty]},
	iana.ExtSupportedGroups:         {content[SupportedGroups], content[SupportedGroups]},
	iana.ExtECPointFormats:          {content[ECPointFormats], content[ECPointFormats]},
	iana.ExtSignatureAlgorithms:     {content[SignatureSchemes], nil},
	iana.ExtHeartbeat:               {content[Heartbeat], content[Heartbeat]},
	iana.ExtALPN:                    {content[Protocols], content[Protocols]},
	iana.ExtStatusRequestV2:         {content[StatusRequestsV2], content[Empty]},
	iana.ExtSCT:                     {content[Empty], content[SCTs]},
	iana.ExtClientCertificateType:   {content[CertificateTypes], content[SelectedCertificateType]},
	iana.ExtServerCertificateType:   {content[CertificateTypes], content[SelectedCertificateType]},
	iana.ExtPadding:                 {content[Padding], nil},
	iana.ExtEncryptThenMAC:          {content[Empty], content[Empty]},
	iana.ExtExtendedMasterSecret:    {content[Empty], content[Empty]},
	iana.ExtCompressCertificate:     {content[CompressionAlgorithms], nil},
	iana.ExtRecordSizeLimit:         {content[RecordSizeLimit], content[RecordSizeLimit]},
	iana.ExtDelegatedCredential:     {content[SignatureSchemes], nil},
	iana.ExtSessionTicket:           {content[SessionTicket], content[Empty]},
	iana.ExtPreSharedKey:            {content[OfferedPSKs], content[SelectedPSK]},
	iana.ExtEarlyData:               {content[Empty], nil},
	iana.ExtSupportedVersions:       {content[SupportedVersions], content[SelectedVersion]},
	iana.ExtCookie:                  {content[Cookie], content[Cookie]},
	iana.ExtPSKKeyExchangeModes:     {content[PSKKeyExchangeModes], nil},
	iana.ExtCertificateAuthorities:  {content[CertificateAuthorities], nil},
	iana.ExtPostHandshakeAuth:       {content[Empty], nil},
	iana.ExtSignatureAlgorithmsCert: {content[SignatureSchemes], nil},
	iana.ExtKeyShare:                {content[KeyShares], content[KeyShare]},
	iana.ExtNPN:                     {content[Empty], nil},
	iana.ExtApplicationSettingsOld:  {content[Protocols], nil},
	iana.ExtApplicationSettings:     {content[Protocols], nil},
	iana.ExtTrustAnchors:            {content[TrustAnchors], nil},
	iana.ExtECH:                     {content[ECH], nil},
	iana.ExtRenegotiationInfo:       {content[RenegotiationInfo], content[RenegotiationInfo]},
}

func content[T any, P interface {
	*T
	Content
}]() Content {
	return P(new(T))
}
