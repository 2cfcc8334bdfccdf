package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// der encodes v.
func der(t testing.TB, v any) asn1.RawValue {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{FullBytes: b}
}

// encrypted returns an EncryptedPrivateKeyInfo whose key is derived with these parameters, and that
// cannot be decrypted.
func encrypted(t *testing.T, kdf asn1.ObjectIdentifier, parameters any) []byte {
	t.Helper()
	scheme := struct{ KDF, Cipher pkix.AlgorithmIdentifier }{
		pkix.AlgorithmIdentifier{Algorithm: kdf, Parameters: der(t, parameters)},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42},
			Parameters: der(t, make([]byte, 16))},
	}
	return der(t, struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13},
		Parameters: der(t, scheme)}, make([]byte, 32)}).FullBytes
}

var (
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

type (
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		Length     int `asn1:"optional"`
	}
	scryptParams struct {
		Salt    []byte
		N, R, P int
	}
)

// Whoever makes a key file chooses the cost of its key, which is bounded. See RFC 8018 §A.2, RFC
// 7914 §7.1 and RFC 7292 §4.
func TestDerivationOfAKeyIsBounded(t *testing.T) {
	const tooMuch, wrong = "million steps", "does not open with the password"
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	const iterations = 1<<16 + 1
	bag, err := pkcs12.Modern.WithIterations(iterations).Encode(certificate.PrivateKey,
		certificate.Leaf, nil, "right")
	if err != nil {
		t.Fatal(err)
	}
	number, err := asn1.Marshal(iterations)
	if err != nil {
		t.Fatal(err)
	}
	var two []byte // each of which is allowed
	for _, n := range []int{1 << 10, int(maxDerivations)} {
		two = append(two, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY",
			Bytes: encrypted(t, oidPBKDF2, pbkdf2Params{make([]byte, 8), n, 0})})...)
	}
	for _, c := range []struct {
		what string
		file []byte
		says string
	}{
		{"PBKDF2", encrypted(t, oidPBKDF2, pbkdf2Params{make([]byte, 8), 2048, 0}), wrong},
		{"PBKDF2, the most iterations",
			encrypted(t, oidPBKDF2, pbkdf2Params{make([]byte, 8), math.MaxInt32, 0}), tooMuch},
		{"PBKDF2, as many iterations as an int holds",
			encrypted(t, oidPBKDF2, pbkdf2Params{make([]byte, 8), math.MaxInt, 32}), tooMuch},
		{"PBKDF2, a long key",
			encrypted(t, oidPBKDF2, pbkdf2Params{make([]byte, 8), 2048, 1 << 20}), tooMuch},
		{"scrypt", encrypted(t, oidScrypt, scryptParams{make([]byte, 8), 1 << 10, 8, 1}), wrong},
		{"scrypt, 16 GiB", encrypted(t, oidScrypt, scryptParams{make([]byte, 8), 1 << 24, 8, 1}),
			tooMuch},
		{"scrypt, long",
			encrypted(t, oidScrypt, scryptParams{make([]byte, 8), 1 << 14, 8, 1 << 10}), tooMuch},
		{"scrypt, no number",
			encrypted(t, oidScrypt, scryptParams{make([]byte, 8), math.MaxInt, math.MaxInt, 1}),
			tooMuch},
		{"two keys", two, tooMuch},
		{"PKCS #12", bag, wrong},
		{"PKCS #12, many iterations", bytes.ReplaceAll(bag, number, []byte{2, 3, 0x7F, 0xFF, 0xFF}),
			tooMuch},
	} {
		name := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(name, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadRSA(t.Context(), name, "guess"); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, expected %q", c.what, err, c.says)
		}
	}
}

// A key with the parameters recommended today can be read.
func TestAKeyBehindAStrongPasswordOpens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, kdf := range []pkcs8.KDFOpts{
		pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: 600_000, HMACHash: crypto.SHA256},
		pkcs8.ScryptOpts{SaltSize: 16, CostParameter: 1 << 17, BlockSize: 8,
			ParallelizationParameter: 1},
	} {
		der, err := pkcs8.MarshalPrivateKey(key, []byte("right"),
			&pkcs8.Opts{Cipher: pkcs8.AES256CBC, KDFOpts: kdf})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(name, der, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := loadRSA(t.Context(), name, "right"); err != nil ||
			!key.PublicKey.Equal(got.Public()) {
			t.Errorf("%T: %v", kdf, err)
		}
	}
}

// An interrupt ends the derivation of a key.
func TestAnInterruptEndsTheDerivationOfAKey(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, encrypted(t, oidPBKDF2, pbkdf2Params{make([]byte, 8), 1 << 20, 0}),
		0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := loadRSA(ctx, name, "guess"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A file that is too long or never ends is refused.
func TestAKeyFileIsSmall(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("there is no /dev/zero")
	}
	if _, err := loadRSA(t.Context(), "/dev/zero", ""); err == nil ||
		!strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}
