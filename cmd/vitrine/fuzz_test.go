package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
	"unicode"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// FuzzKeyFile: a key file in any form gives a key or an error, which quotes no password, and costs
// no more derivations than are allowed.
func FuzzKeyFile(f *testing.F) {
	const password = "a password of the user"
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.ECDSA} {
		c, err := ca.Issue(kind, []string{"vitrine.test"})
		if err != nil {
			f.Fatal(err)
		}
		der, err := throwaway.PKCS8(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
		f.Add(append([]byte("\xEF\xBB\xBF  "),
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...))
		f.Add([]byte("\xFF\xFE-\x00-\x00"))
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der,
			Headers: map[string]string{
				"Proc-Type": "4,ENCRYPTED",
				"DEK-Info":  "AES-256-CBC,00112233445566778899aabbccddeeff"}}))
		if b, err := pkcs8.MarshalPrivateKey(c.PrivateKey, []byte(password), nil); err == nil {
			f.Add(b)
		}
		if b, err := pkcs12.Modern.Encode(c.PrivateKey, c.Leaf, nil, password); err == nil {
			f.Add(b)
		}
	}
	for _, b := range keyFiles(f, ca, password) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if file = asWritten(file); len(asWritten(file)) > len(file) {
			t.Errorf("%q becomes longer", file)
		}
		for _, word := range []string{"", password} {
			spent := new(derivations)
			key, err := keyFromPEM(file, word, spent)
			if err != nil {
				key, err = keyFromDER(file, word, spent)
			}
			if (key == nil) != (err != nil) {
				t.Errorf("a key of type %T and %v", key, err)
			}
			if err != nil && (strings.Contains(err.Error(), password) || len(err.Error()) > 2000) {
				t.Errorf("%.3000v", err)
			}
		}
		if err := foreignKey(file); err != nil && len(err.Error()) > 2000 {
			t.Errorf("%.3000v", err)
		}
		if _, err := chainFromStore(file, password); err != nil &&
			strings.Contains(err.Error(), password) {
			t.Errorf("%.3000v", err)
		}
		if _, _, err := readBlocks(file); err != nil && len(err.Error()) > 2000 {
			t.Errorf("%.3000v", err)
		}
	})
}

// keyFiles are files of keys in the rarer forms, and in those that are refused.
func keyFiles(f *testing.F, ca *throwaway.CA, password string) (all [][]byte) {
	c, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		f.Fatal(err)
	}
	der := x509.MarshalPKCS1PrivateKey(c.PrivateKey.(*rsa.PrivateKey))
	//lint:ignore SA1019 OpenSSL's old encryption is weak, but such keys exist
	block, err := x509.EncryptPEMBlock(
		testkit.Rand("pem"),
		"RSA PRIVATE KEY",
		der,
		[]byte(password),
		x509.PEMCipherAES128,
	)
	if err != nil {
		f.Fatal(err)
	}
	sealed := pem.EncodeToMemory(block)
	other := bytes.Replace(sealed, []byte("AES-128-CBC"), []byte("SEED-CBC"), 1)
	broken := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der[:40]})
	store, err := pkcs12.Modern.Encode(c.PrivateKey, c.Leaf, []*x509.Certificate{ca.Cert}, password)
	if err != nil {
		f.Fatal(err)
	}
	wrong, err := pkcs12.LegacyDES.Encode(c.PrivateKey, c.Leaf, nil, "another")
	if err != nil {
		f.Fatal(err)
	}
	all = [][]byte{der, sealed, other, broken, append(broken, sealed...), store, wrong,
		[]byte("PuTTY-User-Key-File-3: ssh-rsa\n"), []byte("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
		sealedWith(f, []int{1, 2, 840, 113549, 1, 5, 3}, nil, nil),
		sealedWith(f, []int{1, 2, 3}, nil, nil),
		sealedWith(f, []int{1, 2, 840, 113549, 1, 5, 13}, []int{1, 2, 840, 113549, 2, 11},
			[]int{2, 16, 840, 1, 101, 3, 4, 1, 42})}
	for _, o := range []pkcs8.Opts{
		{Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.ScryptOpts{SaltSize: 8, CostParameter: 2,
			BlockSize: 1, ParallelizationParameter: 1}},
		{Cipher: pkcs8.AES128CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 1,
			HMACHash: crypto.SHA256}},
	} {
		b, err := pkcs8.MarshalPrivateKey(c.PrivateKey, []byte(password), &o)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
		all = append(all, testkit.Spoil(b, 30)...)
	}
	type salted struct {
		Salt            []byte
		Count           int64
		Length, Another int
	}
	for _, n := range []int64{2048, -1, 1 << 40} {
		b, err := asn1.Marshal(salted{[]byte("salt"), n, 3, 4})
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// FuzzPrintout: decrypted data of anybody, printed to a terminal, is text, line feeds and tabs, and
// nothing that moves a cursor or turns the direction.
func FuzzPrintout(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\n\r\n", "\x1b[31mred\x07", "a\u202eb\u2066",
		"ü\xff\xfe",
		"\u0085\u009b", "a\tb\n", strings.Repeat("\r", 5), ""} {
		f.Add([]byte(s), []byte(s), true)
	}
	f.Fuzz(func(t *testing.T, one, two []byte, client bool) {
		var out bytes.Buffer
		p := &printout{}
		from := map[bool]iana.Side{true: iana.Client, false: iana.Server}[client]
		for _, b := range [][]byte{one, two, one} {
			if err := p.write(&out, "1", from, b); err != nil {
				t.Fatal(err)
			}
		}
		for i, r := range out.String() {
			if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
				t.Errorf("%U at %d", r, i)
			}
		}
		if n := len(one)*2 + len(two); out.Len() > 200+3*n {
			t.Errorf("%d bytes are printed for %d", out.Len(), n)
		}
	})
}
