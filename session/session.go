package session

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// How long a session can be resumed, counted from its full handshake. Resuming does not extend it,
// because the result of one key exchange and one authentication should not be used forever.
const (
	// MaxSessionAge is the maximum up to TLS 1.2, and the default of a TLS 1.3 server.
	MaxSessionAge = 24 * time.Hour

	// MaxSessionAge13 is the maximum in TLS 1.3. See RFC 8446 §4.6.1.
	MaxSessionAge13 = 7 * 24 * time.Hour
)

// Session is what two sides keep of a full handshake, so that the next one needs no key exchange.
// It contains a master_secret: an attacker who reads it can decrypt and resume the connection.
//
// A session is stored in the presentation language of RFC 5246 §4 as
//
//	struct {
//	    uint8 format = 6;
//	    ProtocolVersion version;
//	    CipherSuite cipher_suite;
//	    uint8 flags;                           // 1: extended_master_secret, 2: encrypt_then_mac;
//	                                           // a raw public key of 4: the client, 8: the server
//	    uint64 created;                        // seconds since 1970
//	    opaque server_name<0..2^16-1>;
//	    opaque alpn<0..2^8-1>;
//	    opaque chain<0..2^24-1>;               // of opaque certificate<1..2^24-1>, or of one key
//	    opaque ocsp_response<0..2^24-1>;
//	    opaque timestamps<0..2^24-1>;          // of opaque sct<1..2^16-1>
//	    NamedGroup group;
//	    opaque group_name<0..2^8-1>;
//	    opaque psk_identity<0..2^16-1>;
//	    opaque bound<48>;
//	    uint32 ticket_age_add;                 // TLS 1.3
//	    uint64 ticket_issued;                  // TLS 1.3: milliseconds since 1970; 0: unknown
//	    uint32 max_early_data_size;            // TLS 1.3: in bytes; 0: no early data
//	    opaque secret<32..64>;                 // master_secret, or the key of a TLS 1.3 ticket
//	    opaque extra<0..2^24-1>;               // of opaque value<0..2^24-1>
//	} Session;
type Session struct {
	Version              iana.Version
	Suite                iana.CipherSuite
	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	Created              time.Time // of the full handshake, to the second
	ServerName           string
	ALPN                 string
	Chain                [][]byte   // the peer's certificates, or its raw public key, DER
	RawKeys              [2]bool    // by side: it sent a raw public key, RFC 7250
	Staple               []byte     // a client's: the OCSP response of the full handshake
	SCTs                 [][]byte   // a client's, of the full handshake
	Group                iana.Group // of the full handshake; 0: none, or one without a name
	GroupName            string
	PSKIdentity          []byte // a client's, with a pre-shared key
	Bound                []byte // digests of what the Config was: see bindings
	// master_secret, 48 bytes; TLS 1.3: the key of the ticket, as long as the hash
	Master []byte
	AgeAdd uint32 // TLS 1.3: hides how old the ticket is
	// TLS 1.3, to the millisecond: when a server made the ticket, or when it reached a client
	Issued time.Time
	// TLS 1.3: how many bytes of early data the ticket allows. See RFC 8446 §4.2.10.
	MaxEarlyData uint32
	Extra        [][]byte // the program's

	ID       []byte                // RFC 5246 §7.3; empty with a ticket
	Ticket   []byte                // a client's, RFC 5077
	Verified [][]*x509.Certificate // a client's, as long as the session stays in this process
	// a client's: when the ticket's lifetime_hint has passed; zero: none was sent
	Deadline time.Time
}

// BoundLen is the length of Session.Bound, in bytes: three digests.
const BoundLen = 48

// format is the first byte of an encoded Session. A change of the layout takes a new number.
const format uint8 = 6

// Encode returns the session as bytes, for a ticket or a store. The ID and the Ticket are not
// included: they are what the session is found by.
func (s *Session) Encode() ([]byte, error) {
	return wire.Encode("session", s.layout)
}

// DecodeSession parses what Encode returned.
func DecodeSession(b []byte) (*Session, error) {
	s := &Session{}
	if err := wire.Decode(bytes.Clone(b), "session", s.layout); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Session) layout(c *wire.Codec) {
	version, flags, created := format, s.flags(), uint64(s.Created.Unix())
	high, low := uint32(created>>32), uint32(created)
	var issued uint64
	if !s.Issued.IsZero() {
		issued = uint64(s.Issued.UnixMilli())
	}
	issuedHigh, issuedLow := uint32(issued>>32), uint32(issued)
	wire.Uint8(c, "format", &version)
	if version != format {
		c.Failf("got a session of format %d, expected %d", version, format)
		return
	}
	wire.Uint16(c, "version", &s.Version)
	wire.Uint16(c, "cipher_suite", &s.Suite)
	wire.Uint8(c, "flags", &flags)
	wire.Uint32(c, "created_high", &high)
	wire.Uint32(c, "created_low", &low)
	name, alpn, group := []byte(s.ServerName), []byte(s.ALPN), []byte(s.GroupName)
	wire.Opaque16(c, "server_name", &name, 0, 1<<16-1)
	wire.Opaque8(c, "alpn", &alpn, 0, 255)
	wire.Vector24(c, "chain", &s.Chain, 0, 1<<24-1, func(c *wire.Codec, der *[]byte) {
		wire.Opaque24(c, "certificate", der, 1, 1<<24-1)
	})
	wire.Opaque24(c, "ocsp_response", &s.Staple, 0, 1<<24-1)
	wire.Vector24(c, "timestamps", &s.SCTs, 0, 1<<24-1, func(c *wire.Codec, sct *[]byte) {
		wire.Opaque16(c, "sct", sct, 1, 1<<16-1)
	})
	wire.Uint16(c, "group", &s.Group)
	wire.Opaque8(c, "group_name", &group, 0, 255)
	wire.Opaque16(c, "psk_identity", &s.PSKIdentity, 0, 1<<16-1)
	wire.Opaque8(c, "bound", &s.Bound, BoundLen, BoundLen)
	wire.Uint32(c, "ticket_age_add", &s.AgeAdd)
	wire.Uint32(c, "ticket_issued_high", &issuedHigh)
	wire.Uint32(c, "ticket_issued_low", &issuedLow)
	wire.Uint32(c, "max_early_data_size", &s.MaxEarlyData)
	wire.Opaque8(c, "secret", &s.Master, 32, 64)
	wire.Vector24(c, "extra", &s.Extra, 0, 1<<24-1, func(c *wire.Codec, value *[]byte) {
		wire.Opaque24(c, "value", value, 0, 1<<24-1)
	})
	if c.Reading() {
		s.ServerName, s.ALPN, s.GroupName = string(name), string(alpn), string(group)
		s.ExtendedMasterSecret, s.EncryptThenMAC = flags&1 != 0, flags&2 != 0
		s.RawKeys = [2]bool{iana.Client: flags&4 != 0, iana.Server: flags&8 != 0}
		s.Created = time.Unix(int64(uint64(high)<<32|uint64(low)), 0)
		if issued = uint64(issuedHigh)<<32 | uint64(issuedLow); issued != 0 {
			s.Issued = time.UnixMilli(int64(issued))
		}
	}
}

func (s *Session) flags() (f uint8) {
	if s.ExtendedMasterSecret {
		f |= 1
	}
	if s.EncryptThenMAC {
		f |= 2
	}
	if s.RawKeys[iana.Client] {
		f |= 4
	}
	if s.RawKeys[iana.Server] {
		f |= 8
	}
	return f
}

// Fresh reports whether the session is young enough to be resumed at the time now.
func (s *Session) Fresh(now time.Time) bool {
	age, most := now.Sub(s.Created), MaxSessionAge
	if s.Version == iana.TLS13 {
		most = MaxSessionAge13
	}
	return age >= -time.Minute && age < most &&
		(s.Deadline.IsZero() || now.Before(s.Deadline))
}

// MaxSessionSize is the most that the variable parts of a session may take, in bytes. An ordinary
// chain with its OCSP response takes 3,000 to 9,000. A longer session is not kept, since an
// unauthenticated peer could otherwise fill a store with 130 KB each.
const MaxSessionSize = 16 << 10

// Fits returns an error if the session is longer than MaxSessionSize.
func (s *Session) Fits() error {
	n := len(s.ServerName) + len(s.ALPN) + len(s.Staple) + len(s.PSKIdentity) +
		len(s.ID) + len(s.Ticket)
	for _, b := range slices.Concat(s.Chain, s.SCTs, s.Extra) {
		n += len(b)
	}
	if n > MaxSessionSize {
		return fmt.Errorf("the session has %d bytes, expected at most %d", n, MaxSessionSize)
	}
	return nil
}

// IsPSK reports whether the session is resumed by pre_shared_key, as those of TLS 1.3 are: its
// secret is a pre-shared key, and keys are exchanged anew. See RFC 8446 §2.2.
func (s *Session) IsPSK() bool { return s.Version == iana.TLS13 }
