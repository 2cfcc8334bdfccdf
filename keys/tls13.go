package keys

import (
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Traffic is a traffic secret of TLS 1.3, from which one direction's keys follow for a part of the connection. The schedule above
// it, from shared secrets to traffic secrets, is left out as long as nobody here speaks TLS 1.3: an observer reads traffic
// secrets from a key log. See RFC 8446 §7.1.
type Traffic struct {
	hash   crypto.Hash
	log    *trace.Log
	secret func() []byte // a function prints as an address: no fmt verb shows the secret
}

// NewTraffic takes a secret, which is as long as the hash's output.
func NewTraffic(h crypto.Hash, secret []byte, log *trace.Log) (Traffic, error) {
	if len(secret) != h.Size() {
		return Traffic{}, alert.Fail(alert.InternalError, "RFC 8446 §7.1", "a traffic secret of %d bytes, expected %d", len(secret), h.Size())
	}
	return Traffic{h, log, func() []byte { return secret }}, nil
}

// Direction derives write_key and write_iv. There is no MAC key. See RFC 8446 §7.3.
func (t Traffic) Direction(s Shape) Direction {
	return Direction{Key: t.expandLabel("write_key", "key", s.Key, "RFC 8446 §7.3"), IV: t.expandLabel("write_iv", "iv", s.IV, "RFC 8446 §7.3")}
}

// VerifyData is what Finished proves: an HMAC of the transcript's hash under finished_key. See RFC 8446 §4.4.4.
func (t Traffic) VerifyData(from iana.Side, transcriptHash []byte) []byte {
	key := t.expandLabel("finished_key", "finished", t.hash.Size(), "RFC 8446 §4.4.4")
	h := hmac.New(t.hash.New, key)
	h.Write(transcriptHash)
	data := h.Sum(nil)
	t.log.Derived(from.String()+"_verify_data", "HMAC", hashName(t.hash), "", key, transcriptHash, data, "RFC 8446 §4.4.4")
	return data
}

// Update is the next traffic secret, after a KeyUpdate. See RFC 8446 §7.2.
func (t Traffic) Update() Traffic {
	next := t.expandLabel("application_traffic_secret", "traffic upd", t.hash.Size(), "RFC 8446 §7.2")
	return Traffic{t.hash, t.log, func() []byte { return next }}
}

// expandLabel is HKDF-Expand-Label with an empty context. See RFC 8446 §7.1.
func (t Traffic) expandLabel(name, label string, n int, ref string) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "+label...)
	info = append(info, 0)
	out, err := hkdf.Expand(func() hash.Hash { return t.hash.New() }, t.secret(), string(info), n)
	if err != nil {
		panic(fmt.Sprintf("keys: HKDF-Expand of %d bytes: %v", n, err)) // n is at most 48
	}
	t.log.Derived(name, "HKDF-Expand-Label", hashName(t.hash), label, t.secret(), info, out, ref)
	return out
}

func hashName(h crypto.Hash) string { return PRF{Hash: h}.hashName() }
