package keys

import (
	"crypto"
	"encoding/binary"
)

// PreSharedPreMaster returns the pre_master_secret of a pre-shared key: other_secret and psk, each
// preceded by its length in two bytes. other is the result of the key exchange that accompanies the
// key; nil, if there is none, stands for as many zeros as psk has bytes. See RFC 4279 §2 to §4.
func PreSharedPreMaster(other, psk []byte) []byte {
	if other == nil {
		other = make([]byte, len(psk))
	}
	pre := binary.BigEndian.AppendUint16(make([]byte, 0, 4+len(other)+len(psk)), uint16(len(other)))
	pre = append(pre, other...)
	pre = binary.BigEndian.AppendUint16(pre, uint16(len(psk)))
	return append(pre, psk...)
}

// Import returns the key that is imported from the external key epsk for a target KDF, and is as
// long as the target's output: HKDF-Extract(0, epsk) = epskx, and HKDF-Expand-Label(epskx, "derived
// psk", Hash(ImportedIdentity), L) = ipskx. The hash of k is the one that belongs to epsk, which
// need not be the target's. identity is the encoded ImportedIdentity. See RFC 9258 §5.1.
func (k HKDF) Import(epsk, identity []byte, target crypto.Hash) []byte {
	const ref = "RFC 9258 §5.1"
	h := k.new()
	h.Write(identity)
	return k.extract("epskx", nil, epsk).expand(label{"ipskx", "derived psk", ref}, h.Sum(nil),
		target.Size())
}
