package keys

import "encoding/binary"

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
