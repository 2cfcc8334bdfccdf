package keys

import "encoding/binary"

// PreSharedPreMaster is other_secret and the pre-shared key, each behind its length of two bytes.
// other is what the exchange beside the key gave; nil where there is none stands for as many zeros
// as the key has bytes. See RFC 4279 §2 to §4.
func PreSharedPreMaster(other, psk []byte) []byte {
	if other == nil {
		other = make([]byte, len(psk))
	}
	pre := binary.BigEndian.AppendUint16(make([]byte, 0, 4+len(other)+len(psk)), uint16(len(other)))
	pre = append(pre, other...)
	pre = binary.BigEndian.AppendUint16(pre, uint16(len(psk)))
	return append(pre, psk...)
}
