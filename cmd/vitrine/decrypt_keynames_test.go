package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// sealedWith is an EncryptedPrivateKeyInfo of PBES2 with these algorithms, or of the scheme alone.
func sealedWith(t testing.TB, scheme, prf, cipher asn1.ObjectIdentifier) []byte {
	t.Helper()
	parameters := der(t, struct {
		Salt  []byte
		Count int
	}{make([]byte, 8), 2048})
	if prf != nil {
		kdf := der(t, struct {
			Salt  []byte
			Count int
			PRF   pkix.AlgorithmIdentifier
		}{make([]byte, 8), 2048, pkix.AlgorithmIdentifier{Algorithm: prf,
			Parameters: asn1.NullRawValue}})
		parameters = der(t, struct{ KDF, Cipher pkix.AlgorithmIdentifier }{
			pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12},
				Parameters: kdf},
			pkix.AlgorithmIdentifier{Algorithm: cipher, Parameters: der(t, make([]byte, 16))}})
	}
	return der(t, struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: scheme, Parameters: parameters},
		make([]byte, 64)}).FullBytes
}

// A key in a form that is not read is named, with a command, and not called a wrong password.
func TestFormsOfKeysThatAreNotReadAreNamed(t *testing.T) {
	oid := func(n ...int) asn1.ObjectIdentifier { return n }
	pbes2, aes := oid(1, 2, 840, 113549, 1, 5, 13), oid(2, 16, 840, 1, 101, 3, 4, 1, 42)
	inPEM := func(b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: b}))
	}
	for _, c := range []struct{ text, says, command string }{
		{"\xFE\xED\xFE\xED\x00\x00\x00\x02", "a Java keystore (JKS)", "keytool -importkeystore"},
		{"\xCE\xCE\xCE\xCE\x00\x00\x00\x02", "(JCEKS)", "-srcstoretype JCEKS"},
		{"\x1E\xF1\xB5\xB0\x00\x00\x00\x00", "(PVK)",
			"openssl rsa -inform PVK -in KEY -out key.pem -provider legacy"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
			"OpenSSH", "ssh-keygen -p -m PEM"},
		{"\x07\x02\x00\x00\x00\xA4\x00\x00RSA2", "a key blob", "openssl rsa -inform MSBLOB"},
		{`{"kty":"RSA"}`, "JWK", "a converter"},
		{"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n", "PKCS #7", "as PKCS #12"},
		{"0\x16\x02\x01\x030\x11\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01" +
			"\xA0\x04\x04\x020\x00", "without a MAC", "openssl pkcs12"},
		{"PuTTY-User-Key-File-3: ssh-rsa\n", "PuTTY", "puttygen"},
		{inPEM(sealedWith(t, pbes2, oid(1, 2, 840, 113549, 2, 11), aes)), "PBKDF2-SHA512",
			"-v2prf hmacWithSHA256"},
		{inPEM(sealedWith(t, pbes2, oid(1, 2, 840, 113549, 2, 9),
			oid(1, 2, 392, 200011, 61, 1, 1, 1, 4))), "CAMELLIA-256-CBC", "openssl pkcs8"},
		{inPEM(sealedWith(t, oid(1, 2, 840, 113549, 1, 5, 3), nil, nil)), "PBE-MD5-DES",
			"-out key.pem -provider legacy -provider default"},
		{string(sealedWith(t, oid(1, 2, 840, 113549, 1, 12, 1, 3), nil, nil)), "PBE-SHA1-3DES",
			"openssl pkcs8"},
		{inPEM(sealedWith(t, pbes2, oid(1, 2, 840, 113549, 2, 9), aes)),
			"does not open with the password", ""},
		{"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: IDEA-CBC,0011\n\n" +
			"AAAA\n-----END RSA PRIVATE KEY-----\n", `"IDEA-CBC", which`,
			"openssl pkey -in KEY -out key.pem -provider legacy -provider default"},
	} {
		_, err := loadRSA(context.Background(), writeTemp(t, c.text), "secret")
		if err == nil || !strings.Contains(err.Error(), c.says) ||
			!strings.Contains(err.Error(), c.command) {
			t.Errorf("expected %q and %q, got %v", c.says, c.command, err)
		}
		if c.command != "" && err != nil && strings.Contains(err.Error(), "does not open") {
			t.Errorf("%s: called a wrong password: %v", c.says, err)
		}
	}
}

// What is wrong with a PKCS #12 is what the library that reads it found: it is not a missing MAC if
// the key is encrypted with Camellia, or if there is no key.
func TestWhatIsWrongWithAPKCS12IsReported(t *testing.T) {
	for _, c := range []struct{ err, says string }{
		{"private key missing", "with certificates, and no private key in it"},
		{"no MAC in data", "without a MAC, which is not read here; this makes one"},
		{"pbe algorithm 1.2.840.113549.1.12.1.1 is not supported", "PBE-SHA1-RC4-128; this"},
		{"error decrypting PKCS#8 shrouded key bag: pkcs12: pbes2 algorithm " +
			"1.2.392.200011.61.1.1.1.4 is not supported", "CAMELLIA-256-CBC; this makes one"},
		{"error reading P12 data: x", "cannot be read: error reading P12 data: x"},
	} {
		got := unreadStore(errors.New("pkcs12: " + c.err)).Error()
		if !strings.Contains(got, c.says) {
			t.Errorf("%s: got %q, expected %q", c.err, got, c.says)
		}
	}
}

// What editors and mail programs do to PEM is undone; the error for a file without a private key
// says what it has.
func TestPEMAsItIsFoundIsRead(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(throwawayRSA(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	wide := "\xFF\xFE"
	for _, c := range text {
		wide += string(c) + "\x00"
	}
	for what, form := range map[string]string{"a byte order mark": "\xEF\xBB\xBF" + text,
		"UTF-16": wide, "indented": "  " + strings.ReplaceAll(text, "\n", "\n  "),
		"CR LF": strings.ReplaceAll(text, "\n", "\r\n")} {
		if _, err := loadRSA(context.Background(), writeTemp(t, form), ""); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	block := func(kind string) string {
		return "-----BEGIN " + kind + "-----\nAAAA\n-----END " + kind + "-----\n"
	}
	for form, says := range map[string]string{
		text[:len(text)/2]:           "cut off",
		block("CERTIFICATE"):         "a certificate",
		block("PUBLIC KEY"):          "a public key",
		block("CERTIFICATE REQUEST"): "a request",
	} {
		_, err := loadRSA(context.Background(), writeTemp(t, form), "")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("expected %q, got %v", says, err)
		}
	}
}

func throwawayRSA(t *testing.T) crypto.PrivateKey {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	return c.PrivateKey
}
