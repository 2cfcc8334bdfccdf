// Package iana defines the code points of TLS, spelled as in the IANA registries.
//
// A value that is not registered is printed as its number, such as "0x1A2B". The names of cipher
// suites come from the registry's own table; see registry.go.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	iana.go extensions.go schemes.go    sides, versions, groups and the rest
//	zz_suites.go registry.go            the registry's cipher suites, and all things by their names
//
// It is part of Vitrine's API.
package iana

import "fmt"

// Side is one end of a connection. Keys, messages and records are named after the side that sends
// them.
type Side uint8

// The two ends of a connection.
const (
	Client Side = iota
	Server
)

// Peer returns the other side.
func (s Side) Peer() Side {
	if s == Client {
		return Server
	}
	return Client
}

func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

// MarshalText returns "client" or "server".
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText returns.
func (s *Side) UnmarshalText(b []byte) error {
	switch string(b) {
	case "client":
		*s = Client
	case "server":
		*s = Server
	default:
		return fmt.Errorf("iana: got side %q, expected client or server", b)
	}
	return nil
}

// Version is a ProtocolVersion. See RFC 5246 §6.2.1.
type Version uint16

// The protocol versions.
const (
	SSL30 Version = 0x0300
	TLS10 Version = 0x0301
	TLS11 Version = 0x0302
	TLS12 Version = 0x0303
	TLS13 Version = 0x0304
)

func (v Version) String() string {
	switch v {
	case SSL30:
		return "SSL 3.0"
	case TLS10, TLS11, TLS12, TLS13:
		return fmt.Sprintf("TLS 1.%d", v-TLS10)
	}
	if isGREASE(uint16(v)) {
		return "GREASE (" + unknown16(v) + ")"
	}
	return unknown16(v)
}

// ContentType is the type of a record. See RFC 5246 §6.2.1.
type ContentType uint8

// The content types of records.
const (
	RecordChangeCipherSpec ContentType = 20
	RecordAlert            ContentType = 21
	RecordHandshake        ContentType = 22
	RecordApplicationData  ContentType = 23
)

func (t ContentType) String() string { return name8(t, contentTypes) }

var contentTypes = map[ContentType]string{
	RecordChangeCipherSpec: "change_cipher_spec",
	RecordAlert:            "alert",
	RecordHandshake:        "handshake",
	RecordApplicationData:  "application_data",
	24:                     "heartbeat",
}

// HandshakeType is the type of a handshake message. See RFC 5246 §7.4.
type HandshakeType uint8

// The handshake types up to TLS 1.3.
const (
	HelloRequest        HandshakeType = 0
	ClientHello         HandshakeType = 1
	ServerHello         HandshakeType = 2
	NewSessionTicket    HandshakeType = 4
	EndOfEarlyData      HandshakeType = 5
	EncryptedExtensions HandshakeType = 8
	Certificate         HandshakeType = 11
	ServerKeyExchange   HandshakeType = 12
	CertificateRequest  HandshakeType = 13
	ServerHelloDone     HandshakeType = 14
	CertificateVerify   HandshakeType = 15
	ClientKeyExchange   HandshakeType = 16
	Finished            HandshakeType = 20
	CertificateStatus   HandshakeType = 22
	KeyUpdate           HandshakeType = 24

	CompressedCertificate HandshakeType = 25 // RFC 8879
	NextProtocol          HandshakeType = 67 // a draft's: never registered permanently
	MessageHash           HandshakeType = 254
)

func (t HandshakeType) String() string { return name8(t, handshakeTypes) }

var handshakeTypes = map[HandshakeType]string{
	HelloRequest:          "hello_request",
	ClientHello:           "client_hello",
	ServerHello:           "server_hello",
	3:                     "hello_verify_request",
	NewSessionTicket:      "new_session_ticket",
	EndOfEarlyData:        "end_of_early_data",
	EncryptedExtensions:   "encrypted_extensions",
	Certificate:           "certificate",
	ServerKeyExchange:     "server_key_exchange",
	CertificateRequest:    "certificate_request",
	ServerHelloDone:       "server_hello_done",
	CertificateVerify:     "certificate_verify",
	ClientKeyExchange:     "client_key_exchange",
	Finished:              "finished",
	21:                    "certificate_url",
	CertificateStatus:     "certificate_status",
	23:                    "supplemental_data",
	KeyUpdate:             "key_update",
	CompressedCertificate: "compressed_certificate",
	NextProtocol:          "next_protocol",
	MessageHash:           "message_hash",
}

// KeyExchange is the way both sides obtain the pre_master_secret: the first part of a cipher
// suite's name. RFC 5246 §7.4.3 calls it KeyExchangeAlgorithm.
type KeyExchange uint8

// The key exchanges. KexDH and KexECDH are only observed, never negotiated.
const (
	KexNone KeyExchange = iota // TLS 1.3: not part of the suite
	KexRSA
	KexDHE
	KexECDHE
	KexPSK
	KexDHEPSK
	KexECDHEPSK
	KexRSAPSK
	KexDH   // static Diffie-Hellman: the server's key is in its certificate
	KexECDH // the same over an elliptic curve
)

var keyExchanges = [...]string{"", "RSA", "DHE", "ECDHE", "PSK", "DHE_PSK", "ECDHE_PSK", "RSA_PSK",
	"DH", "ECDH"}

func (k KeyExchange) String() string {
	if int(k) < len(keyExchanges) {
		return keyExchanges[k]
	}
	return fmt.Sprintf("0x%02X", uint8(k))
}

// Ephemeral reports whether both sides generate a new key pair for each handshake, which gives
// forward secrecy.
func (k KeyExchange) Ephemeral() bool {
	return k == KexDHE || k == KexECDHE || k == KexDHEPSK || k == KexECDHEPSK
}

// PreShared reports whether the exchange uses a pre-shared key.
func (k KeyExchange) PreShared() bool {
	return k == KexPSK || k == KexDHEPSK || k == KexECDHEPSK || k == KexRSAPSK
}

// FiniteField reports whether the exchange is ephemeral Diffie-Hellman over a finite field.
func (k KeyExchange) FiniteField() bool { return k == KexDHE || k == KexDHEPSK }

// EllipticCurve reports whether the exchange is ephemeral Diffie-Hellman over an elliptic curve.
func (k KeyExchange) EllipticCurve() bool { return k == KexECDHE || k == KexECDHEPSK }

// Authentication is the way the server authenticates: the second part of a cipher suite's name.
type Authentication uint8

// The kinds of authentication. AuthDSS and AuthAnon are only observed, never negotiated.
const (
	AuthNone  Authentication = iota // TLS 1.3: not part of the suite
	AuthRSA                         // a certificate with an RSA key
	AuthECDSA                       // a certificate with an ECDSA or EdDSA key, RFC 8422 §2
	AuthPSK                         // the pre-shared key itself
	AuthDSS                         // a certificate with a DSA key
	AuthAnon                        // no authentication
)

var authentications = [...]string{"", "RSA", "ECDSA", "PSK", "DSS", "anon"}

func (a Authentication) String() string {
	if int(a) < len(authentications) {
		return authentications[a]
	}
	return fmt.Sprintf("0x%02X", uint8(a))
}

// CipherSuite is the code point of a cipher suite, or one of the two signalling values that are
// sent in the list of suites. See RFC 5246 §7.4.1.2, RFC 5746 §3.3 and RFC 7507 §2.
type CipherSuite uint16

// registered is a row of registry.tsv. The rows are sorted by code.
type registered struct {
	code          CipherSuite
	name, openssl string
}

// CompressionMethod is a compression method of the hellos. Only null is negotiated, because of
// CRIME. See RFC 3749.
type CompressionMethod uint8

// The compression methods.
const (
	CompressionNull    CompressionMethod = 0
	CompressionDeflate CompressionMethod = 1
)

func (m CompressionMethod) String() string {
	return name8(m,
		map[CompressionMethod]string{CompressionNull: "null", CompressionDeflate: "DEFLATE",
			64: "LZS"})
}

func name8[T ~uint8](v T, names map[T]string) string {
	if n, ok := names[v]; ok {
		return n
	}
	return fmt.Sprintf("0x%02X", uint8(v))
}

// unknown16 returns a number as 0x and four digits, without fmt: whoever lists a registry asks for
// all 65,536.
func unknown16[T ~uint16](v T) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{'0', 'x', digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15]})
}

func name16[T ~uint16](v T, names map[T]string) string {
	if n, ok := names[v]; ok {
		return n
	}
	return unknown16(v)
}

// isGREASE reports whether v is reserved for GREASE: values that clients send to check that they
// are ignored. See RFC 8701 §2.
func isGREASE(v uint16) bool { return v&0x0F0F == 0x0A0A && v>>8 == v&0xFF }
