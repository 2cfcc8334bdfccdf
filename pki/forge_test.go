package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/cloudflare/circl/sign/ed448"
)

// A node is a certificate and its key, which signs as sig says.
type node struct {
	cert *x509.Certificate
	key  crypto.Signer
	sig  sigAlg
	pss  bool // its SubjectPublicKeyInfo says RSASSA-PSS
}

// A sigAlg is an AlgorithmIdentifier with what is needed to sign by it.
type sigAlg struct {
	der  []byte
	hash crypto.Hash
	pss  *rsa.PSSOptions
}

func algorithmDER(oid asn1.ObjectIdentifier, params any) []byte {
	id := pkix.AlgorithmIdentifier{Algorithm: oid}
	switch params := params.(type) {
	case []byte:
		id.Parameters.FullBytes = params
	case bool:
		id.Parameters = asn1.NullRawValue
	}
	der, err := asn1.Marshal(id)
	if err != nil {
		panic(err)
	}
	return der
}

// pssParams writes RSASSA-PSS-params. See RFC 4055 §3.1.
func pssParams(hash asn1.ObjectIdentifier, salt int) []byte {
	h := pkix.AlgorithmIdentifier{Algorithm: hash, Parameters: asn1.NullRawValue}
	inner, err := asn1.Marshal(h)
	if err != nil {
		panic(err)
	}
	mgf := pkix.AlgorithmIdentifier{Algorithm: oidMGF1, Parameters: asn1.RawValue{FullBytes: inner}}
	der, err := asn1.Marshal(struct {
		Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
		MGF  pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
		Salt int                      `asn1:"explicit,tag:2"`
	}{h, mgf, salt})
	if err != nil {
		panic(err)
	}
	return der
}

func pssAlg(hash crypto.Hash, oid asn1.ObjectIdentifier, salt int) sigAlg {
	return sigAlg{
		algorithmDER(oidRSAPSS, pssParams(oid, salt)),
		hash,
		&rsa.PSSOptions{SaltLength: salt, Hash: hash},
	}
}

var (
	md5RSA = sigAlg{
		algorithmDER(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, true),
		crypto.MD5,
		nil,
	}
	sha1RSA   = sigAlg{algorithmDER(oidSHA1RSA, true), crypto.SHA1, nil}
	sha1ISO   = sigAlg{algorithmDER(oidSHA1RSAOld, true), crypto.SHA1, nil}
	sha224RSA = sigAlg{algorithmDER(oidSHA224RSA, true), crypto.SHA224, nil}
	sha256RSA = sigAlg{
		algorithmDER(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, true),
		crypto.SHA256,
		nil,
	}
	sha1ECDSA   = sigAlg{algorithmDER(oidSHA1ECDSA, nil), crypto.SHA1, nil}
	sha224ECDSA = sigAlg{algorithmDER(oidSHA224ECDSA, nil), crypto.SHA224, nil}
	sha256ECDSA = sigAlg{
		algorithmDER(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, nil),
		crypto.SHA256,
		nil,
	}
	pssSHA256   = pssAlg(crypto.SHA256, oidSHA256, 32)
	pssLongSalt = pssAlg(crypto.SHA256, oidSHA256, 222) // OpenSSL's default with 2048 bits
	pssNoSalt   = pssAlg(crypto.SHA256, oidSHA256, 8)
	pssSHA1     = pssAlg(crypto.SHA1, oidSHA1, 20)
	ed448Alg    = sigAlg{algorithmDER(oidEd448, nil), 0, nil}
)

// forgeKeys are made once: RSA keys cost time.
var forgeKeys = sync.OnceValue(func() (keys struct {
	rsa   [2]*rsa.PrivateKey
	ecdsa [4]*ecdsa.PrivateKey
	ed448 ed448.PrivateKey
}) {
	for i := range keys.rsa {
		keys.rsa[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	for i := range keys.ecdsa {
		keys.ecdsa[i], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	_, keys.ed448, _ = ed448.GenerateKey(rand.Reader)
	return keys
})

// form is what issue makes that x509.CreateCertificate cannot.
type form struct {
	pss, v1 bool
	sig     sigAlg // of the key that is certified: what it signs with later
	// changes the fields of the TBSCertificate: RFC 5280 §4.1, version to extensions
	tbs func(fields []asn1.RawValue) []asn1.RawValue
	der func(der []byte) []byte // changes all of it, after it was signed
}

// issue509 makes a certificate for key, signed by parent, nil for itself. The template is a leaf
// for "a.test" that is valid for an hour around now.
func issue509(t testing.TB, parent *node, key crypto.Signer, f form,
	edit func(*x509.Certificate)) *node {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(randomBytes(8)),
		Subject:      pkix.Name{CommonName: "leaf"},
		DNSNames:     []string{"a.test"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if edit != nil {
		edit(c)
	}
	me := &node{key: key, sig: f.sig, pss: f.pss}
	signer, above := me, c
	if parent != nil {
		signer, above = parent, parent.cert
	}
	standIn := forgeKeys().ecdsa[0]
	var public crypto.PublicKey = key.Public()
	if _, ok := public.(ed448.PublicKey); ok {
		public = standIn.Public()
	}
	template := *above // CreateCertificate checks that an issuer's key is the one that signs
	template.PublicKey = nil
	der, err := x509.CreateCertificate(rand.Reader, c, &template, public, standIn)
	if err != nil {
		t.Fatal(err)
	}
	der = rewrite(t, der, me, f, signer)
	me.cert, _ = ReadCertificate(der) // some are meant to be malformed
	return me
}

// rewrite puts in what f asks for, and signs as signer does.
func rewrite(t testing.TB, der []byte, me *node, f form, signer *node) []byte {
	var outer, fields []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer[0].FullBytes, &fields); err != nil {
		t.Fatal(err)
	}
	algorithm := asn1.RawValue{FullBytes: signer.sig.der}
	fields[2] = algorithm
	spki := func(oid asn1.ObjectIdentifier, key []byte) {
		der, _ := asn1.Marshal(struct {
			A pkix.AlgorithmIdentifier
			K asn1.BitString
		}{
			pkix.AlgorithmIdentifier{Algorithm: oid},
			asn1.BitString{Bytes: key, BitLength: 8 * len(key)},
		})
		fields[6] = asn1.RawValue{FullBytes: der}
	}
	switch k := me.key.Public().(type) {
	case ed448.PublicKey:
		spki(oidEd448, k)
	case *rsa.PublicKey:
		if f.pss {
			spki(oidRSAPSS, x509.MarshalPKCS1PublicKey(k))
		}
	}
	if f.v1 {
		fields = fields[1:7]
	}
	if f.tbs != nil {
		fields = f.tbs(fields)
	}
	tbs, _ := asn1.Marshal(fields)
	signed := signer.sign(t, tbs)
	signature, _ := asn1.Marshal(asn1.BitString{Bytes: signed, BitLength: 8 * len(signed)})
	der, _ = asn1.Marshal([]asn1.RawValue{{FullBytes: tbs}, algorithm, {FullBytes: signature}})
	if f.der != nil {
		der = f.der(der)
	}
	return der
}

func (n *node) sign(t testing.TB, tbs []byte) []byte {
	t.Helper()
	digest, opts := tbs, crypto.SignerOpts(n.sig.hash)
	if n.sig.hash != 0 {
		h := n.sig.hash.New()
		h.Write(tbs)
		digest = h.Sum(nil)
	}
	if n.sig.pss != nil {
		opts = n.sig.pss
	}
	s, err := n.key.Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	b[0] &= 0x7F
	return b
}
