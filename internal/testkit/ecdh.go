package testkit

import (
	"crypto/ecdh"
	"testing"
)

// ECDH returns the shared secret of a private and a public key: X25519's, or P-256's if the public
// key is an uncompressed point of it.
func ECDH(t testing.TB, private, public []byte) []byte {
	t.Helper()
	curve := ecdh.X25519()
	if len(public) == 65 {
		curve = ecdh.P256()
	}
	ours, err := curve.NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := curve.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := ours.ECDH(theirs)
	if err != nil {
		t.Fatal(err)
	}
	return shared
}
