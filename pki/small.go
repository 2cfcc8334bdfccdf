package pki

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/binary"
	"slices"

	"filippo.io/bigmod"
)

// digestInfos are the bytes before a digest in PKCS #1 v1.5, by the hash. MD5SHA1 has none. See RFC
// 8017 §9.2, note 1.
var digestInfos = map[crypto.Hash][]byte{
	crypto.SHA1:   digestInfo(crypto.SHA1, oidSHA1),
	crypto.SHA224: digestInfo(crypto.SHA224, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}),
	crypto.SHA256: digestInfo(crypto.SHA256, oidSHA256),
	crypto.SHA384: digestInfo(crypto.SHA384, oidSHA384),
	crypto.SHA512: digestInfo(crypto.SHA512, oidSHA512),
}

// digestInfo encodes a DigestInfo and cuts the digest off.
func digestInfo(hash crypto.Hash, oid asn1.ObjectIdentifier) []byte {
	type algorithm struct {
		OID  asn1.ObjectIdentifier
		Null asn1.RawValue
	}
	der, err := asn1.Marshal(struct {
		Algorithm algorithm
		Digest    []byte
	}{algorithm{oid, asn1.NullRawValue}, make([]byte, hash.Size())})
	if err != nil {
		panic(err) // unreachable: the OIDs are constants
	}
	return der[:len(der)-hash.Size()]
}

// verifySmall reports whether a signature is right, of PSS or of PKCS #1 v1.5, by a key that is too
// short for crypto/rsa. Only a client that checks no certificates calls it: ParseChain refuses such
// keys. Everything is public.
func verifySmall(pub *rsa.PublicKey, hash crypto.Hash, pss bool, digest, signature []byte) bool {
	if pub.N.Bit(0) == 0 || pub.E < 3 || pub.E&1 == 0 {
		return false
	}
	modulus, err := bigmod.NewModulus(pub.N.Bytes())
	if err != nil || len(signature) != modulus.Size() {
		return false
	}
	x, err := bigmod.NewNat().SetBytes(signature, modulus)
	if err != nil {
		return false
	}
	encoded := bigmod.NewNat().ExpShortVarTime(x, uint(pub.E), modulus).Bytes(modulus)
	if pss {
		return pssEncodes(hash, encoded, pub.N.BitLen()-1, digest)
	}
	return bytes.Equal(encoded, padPKCS1(len(encoded), slices.Concat(digestInfos[hash], digest)))
}

// padPKCS1 is EMSA-PKCS1-v1_5. It returns nil if the digest does not fit. See RFC 8017 §9.2.
func padPKCS1(size int, info []byte) []byte {
	if size < len(info)+11 {
		return nil
	}
	out := bytes.Repeat([]byte{0xFF}, size)
	out[0], out[1], out[size-len(info)-1] = 0, 1, 0
	copy(out[size-len(info):], info)
	return out
}

// pssEncodes is EMSA-PSS-VERIFY with a salt as long as the hash, over an encoding of bits bits that
// may have a zero byte before it. See RFC 8017 §9.1.2.
func pssEncodes(hash crypto.Hash, encoded []byte, bits int, digest []byte) bool {
	n, size := hash.Size(), (bits+7)/8
	for len(encoded) > size {
		if encoded[0] != 0 {
			return false
		}
		encoded = encoded[1:]
	}
	if size < 2*n+2 || encoded[size-1] != 0xBC || encoded[0]>>(8-(8*size-bits)) != 0 {
		return false
	}
	db, seed := bytes.Clone(encoded[:size-n-1]), encoded[size-n-1:size-1]
	mask := mgf1(hash, seed, len(db))
	for i := range db {
		db[i] ^= mask[i]
	}
	db[0] &= 0xFF >> (8*size - bits)
	zeros := len(db) - n - 1
	if bytes.Count(db[:zeros], []byte{0}) != zeros || db[zeros] != 1 {
		return false
	}
	h := hash.New()
	h.Write(make([]byte, 8))
	h.Write(digest)
	h.Write(db[zeros+1:])
	return bytes.Equal(h.Sum(nil), seed)
}

// mgf1 is the mask of RFC 8017 §B.2.1.
func mgf1(hash crypto.Hash, seed []byte, n int) (mask []byte) {
	for i := uint32(0); len(mask) < n; i++ {
		h := hash.New()
		h.Write(seed)
		h.Write(binary.BigEndian.AppendUint32(nil, i))
		mask = h.Sum(mask)
	}
	return mask[:n]
}
