package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// What crypto/rsa says of keys that it takes is the measure, also with a modulus that fills its
// first byte not or barely.
func TestSmallKeysAreVerifiedAsCryptoRSAWould(t *testing.T) {
	message := []byte("client_random, server_random, params")
	for _, bits := range []int{1024, 1025, 1031, 1033} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, s := range schemes {
			if s.Key != keyRSA || !s.fits(&key.PublicKey) {
				continue
			}
			checked++
			signature, err := Sign(nil, key, s.ID, message)
			if err != nil {
				t.Fatal(err)
			}
			digest := s.digest(message)
			if !verifySmall(&key.PublicKey, s.Hash, s.PSS, digest, signature) {
				t.Errorf("%d bits, %v: a right signature does not verify", bits, s.ID)
			}
			for _, change := range []func(sig, digest []byte) ([]byte, []byte){
				func(sig, d []byte) ([]byte, []byte) { sig[len(sig)/2] ^= 1; return sig, d },
				func(sig, d []byte) ([]byte, []byte) { d[0] ^= 1; return sig, d },
				func(sig, d []byte) ([]byte, []byte) { return sig[1:], d },
				func(sig, d []byte) ([]byte, []byte) { return append([]byte{0}, sig...), d },
				func(sig, d []byte) ([]byte, []byte) { return key.N.FillBytes(sig), d },
				func(sig, d []byte) ([]byte, []byte) { return nil, d },
			} {
				sig, d := change(append([]byte{}, signature...), append([]byte{}, digest...))
				if verifySmall(&key.PublicKey, s.Hash, s.PSS, d, sig) {
					t.Errorf("%d bits, %v: a wrong signature verifies", bits, s.ID)
				}
			}
		}
		if checked < 7 {
			t.Errorf("%d bits: only %d schemes were checked", bits, checked)
		}
	}
}

// RFC 8017 §9.1.2 and §9.2: each byte of an encoding that is not the message's is fixed.
func TestEncodingsWithOneBitWrongAreRefused(t *testing.T) {
	digest := make([]byte, 32)
	key, err := rsa.GenerateKey(rand.Reader, 1031)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := rsa.SignPSS(
		rand.Reader,
		key,
		crypto.SHA256,
		digest,
		&rsa.PSSOptions{SaltLength: 32},
	)
	if err != nil {
		t.Fatal(err)
	}
	encoded := new(
		big.Int,
	).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N).
		FillBytes(make([]byte, key.Size()))
	if !pssEncodes(crypto.SHA256, encoded, 1030, digest) {
		t.Fatal("a good encoding is refused")
	}
	for i := range 8 * len(encoded) {
		bad := append([]byte{}, encoded...)
		bad[i/8] ^= 0x80 >> (i % 8)
		if pssEncodes(crypto.SHA256, bad, 1030, digest) {
			t.Errorf("bit %d does not count", i)
		}
	}
}

// A 512-bit key signs with SHA-256 at the most, and the error says that the key is too small: RFC
// 8017 §9.2.
func TestAKeyTooSmallForASchemeIsTheReason(t *testing.T) {
	_, key := refused(t, "rsa512")
	pub := &key.(*rsa.PrivateKey).PublicKey
	for _, tt := range []struct {
		id   iana.SignatureScheme
		fits bool
	}{
		{iana.RSA_PKCS1_SHA1, true}, {iana.RSA_PKCS1_SHA224, true},
		{iana.RSA_PKCS1_SHA256, true}, {iana.MD5_SHA1, true},
		{iana.RSA_PKCS1_SHA384, false}, {iana.RSA_PKCS1_SHA512, false},
		{iana.RSA_PSS_RSAE_SHA256, false},
	} {
		s, _ := lookup(tt.id)
		if s.fits(pub) != tt.fits {
			t.Errorf("%v: fits: %v", tt.id, !tt.fits)
		}
		if !tt.fits {
			wantAlert(t, Verify(pub, tt.id, nil, make([]byte, 64)), 47, "512-bit RSA key can make")
			continue
		}
		k := key.(*rsa.PrivateKey)
		encoded := padPKCS1(
			64,
			append(append([]byte{}, digestInfos[s.Hash]...), s.digest([]byte("message"))...),
		)
		signature := new(
			big.Int,
		).Exp(new(big.Int).SetBytes(encoded), k.D, k.N).
			FillBytes(make([]byte, 64))
		if err := Verify(pub, tt.id, []byte("message"), signature); err != nil {
			t.Errorf("%v: %v", tt.id, err)
		}
		if Verify(pub, tt.id, []byte("another message"), signature) == nil {
			t.Errorf("%v: a signature of another message verifies", tt.id)
		}
	}
}
