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
	wire.Vector16(c, "extensions", (*[]Extension)(e), 0, 1<<16-1, func(c *wire.Codec, x *Extension) {
		wire.Struct(c, "extension", func(c *wire.Codec) {
			wire.Uint16(c, "extension_type", &x.Type)
			wire.Inner(c, "extension_data", &x.Data, 1<<16-1, contentLayout(x.Type, from))
		})
	})
	if !c.Reading() {
		return
	}
	for i, x := range *e {
		for _, before := range (*e)[:i] {
			if x.Type == before.Type {
				c.Failf("extension %v twice", x.Type) // RFC 5246 §7.4.1.4: "There MUST NOT be more than one extension of the same type."
				return
			}
		}
	}
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

// contentLayout is how the content of an extension from one side is taken apart; nil if it is not known.
func contentLayout(t iana.ExtensionType, from iana.Side) func(*wire.Codec) {
	row, ok := contents[t]
	if !ok || row[from] == nil {
		return nil
	}
	return row[from]().layout
}

// contents has, for each extension, its content in the client's hello and in the server's.
var contents = map[iana.ExtensionType][2]func() Content{
	iana.ExtServerName:              {content[ServerNames], content[Empty]},
	iana.ExtMaxFragmentLength:       {content[MaxFragmentLength], content[MaxFragmentLength]},
	iana.ExtStatusRequest:           {content[StatusRequest], content[Empty]},
	iana.ExtSupportedGroups:         {content[SupportedGroups], content[SupportedGroups]},
	iana.ExtECPointFormats:          {content[ECPointFormats], content[ECPointFormats]},
	iana.ExtSignatureAlgorithms:     {content[SignatureSchemes], nil},
	iana.ExtSignatureAlgorithmsCert: {content[SignatureSchemes], nil},
	iana.ExtALPN:                    {content[Protocols], content[Protocols]},
	iana.ExtSCT:                     {content[Empty], content[SCTs]},
	iana.ExtEncryptThenMAC:          {content[Empty], content[Empty]},
	iana.ExtExtendedMasterSecret:    {content[Empty], content[Empty]},
	iana.ExtRecordSizeLimit:         {content[RecordSizeLimit], content[RecordSizeLimit]},
	iana.ExtSessionTicket:           {content[SessionTicket], content[Empty]},
	iana.ExtRenegotiationInfo:       {content[RenegotiationInfo], content[RenegotiationInfo]},
	iana.ExtSupportedVersions:       {content[SupportedVersions], content[SelectedVersion]},
}

func content[T any, P interface {
	*T
	Content
}]() Content {
	return P(new(T))
}
