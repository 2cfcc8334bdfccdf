package keys

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/trace"
)

const schedule = "RFC 8446 §7.1"

// HKDF is the key derivation function of a TLS 1.3 connection. Hash is that of the cipher suite.
// See RFC 8446 §7.1.
type HKDF struct {
	Hash crypto.Hash
	Log  *trace.Log // receives every derivation; may be nil
}

// stage is one secret of the key schedule, with the function that derives what follows from it.
type stage struct {
	hkdf   HKDF
	secret func() []byte // a function, since printing by reflection does not look into one
}

func (k HKDF) stage(secret []byte) stage { return stage{k, func() []byte { return secret }} }

// Bytes returns a copy of the secret, or nil for the zero value.
func (s stage) Bytes() []byte {
	if s.secret == nil {
		return nil
	}
	return bytes.Clone(s.secret())
}

// Format prints the length and a fingerprint, whatever the verb.
func (s stage) Format(f fmt.State, _ rune) { trace.Print(f, trace.Secret(s.Bytes())) }

// MarshalText returns what Format prints.
func (s stage) MarshalText() ([]byte, error) { return trace.Text(trace.Secret(s.Bytes())) }

// extract returns HKDF-Extract(salt, ikm). A nil input stands for as many zeros as the hash has
// bytes. See RFC 5869 §2.2.
func (k HKDF) extract(name string, salt, ikm []byte) stage {
	zeros := make([]byte, k.Hash.Size())
	if salt == nil {
		salt = zeros
	}
	if ikm == nil {
		ikm = zeros
	}
	m := newMAC(k.Hash, salt)
	defer m.free(k.Hash)
	m.begin()
	m.Write(ikm)
	out := m.sum(nil)
	k.Log.Extracted(name, hashName(k.Hash), salt, ikm, out, schedule)
	return k.stage(out)
}

// Key returns HKDF(secret, salt, info, n), for keys that are not part of the key schedule. n is at
// most 255 times the length of the hash. See RFC 5869 §2.
func (k HKDF) Key(secret, salt []byte, info string, n int) []byte {
	extract := newMAC(k.Hash, salt)
	defer extract.free(k.Hash)
	extract.begin()
	extract.Write(secret)
	expand := newMAC(k.Hash, extract.sum(nil))
	defer expand.free(k.Hash)
	expand.info = append(expand.info[:0], info...)
	return expand.expand(n)
}

// A label is one use of HKDF-Expand-Label: the event's name for the output, the label without
// "tls13 ", and the section.
type label struct{ name, label, ref string }

// expand returns HKDF-Expand-Label(secret, label, context, n). context has at most 255 bytes. See
// RFC 8446 §7.1.
func (s stage) expand(l label, context []byte, n int) []byte {
	m := s.mac()
	defer m.free(s.hkdf.Hash)
	return s.expandBy(m, l, context, n)
}

// mac returns the HMAC under s.
func (s stage) mac() *mac { return newMAC(s.hkdf.Hash, s.secret()) }

// expandBy is expand with the HMAC under s, for several outputs.
func (s stage) expandBy(m *mac, l label, context []byte, n int) []byte {
	info := binary.BigEndian.AppendUint16(m.info[:0], uint16(n))
	info = append(info, byte(len("tls13 ")+len(l.label)))
	info = append(append(info, "tls13 "...), l.label...)
	m.info = append(append(info, byte(len(context))), context...)
	out := m.expand(n)
	s.hkdf.Log.Derived(l.name, "HKDF-Expand-Label", hashName(s.hkdf.Hash), l.label, s.secret(),
		m.info, out, l.ref)
	return out
}

// derive returns Derive-Secret(secret, label, messages), given Transcript-Hash(messages). See RFC
// 8446 §7.1.
func (s stage) derive(l label, transcriptHash []byte) stage {
	return s.hkdf.stage(s.expand(l, transcriptHash, s.hkdf.Hash.Size()))
}

// next is the step between two Extracts: HKDF-Extract(Derive-Secret(., "derived", ""), ikm). See
// RFC 8446 §7.1.
func (s stage) next(name string, ikm []byte) stage {
	salt := s.derive(label{"derived_secret", "derived", schedule}, s.hkdf.empty())
	return s.hkdf.extract(name, salt.secret(), ikm)
}

// finished returns verify_data under a base key: HMAC(finished_key, Transcript-Hash(…)). See RFC
// 8446 §4.4.4.
func (s stage) finished(name string, transcriptHash []byte) []byte {
	const ref = "RFC 8446 §4.4.4"
	key := s.expand(label{"finished_key", "finished", ref}, nil, s.hkdf.Hash.Size())
	m := newMAC(s.hkdf.Hash, key)
	defer m.free(s.hkdf.Hash)
	m.begin()
	m.Write(transcriptHash)
	data := m.sum(nil)
	s.hkdf.Log.Derived(name, "HMAC", hashName(s.hkdf.Hash), "", key, transcriptHash, data, ref)
	return data
}

var emptySHA256, emptySHA384 = sha256.Sum256(nil), sha512.Sum384(nil)

// empty returns Transcript-Hash(""). The caller must not change it.
func (k HKDF) empty() []byte {
	switch k.Hash {
	case crypto.SHA256:
		return emptySHA256[:]
	case crypto.SHA384:
		return emptySHA384[:]
	}
	return k.new().Sum(nil)
}

func (k HKDF) new() hash.Hash { return k.Hash.New() }

func hashName(h crypto.Hash) string { return PRF{Hash: h}.hashName() }
