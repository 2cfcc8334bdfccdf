package trace

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Event is one of the types in this package; no other package can implement it.
type Event interface{ event() string }

// Message is a handshake message, sent or received: its 4-byte header and its body. See RFC 5246
// §7.4.
type Message struct {
	From iana.Side          `json:"from"`
	Type iana.HandshakeType `json:"type"`
	Raw  Hex                `json:"raw"`
	// Number counts this side's messages, from 1. Of one that was received, Record is the number of
	// the record in which it begins, among those that arrived. Of one that was sent it is 0, since
	// its record is sealed later: that Record tells which messages begin in it.
	Number uint64 `json:"number,omitempty"`
	Record uint64 `json:"record,omitempty"`
}

// Choice is one choice of a side, and the rule that it followed.
type Choice struct {
	What    string `json:"what"` // "cipher_suite", "group", "signature_scheme", …
	Offered string `json:"offered,omitempty"`
	Chosen  string `json:"chosen"`
	Rule    string `json:"rule"`
}

// Agreed has the parameters that the hellos and the server's messages negotiated.
type Agreed struct {
	Version        iana.Version        `json:"version"`
	Suite          iana.CipherSuite    `json:"suite"`
	KeyExchange    iana.KeyExchange    `json:"key_exchange"`
	Authentication iana.Authentication `json:"authentication"`
	// "" for RSA; "2048-bit MODP" for a prime without a name
	Group                string `json:"group"`
	ExtendedMasterSecret bool   `json:"extended_master_secret"`
	EncryptThenMAC       bool   `json:"encrypt_then_mac"`
	ALPN                 string `json:"alpn,omitempty"`
	ServerName           string `json:"server_name,omitempty"`
	Resumed              bool   `json:"resumed,omitempty"`
	// the certificate type of each side, if that is not X.509: RFC 7250
	ServerCertificateType iana.CertificateType `json:"server_certificate_type,omitempty"`
	ClientCertificateType iana.CertificateType `json:"client_certificate_type,omitempty"`
}

// CertificateType returns the certificate type of a side. See RFC 7250.
func (a *Agreed) CertificateType(of iana.Side) iana.CertificateType {
	if of == iana.Server {
		return a.ServerCertificateType
	}
	return a.ClientCertificateType
}

// Ephemeral is a private key made for this handshake alone, its public key and the peer's. In a
// finite field Public and Peer are big-endian and as long as the prime; p and g are in
// ServerKeyExchange.
type Ephemeral struct {
	From    iana.Side `json:"from"`
	Group   string    `json:"group"`
	Private Secret    `json:"private"`
	Public  Hex       `json:"public"`
	Peer    Hex       `json:"peer"`
}

// ThrowawayKey is the private key of a certificate that was made for one demonstration.
type ThrowawayKey struct {
	From      iana.Side `json:"from"`
	Algorithm string    `json:"algorithm"`
	Private   Secret    `json:"private"` // PKCS #8, DER
	Public    Hex       `json:"public"`  // SubjectPublicKeyInfo, DER
}

// SharedSecret is the result of the key exchange.
type SharedSecret struct {
	Name   string `json:"name"` // "pre_master_secret"
	Output Secret `json:"output"`
}

// Derived is one call of a key derivation function. See RFC 5246 §5 and RFC 8446 §7.1.
type Derived struct {
	Name     string `json:"name"`     // "master_secret", "key_block", "handshake_secret", …
	Function string `json:"function"` // "PRF", "HKDF-Extract", "HKDF-Expand-Label", "HMAC"
	Hash     string `json:"hash"`     // "SHA-256"
	Label    string `json:"label"`
	Secret   Secret `json:"secret"`         // HKDF-Extract: the input keying material
	Salt     Secret `json:"salt,omitempty"` // HKDF-Extract: derived from the secret before
	Seed     Hex    `json:"seed"`           // public: randoms, hashes, the info of HKDF-Expand
	Output   Secret `json:"output"`
}

// Given is a secret that this role did not derive: an observer's, from a key log. See RFC 9850.
type Given struct {
	Name   string `json:"name"` // that of Derived: "client_handshake_traffic_secret"
	Output Secret `json:"output"`
}

// KeysInstalled says that these keys protect everything that From sends from here on. See RFC 5246
// §6.3.
type KeysInstalled struct {
	From   iana.Side `json:"from"`
	MACKey Secret    `json:"mac_key"`
	Key    Secret    `json:"key"`
	IV     Secret    `json:"iv"`
}

// Direction says whether a record was sealed or opened by this role.
type Direction string

// The directions.
const (
	Sealed Direction = "sealed"
	Opened Direction = "opened"
)

// Record is one record, protected or not. See RFC 5246 §6.2.
type Record struct {
	From      iana.Side `json:"from"`
	Direction Direction `json:"direction"`
	SeqNum    uint64    `json:"seq_num"`
	// Number counts the records of its side on the wire, from 1: as they were sealed, or as they
	// arrived, those that were refused or skipped included. An observer counts those that it
	// misses as far as sequence numbers tell.
	Number uint64 `json:"number,omitempty"`
	// Messages is how many messages begin in it, if it was sealed, and FirstMessage the Number of
	// the first of them.
	FirstMessage uint64           `json:"first_message,omitempty"`
	Messages     uint64           `json:"messages,omitempty"`
	ContentType  iana.ContentType `json:"content_type"`
	Header       Hex              `json:"header"`    // 5 bytes, as on the wire
	Plaintext    Secret           `json:"plaintext"` // TLSPlaintext.fragment
	Fragment     Hex              `json:"fragment"`  // as on the wire, after the header
	Protection   string           `json:"protection"`
	Anatomy
}

// Anatomy has the parts of a protected record. A part that the protection does not have is empty.
type Anatomy struct {
	IV         Hex    `json:"iv,omitempty"`         // CBC: see RFC 5246 §6.2.3.2
	Nonce      Secret `json:"nonce,omitempty"`      // AEAD: whole; it reveals the write IV
	Explicit   Hex    `json:"explicit,omitempty"`   // AEAD: nonce_explicit
	AAD        Hex    `json:"aad,omitempty"`        // AEAD: additional_data; else MACed first
	Ciphertext Hex    `json:"ciphertext,omitempty"` // without explicit nonce, tag, outer MAC
	MAC        Hex    `json:"mac,omitempty"`
	Padding    Hex    `json:"padding,omitempty"` // CBC: with padding_length
	Tag        Hex    `json:"tag,omitempty"`
}

// Verified is a check that succeeded: of a chain or a raw public key, a signature, a Finished or a
// stapled status.
type Verified struct {
	What      string               `json:"what"` // "chain", "raw public key", "signature", …
	From      iana.Side            `json:"from"` // whose claim was checked
	Scheme    iana.SignatureScheme `json:"scheme,omitempty"`
	Signed    Hex                  `json:"signed,omitempty"` // before hashing
	Signature Hex                  `json:"signature,omitempty"`
	Detail    string               `json:"detail,omitempty"`
}

// Signed is a signature that this role made.
type Signed struct {
	From      iana.Side            `json:"from"`
	Scheme    iana.SignatureScheme `json:"scheme"`
	Signed    Hex                  `json:"signed"`
	Signature Hex                  `json:"signature"`
}

// Alert is an alert, sent or received. See RFC 5246 §7.2.
type Alert struct {
	From        iana.Side         `json:"from"`
	Level       alert.Level       `json:"level"`
	Description alert.Description `json:"description"`
	Reason      string            `json:"reason,omitempty"` // of an alert that this role sent
	// Record is the number of the record that carries it; 0 if there is none, as in QUIC.
	Record uint64 `json:"record,omitempty"`
}

// Failed is a check that this role made and its peer did not pass. The section that was violated is
// the Ref of its Entry.
type Failed struct {
	From  iana.Side  `json:"from"`  // whose bytes were refused
	Check alert.Kind `json:"check"` // what went wrong; empty if the alert says it all
	// Alert is what the peer is told; nothing if its stream has ended.
	Alert alert.Description `json:"alert,omitempty"`
	// Number is that of the record that was refused, or in which the refused message ends, among
	// those that arrived; 0 if there was none. Record is that record as it arrived.
	Number  uint64             `json:"number,omitempty"`
	Record  Hex                `json:"record,omitempty"`
	Message iana.HandshakeType `json:"message,omitempty"` // that was refused, if it was one
	Fields  string             `json:"fields,omitempty"`  // of it, separated by commas
	Reason  string             `json:"reason"`
}

// Fate is what becomes of a record between the two sides.
type Fate string

// The fates.
const (
	FateDelivered  Fate = "delivered" // as it was sent
	FateChanged    Fate = "changed"   // other bytes arrived, or fewer
	FateDropped    Fate = "dropped"   // nothing of it arrived
	FateMoved      Fate = "moved"     // it arrived behind the next one
	FateDuplicated Fate = "duplicate" // a copy of the record before
	FateReplayed   Fate = "replayed"  // a copy of an earlier record
	FateForged     Fate = "forged"    // its side never sent it
)

// Delivery is what somebody between the two sides let through. Only a run with such a somebody has
// it; otherwise what is sent arrives.
type Delivery struct {
	From iana.Side `json:"from"`
	Fate Fate      `json:"fate"`
	// Number counts the records that From has sent, from 1; a forged one has none. Arrival counts
	// those that have arrived from it; what is dropped has none.
	Number  uint64 `json:"number,omitempty"`
	Arrival uint64 `json:"arrival,omitempty"`
	Bytes   Hex    `json:"bytes,omitempty"` // what arrived, if it is not what was sent
}

// Done ends a handshake, with success or an error.
type Done struct {
	OK     bool   `json:"ok"`
	Figure string `json:"figure,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Notice is a sentence about the stream itself, for example that it contains secrets.
type Notice struct {
	Text string `json:"text"`
}

func (*Message) event() string       { return "message" }
func (*Choice) event() string        { return "choice" }
func (*Agreed) event() string        { return "agreed" }
func (*Ephemeral) event() string     { return "ephemeral" }
func (*ThrowawayKey) event() string  { return "throwaway_key" }
func (*SharedSecret) event() string  { return "shared_secret" }
func (*Derived) event() string       { return "derived" }
func (*Given) event() string         { return "given" }
func (*KeysInstalled) event() string { return "keys_installed" }
func (*Record) event() string        { return "record" }
func (*Verified) event() string      { return "verified" }
func (*Signed) event() string        { return "signed" }
func (*Alert) event() string         { return "alert" }
func (*Failed) event() string        { return "failed" }
func (*Delivery) event() string      { return "delivery" }
func (*Done) event() string          { return "done" }
func (*Notice) event() string        { return "notice" }
