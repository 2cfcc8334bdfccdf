package kex

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// Two implementations of X25519 give the same shares and secrets, and fail for the same points: of
// low order, not reduced, and with the bit that is ignored.
func TestX25519IsThatOfCryptoECDH(t *testing.T) {
	points := [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...),
		bytes.Repeat([]byte{0xFF}, 32), append([]byte{9}, append(make([]byte, 30), 0x80)...)}
	for low := byte(0xEC); low >= 0xEC; low++ { // p-1 to p+18
		for _, top := range []byte{0x7F, 0xFF} {
			p := append([]byte{low}, bytes.Repeat([]byte{0xFF}, 30)...)
			points = append(points, append(p, top))
		}
	}
	for len(points) < 200 {
		p := make([]byte, 32)
		rand.Read(p)
		points = append(points, p)
	}
	failed := 0
	for _, point := range points {
		scalar := make([]byte, 32)
		rand.Read(scalar)
		theirs, err := ecdh.X25519().NewPrivateKey(scalar)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := curves[iana.X25519].Restore(scalar)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours.Share(), theirs.PublicKey().Bytes()) {
			t.Fatalf("scalar %x: share %x, crypto/ecdh has %x", scalar, ours.Share(),
				theirs.PublicKey().Bytes())
		}
		public, err := ecdh.X25519().NewPublicKey(point)
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := theirs.ECDH(public)
		got, err := ours.Finish(point)
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Errorf("scalar %x, point %x: %x and %v, crypto/ecdh has %x and %v", scalar, point,
				got, err, want, wantErr)
		}
		if err != nil {
			failed++
		}
	}
	if failed < 6 { // 0, 1, and p-1, p, p+1, some of them twice
		t.Errorf("%d points were refused", failed)
	}
}
