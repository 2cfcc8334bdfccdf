package recompute

import (
	"encoding/binary"
	"slices"
)

// gcmTag computes a tag from the hash key and the block that encrypts the tag. See NIST SP 800-38D
// §7.1.
func gcmTag(h, mask, aad, ciphertext []byte) []byte {
	lengths := binary.BigEndian.AppendUint64(nil, 8*uint64(len(aad)))
	lengths = binary.BigEndian.AppendUint64(lengths, 8*uint64(len(ciphertext)))
	return xor(ghash(h, slices.Concat(blocks(aad), blocks(ciphertext), lengths)), mask)
}

// ghash computes GHASH bit by bit over data of whole blocks. See NIST SP 800-38D §6.3 and §6.4.
func ghash(h, data []byte) []byte {
	var y [2]uint64
	h = append(h, zeros(16)...) // openssl may have failed
	k := [2]uint64{binary.BigEndian.Uint64(h), binary.BigEndian.Uint64(h[8:])}
	for ; len(data) > 0; data = data[16:] {
		y[0] ^= binary.BigEndian.Uint64(data)
		y[1] ^= binary.BigEndian.Uint64(data[8:])
		y = times(y, k)
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, y[0]), y[1])
}

// times multiplies in GF(2^128). The first bit is the most significant one.
func times(x, v [2]uint64) (z [2]uint64) {
	for i := range 128 {
		if x[i/64]>>(63-i%64)&1 == 1 {
			z[0] ^= v[0]
			z[1] ^= v[1]
		}
		low := v[1] & 1
		v[1] = v[1]>>1 | v[0]<<63
		v[0] = v[0]>>1 ^ low*0xE1<<56
	}
	return z
}
