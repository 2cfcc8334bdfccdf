package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Empty is the content of an extension whose presence is all it says.
type Empty struct{}

func (*Empty) layout(*wire.Codec) {}

// ServerNames are the names by which the client knows the server. See RFC 6066 §3.
type ServerNames struct{ Names []ServerName }

// ServerName is one name of server_name.
type ServerName struct {
	Type iana.NameType
	Name []byte
}

func (e *ServerNames) layout(c *wire.Codec) {
	var seen [1 << 8]bool
	wire.Vector16(c, "server_name_list", &e.Names, 1, 1<<16-1, func(c *wire.Codec, n *ServerName) {
		wire.Uint8(c, "name_type", &n.Type)
		// RFC 6066 §3: "The ServerNameList MUST NOT contain more than one name of the same
		// name_type."
		if seen[n.Type] {
			c.Failf("got a second %v, expected each type of name once", n.Type)
		}
		seen[n.Type] = true
		wire.Text16(c, "host_name", &n.Name, 1, 1<<16-1)
	})
}

// MaxFragmentLength asks for records of at most 2^(8+Code) bytes, Code 1 to 4. See RFC 6066 §4.
type MaxFragmentLength struct{ Code uint8 }

func (e *MaxFragmentLength) layout(c *wire.Codec) { wire.Uint8(c, "max_fragment_length", &e.Code) }

// Bytes returns the length in bytes that the code stands for, or 0 for an undefined code.
func (e *MaxFragmentLength) Bytes() int {
	if e.Code < 1 || e.Code > 4 {
		return 0
	}
	return 1 << (8 + e.Code)
}

// StatusRequest asks for the status of the server's certificate in the handshake. See RFC 6066 §8.
type StatusRequest struct {
	Type         iana.CertificateStatusType
	ResponderIDs [][]byte // OCSP: DER ResponderIDs; none means any that the server trusts
	Extensions   []byte   // OCSP: DER Extensions
	Request      []byte   // any other type
}

func (e *StatusRequest) layout(c *wire.Codec) {
	wire.Uint8(c, "status_type", &e.Type)
	if e.Type != iana.StatusOCSP {
		wire.Rest(c, "request", &e.Request)
		return
	}
	wire.Vector16(c, "responder_id_list", &e.ResponderIDs, 0, 1<<16-1,
		func(c *wire.Codec, id *[]byte) {
			wire.Opaque16(c, "responder_id", id, 1, 1<<16-1)
		})
	wire.Opaque16(c, "request_extensions", &e.Extensions, 0, 1<<16-1)
}

// SupportedGroups lists the groups for (EC)DHE in order of preference. See RFC 8422 §5.1.1 and RFC
// 7919 §4.
type SupportedGroups struct{ Groups []iana.Group }

func (e *SupportedGroups) layout(c *wire.Codec) {
	wire.Uint16s(c, "named_group_list", "named_group", &e.Groups, 2, 1<<16-2)
}

// ECPointFormats lists the encodings of points. See RFC 8422 §5.1.2.
type ECPointFormats struct{ Formats []iana.ECPointFormat }

func (e *ECPointFormats) layout(c *wire.Codec) {
	wire.Vector8(c, "ec_point_format_list", &e.Formats, 1, 255,
		func(c *wire.Codec, f *iana.ECPointFormat) {
			wire.Uint8(c, "ec_point_format", f)
		})
}

// SignatureSchemes is the content of signature_algorithms and signature_algorithms_cert, in order
// of preference. See RFC 5246 §7.4.1.4.1 and RFC 8446 §4.2.3.
type SignatureSchemes struct{ Schemes []iana.SignatureScheme }

func (e *SignatureSchemes) layout(c *wire.Codec) {
	wire.Uint16s(c, "supported_signature_algorithms", "signature_scheme", &e.Schemes, 2, 1<<16-2)
}

// Protocols is the content of ALPN: the application protocols that the client offers, or the one
// that the server selected. See RFC 7301 §3.1.
type Protocols struct{ Names [][]byte }

func (e *Protocols) layout(c *wire.Codec) {
	wire.Vector16(c, "protocol_name_list", &e.Names, 2, 1<<16-1, func(c *wire.Codec, n *[]byte) {
		wire.Text8(c, "protocol_name", n, 1, 255)
	})
}

// SCTs are signed certificate timestamps of Certificate Transparency. See RFC 6962 §3.3.
type SCTs struct{ List [][]byte }

func (e *SCTs) layout(c *wire.Codec) {
	wire.Vector16(c, "sct_list", &e.List, 1, 1<<16-1, func(c *wire.Codec, s *[]byte) {
		wire.Opaque16(c, "serialized_sct", s, 1, 1<<16-1)
	})
}

// RecordSizeLimit is the longest plaintext that the sender of the extension wants to receive. See
// RFC 8449 §4.
type RecordSizeLimit struct{ Limit uint16 }

func (e *RecordSizeLimit) layout(c *wire.Codec) { wire.Uint16(c, "record_size_limit", &e.Limit) }

// SessionTicket is a ticket that the client holds, or empty if it asks for one. See RFC 5077 §3.2.
type SessionTicket struct{ Ticket []byte }

func (e *SessionTicket) layout(c *wire.Codec) { wire.Rest(c, "ticket", &e.Ticket) }

// RenegotiationInfo binds a handshake to the one before it on the connection; it is empty in the
// first one. See RFC 5746 §3.2.
type RenegotiationInfo struct{ RenegotiatedConnection []byte }

func (e *RenegotiationInfo) layout(c *wire.Codec) {
	wire.Opaque8(c, "renegotiated_connection", &e.RenegotiatedConnection, 0, 255)
}

// SupportedVersions lists the versions that a client of TLS 1.3 supports. See RFC 8446 §4.2.1.
type SupportedVersions struct{ Versions []iana.Version }

func (e *SupportedVersions) layout(c *wire.Codec) {
	wire.Vector8(c, "versions", &e.Versions, 2, 254,
		func(c *wire.Codec, v *iana.Version) { wire.Uint16(c, "version", v) })
}

// SelectedVersion is the version that a server of TLS 1.3 selected. See RFC 8446 §4.2.1.
type SelectedVersion struct{ Version iana.Version }

func (e *SelectedVersion) layout(c *wire.Codec) { wire.Uint16(c, "selected_version", &e.Version) }

func distinguishedName(c *wire.Codec, dn *[]byte) {
	wire.Opaque16(c, "distinguished_name", dn, 1, 1<<16-1)
}

// Extension is one extension, with its content as on the wire. See RFC 5246 §7.4.1.4 and RFC 8446
// §4.2.
type Extension struct {
	Type iana.ExtensionType
	Data []byte

	content Content // what Data was decoded to, if it was: see Read
}

// Content is the structured content of an extension.
type Content interface{ layout(*wire.Codec) }

// CertificateStatus carries the stapled status of the server's certificate. See RFC 6066 §8.
type CertificateStatus struct {
	StatusType iana.CertificateStatusType
	Response   []byte // a DER OCSPResponse
}

// Type is certificate_status.
func (*CertificateStatus) Type() iana.HandshakeType { return iana.CertificateStatus }

func (m *CertificateStatus) layout(c *wire.Codec) {
	wire.Uint8(c, "status_type", &m.StatusType)
	wire.Opaque24(c, "response", &m.Response, 1, 1<<24-1)
}
