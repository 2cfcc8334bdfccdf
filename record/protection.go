package record

import (
	"io"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Keys are the parts of key_block that protect one direction. A part that the cipher does not take
// is empty. See RFC 5246 §6.3.
type Keys struct{ MAC, Key, IV []byte }

// Params holds what a Protection needs besides its algorithms.
type Params struct {
	Version        iana.Version
	EncryptThenMAC bool // RFC 7366; for CBC only
	Keys           Keys
	Rand           io.Reader // for CBC IVs, which must be unpredictable; nil means crypto/rand
}

// A Protection is a cipher with its keys: it protects the records of one direction. It keeps no
// sequence number, does not check the length of plaintexts and is not safe for concurrent use.
type Protection interface {
	// Seal appends one record, header included, to dst. It uses the type and the version of h.
	// plain must not overlap dst's capacity.
	Seal(dst []byte, seq uint64, h Header, plain []byte) ([]byte, error)
	// Open authenticates and decrypts a fragment in place. A fragment that fails is wiped, and the
	// error is bad_record_mac.
	Open(seq uint64, h Header, fragment []byte) (plain []byte, err error)
	// Anatomy returns the parts of the record that Seal or Open handled last. fragment is as on the
	// wire and is not changed.
	Anatomy(seq uint64, h Header, fragment []byte) trace.Anatomy
	// Traits returns the same value at each call, which must not be changed.
	Traits() *Traits
}

// Traits describe a Protection to its users.
type Traits struct {
	Name       string // "AES_256_CBC, HMAC-SHA256, MAC-then-encrypt"
	Ref        string // the section that defines the form of the records
	Overhead   int    // the most bytes that Seal adds to a plaintext, header included
	MaxRecords uint64 // that one key may seal
	InnerType  bool   // TLS 1.3: plaintext ends in its content type and padding
}
