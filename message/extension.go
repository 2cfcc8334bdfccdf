package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Extensions is the block of extensions of a message, in wire order, unknown ones included.
type Extensions []Extension

// Place is a set of the messages that have extensions. See the table of RFC 8446 §4.2.
type Place uint8

// The messages that have extensions.
const (
	InClientHello Place = 1 << iota
	InServerHello
	InHelloRetryRequest
	InEncryptedExtensions
	InCertificate // of one certificate in it
	InCertificateRequest
	InNewSessionTicket
)

// asking are the messages whose extensions have the layout of a ClientHello's; those of the others
// have the layout of a ServerHello's.
const asking = InClientHello | InCertificateRequest | InNewSessionTicket

// optional is the layout of a block of extensions that a message may omit, as hellos may up to TLS
// 1.2.
func (e *Extensions) optional(c *wire.Codec, in Place) {
	if c.Tail(*e != nil) {
		e.layout(c, in)
	}
}

// layout is the layout of a block of extensions that is always present, even if empty.
func (e *Extensions) layout(c *wire.Codec, in Place) {
	// RFC 5246 §7.4.1.4 and RFC 8446 §4.2: "There MUST NOT be more than one extension of the same
	// type." They name no alert. It is decode_error in every message: a block that says two things
	// about one extension has no meaning that could be refused, and BoringSSL's tests expect the
	// same for the hellos.
	var seen wire.Set[iana.ExtensionType]
	wire.Vector16(c, "extensions", (*[]Extension)(e), 0, 1<<16-1,
		func(c *wire.Codec, x *Extension) {
			wire.Struct(c, "extension", func(c *wire.Codec) {
				wire.Uint16(c, "extension_type", &x.Type)
				if !seen.Add(x.Type) {
					c.Failf("got %v a second time, expected each extension once", x.Type)
				}
				wire.Inner(c, "extension_data", &x.Data, 0, 1<<16-1,
					func(c *wire.Codec) { annotate(c, x.Type, in) })
			})
		})
}

// find returns the extension t, or nil if it is absent.
func (e Extensions) find(t iana.ExtensionType) *Extension {
	for i := range e {
		if e[i].Type == t {
			return &e[i]
		}
	}
	return nil
}

// Get returns the content of the extension t; ok is false if it is absent.
func (e Extensions) Get(t iana.ExtensionType) (data []byte, ok bool) {
	x := e.find(t)
	if x == nil {
		return nil, false
	}
	return x.Data, true
}

// Has reports whether the extension t is present.
func (e Extensions) Has(t iana.ExtensionType) bool { return e.find(t) != nil }

// Read reads the content of extension t into v. If the extension is absent it returns false and no
// error.
func (e Extensions) Read(t iana.ExtensionType, v Content) (ok bool, err error) {
	data, ok := e.Get(t)
	if !ok {
		return false, nil
	}
	return true, within(t, wire.Decode(data, "", v.layout))
}

// Read is Extensions.Read, but decodes an extension once, however often it is read: its Data must
// not change afterwards. What *v refers to is shared, and must not be changed. One goroutine at a
// time may read a message so.
func Read[T any, P interface {
	*T
	Content
}](e Extensions, t iana.ExtensionType, v P) (ok bool, err error) {
	x := e.find(t)
	if x == nil {
		return false, nil
	}
	known, ok := x.content.(P)
	if !ok {
		known = P(new(T))
		if err := x.decode(known); err != nil {
			return true, err
		}
	}
	*v = *known
	return true, nil
}

// decode decodes the extension into c, and keeps that.
func (x *Extension) decode(c Content) error {
	if err := wire.Decode(x.Data, "", c.layout); err != nil {
		return within(x.Type, err)
	}
	x.content = c
	return nil
}

// Content decodes the extension of a message, and keeps the content for Read. It returns nil if the
// structure is not known, or not expected there.
func (x *Extension) Content(in Place) (Content, error) {
	c := NewContent(x.Type, in)
	if c == nil {
		return nil, nil
	}
	return c, x.decode(c)
}

// Add appends an extension with the content v. A nil v means an empty content.
func (e *Extensions) Add(t iana.ExtensionType, v Content) error {
	_, err := e.AddIn(nil, t, v)
	return err
}

// AddIn is Add, with the content in the free space of buf if it fits there. It returns buf with the
// content, for the next one, so that many extensions take one allocation.
func (e *Extensions) AddIn(buf []byte, t iana.ExtensionType, v Content) ([]byte, error) {
	var data []byte
	if v != nil {
		longer, err := wire.Append(buf, "", v.layout)
		if err != nil {
			return buf, within(t, err)
		}
		data, buf = longer[len(buf):len(longer):len(longer)], longer
	}
	*e = append(*e, Extension{Type: t, Data: data})
	return buf, nil
}

// NewContent returns an empty content of extension t in a message, for Read. It returns nil if the
// structure is not known, or not expected there.
func NewContent(t iana.ExtensionType, in Place) Content {
	of := contentsOf(t)
	make := of[1]
	if in&asking != 0 {
		make = of[0]
	}
	if in&exceptional != 0 {
		if other, ok := special[placed{t, in}]; ok {
			make = other
		}
	}
	if make == nil {
		return nil
	}
	return make()
}

// annotate is the layout of the content of extension t, of unknown structure if there is none for
// it.
func annotate(c *wire.Codec, t iana.ExtensionType, in Place) {
	content := NewContent(t, in)
	if content == nil {
		content = new(opaque)
	}
	content.layout(c)
}

type placed struct {
	iana.ExtensionType
	Place
}

// special are the contents whose layout differs in one of the messages; these are exceptional.
var special = map[placed]func() Content{
	{iana.ExtKeyShare, InHelloRetryRequest}:       content[SelectedGroup],
	{iana.ExtECH, InHelloRetryRequest}:            content[ECHConfirmation],
	{iana.ExtEarlyData, InNewSessionTicket}:       content[MaxEarlyData],
	{iana.ExtStatusRequest, InCertificateRequest}: content[Empty],
	{iana.ExtStatusRequest, InCertificate}:        content[CertificateStatus],
	{iana.ExtTrustAnchors, InCertificate}:         content[Empty],
}

const exceptional = InHelloRetryRequest | InCertificate | InCertificateRequest | InNewSessionTicket

// opaque is a content whose structure is not known.
type opaque struct{ data []byte }

func (o *opaque) layout(c *wire.Codec) { wire.Rest(c, "extension_data", &o.data) }

// contentsOf returns the row of an extension in contents.
func contentsOf(t iana.ExtensionType) [2]func() Content {
	if int(t) < len(lowContents) {
		return lowContents[t]
	}
	return contents[t]
}

// lowContents is contents for small numbers, which nearly all extensions have: a map is slow for
// what each hello asks ten times.
var lowContents = func() (low [64][2]func() Content) {
	for t, row := range contents {
		if int(t) < len(low) {
			low[t] = row
		}
	}
	return low
}()

// contents has, for each extension, its content in the messages of asking and in the others; nil
// where the structure is not known or the extension not expected.
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
	iana.ExtDelegatedCredential:     {content[SignatureSchemes], content[DelegatedCredential]},
	iana.ExtSessionTicket:           {content[SessionTicket], content[Empty]},
	iana.ExtPreSharedKey:            {content[OfferedPSKs], content[SelectedPSK]},
	iana.ExtEarlyData:               {content[Empty], content[Empty]},
	iana.ExtSupportedVersions:       {content[SupportedVersions], content[SelectedVersion]},
	iana.ExtCookie:                  {content[Cookie], content[Cookie]},
	iana.ExtQUICTransportParameters: {content[TransportParameters], content[TransportParameters]},
	iana.ExtPSKKeyExchangeModes:     {content[PSKKeyExchangeModes], nil},
	iana.ExtCertificateAuthorities:  {content[CertificateAuthorities], nil},
	iana.ExtOIDFilters:              {content[OIDFilters], nil},
	iana.ExtPostHandshakeAuth:       {content[Empty], nil},
	iana.ExtSignatureAlgorithmsCert: {content[SignatureSchemes], nil},
	iana.ExtKeyShare:                {content[KeyShares], content[KeyShare]},
	iana.ExtNPN:                     {content[Empty], nil},
	iana.ExtApplicationSettingsOld:  {content[Protocols], nil},
	iana.ExtApplicationSettings:     {content[Protocols], nil},
	iana.ExtTrustAnchors:            {content[TrustAnchors], content[TrustAnchors]},
	iana.ExtTicketRequest:           {content[TicketRequest], content[ExpectedTickets]},
	iana.ExtECH:                     {content[ECH], content[ECHConfigs]},
	iana.ExtRenegotiationInfo:       {content[RenegotiationInfo], content[RenegotiationInfo]},
}

func content[T any, P interface {
	*T
	Content
}]() Content {
	return P(new(T))
}
