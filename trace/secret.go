package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Hex is public bytes, such as those on the wire. It prints as lower-case hex.
type Hex []byte

func (h Hex) String() string { return hex.EncodeToString(h) }

// MarshalText returns lower-case hex.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Secret is key material or plaintext. It prints as a fingerprint.
type Secret []byte

// String returns the length and the first four bytes of the SHA-256: enough to see whether two
// secrets are equal. A dictionary attack needs no more, which is why plaintext shows only its
// length (Record.Plaintext). An empty Secret is an empty string.
func (s Secret) String() string {
	if len(s) == 0 {
		return ""
	}
	return redactedPrefix + s.Fingerprint()
}

// Fingerprint returns the length and the first four bytes of the SHA-256, as String does, for a
// reader who knows that the secret is not shown.
func (s Secret) Fingerprint() string {
	sum := sha256.Sum256(s)
	return fmt.Sprintf("%d bytes, sha256 %x…", len(s), sum[:4])
}

// MarshalText returns the fingerprint. Only a Writer with Reveal shows the bytes.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Format keeps every verb from printing the bytes: %x of a Secret is its fingerprint too. A struct
// with a field of this type needs more: see Print.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// UnmarshalText reads revealed bytes. A redacted secret becomes nil.
func (s *Secret) UnmarshalText(b []byte) (err error) {
	if len(b) >= len(redactedPrefix) && string(b[:len(redactedPrefix)]) == redactedPrefix {
		*s = nil
		return nil
	}
	*s, err = hex.DecodeString(string(b))
	return err
}

const redactedPrefix = "redacted: "
