package kex

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// BenchmarkExchange measures both sides: two key pairs and two shared secrets.
func BenchmarkExchange(b *testing.B) {
	standard := map[iana.Group]ecdh.Curve{iana.Secp256r1: ecdh.P256(), iana.Secp384r1: ecdh.P384(),
		iana.Secp521r1: ecdh.P521(),
		iana.X25519:    ecdh.X25519()}
	for _, id := range allNamed {
		g := named(b, id)
		b.Run(id.String()+"/kex", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				offer, _ := g.Offer(rand.Reader)
				ours, err := g.Answer(rand.Reader, offer.Share())
				if err != nil {
					b.Fatal(err)
				}
				if _, err := offer.Finish(ours.Share); err != nil {
					b.Fatal(err)
				}
			}
		})
		c, ok := standard[id]
		if !ok {
			continue
		}
		b.Run(id.String()+"/crypto-ecdh", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one, _ := c.GenerateKey(rand.Reader)
				two, _ := c.GenerateKey(rand.Reader)
				for _, side := range []struct{ mine, theirs *ecdh.PrivateKey }{{one, two},
					{two, one}} {
					share, _ := c.NewPublicKey(side.theirs.PublicKey().Bytes())
					if _, err := side.mine.ECDH(share); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkFiniteField measures a client with parameters that are well known, remembered, or
// tested.
func BenchmarkFiniteField(b *testing.B) {
	known := number(b, "ffdhe2048").Bytes()
	made, _ := Params(fields(b)[10])
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			FiniteField(known, []byte{2}, 2048)
		}
	})
	b.Run("remembered", func(b *testing.B) {
		for b.Loop() {
			FiniteField(made, []byte{2}, 2048)
		}
	})
	b.Run("tested", func(b *testing.B) {
		for b.Loop() {
			clear(tested.known)
			FiniteField(made, []byte{2}, 2048)
		}
	})
}

func BenchmarkRSA2048(b *testing.B) {
	key := testKey(b)
	_, encrypted, err := EncryptPreMaster(rand.Reader, &key.PublicKey, iana.TLS12)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encrypt/kex", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			EncryptPreMaster(rand.Reader, &key.PublicKey, iana.TLS12)
		}
	})
	b.Run("encrypt/crypto-rsa", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pre := make([]byte, 48)
			rand.Read(pre)
			//lint:ignore SA1019 to compare with it is the point
			rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, pre)
		}
	})
	b.Run("decrypt/kex", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			DecryptPreMaster(rand.Reader, key, encrypted, iana.TLS12)
		}
	})
	b.Run("decrypt/crypto-rsa", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pre := make([]byte, 48)
			rand.Read(pre)
			//lint:ignore SA1019 to compare with it is the point
			rsa.DecryptPKCS1v15SessionKey(nil, key, encrypted, pre)
		}
	})
}
