package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

func TestWycheproofSignatures(t *testing.T) {
	files := []struct {
		name   string
		scheme iana.SignatureScheme
	}{
		{"rsa_signature_2048_sha256", iana.RSA_PKCS1_SHA256},
		{"rsa_signature_2048_sha384", iana.RSA_PKCS1_SHA384},
		{"rsa_signature_2048_sha512", iana.RSA_PKCS1_SHA512},
		{"rsa_signature_3072_sha256", iana.RSA_PKCS1_SHA256},
		{"rsa_pss_2048_sha256_mgf1_32", iana.RSA_PSS_RSAE_SHA256},
		{"rsa_pss_3072_sha256_mgf1_32", iana.RSA_PSS_RSAE_SHA256},
		{"rsa_pss_4096_sha384_mgf1_48", iana.RSA_PSS_RSAE_SHA384},
		{"rsa_pss_4096_sha512_mgf1_64", iana.RSA_PSS_RSAE_SHA512},
		{"rsa_pss_2048_sha256_mgf1_32", iana.RSA_PSS_PSS_SHA256},
		{"rsa_pss_3072_sha256_mgf1_32", iana.RSA_PSS_PSS_SHA256},
		{"rsa_pss_4096_sha384_mgf1_48", iana.RSA_PSS_PSS_SHA384},
		{"rsa_pss_4096_sha512_mgf1_64", iana.RSA_PSS_PSS_SHA512},
		{"ecdsa_secp256r1_sha256", iana.ECDSA_SECP256R1_SHA256},
		{"ecdsa_secp384r1_sha384", iana.ECDSA_SECP384R1_SHA384},
		{"ecdsa_secp521r1_sha512", iana.ECDSA_SECP521R1_SHA512},
		{"ed25519", iana.ED25519},
		{"ed448", iana.ED448},
	}
	total := 0
	for _, f := range files {
		t.Run(fmt.Sprintf("%s/%v", f.name, f.scheme),
			func(t *testing.T) { total += wycheproof(t, f.name, f.scheme) })
	}
	t.Logf("%d cases in %d files", total, len(files))
}

func wycheproof(t *testing.T, name string, s iana.SignatureScheme) (ran int) {
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			PublicKeyDer testkit.Hex
			Tests        []struct {
				TcID     int
				Comment  string
				Msg, Sig testkit.Hex
				Result   string
			}
		}
	}
	testkit.JSON(t, "wycheproof/"+name+"_test.json", &file)
	valid, acceptable := 0, 0
	for _, g := range file.TestGroups {
		pub := wycheproofKey(t, g.PublicKeyDer, s)
		for _, c := range g.Tests {
			err := Verify(pub, s, c.Msg, c.Sig)
			ran++
			switch {
			case c.Result == "acceptable": // a legacy encoding that we may refuse, and do
				acceptable++
				wantAlert(t, err, alert.DecryptError, "")
			case (err == nil) != (c.Result == "valid"):
				t.Errorf("case %d (%s): got %v, expected %s", c.TcID, c.Comment, err, c.Result)
			case err != nil:
				wantAlert(t, err, alert.DecryptError, s.String())
			default:
				valid++
			}
		}
	}
	if ran != file.NumberOfTests || valid == 0 {
		t.Fatalf("%d cases ran of %d, %d of them valid", ran, file.NumberOfTests, valid)
	}
	t.Logf("%d cases: %d valid, %d acceptable but refused", ran, valid, acceptable)
	return ran
}

func wycheproofKey(t *testing.T, der []byte, s iana.SignatureScheme) crypto.PublicKey {
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if pub, err = parseSPKI(der); err != nil {
			t.Fatal(err)
		}
	}
	if k, ok := pub.(*rsa.PublicKey); ok && kindOfScheme(s) == keyPSS {
		return &PSSPublicKey{PublicKey: k}
	}
	return pub
}

func kindOfScheme(s iana.SignatureScheme) keyKind {
	row, _ := lookup(s)
	return row.Key
}

// The server's signature in github.com/syncsynchalt/illustrated-tls12 covers both randoms, which
// stand in the two hellos, and the parameters: RFC 8422 §5.4.
func TestIllustratedServerKeyExchangeVerifies(t *testing.T) {
	const record, handshake = 5, 4 // lengths of the headers
	file := func(name string) []byte { return testkit.Vectors(t, "illustrated-tls12/"+name) }
	random := func(hello []byte) [32]byte { return [32]byte(hello[record+handshake+2:]) }
	block, _ := pem.Decode(file("server.crt"))
	chain, err := ParseChain([][]byte{block.Bytes})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := chain.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	body := file("serverkeyexchange")[record+handshake:]
	n := 1 + 2 + 1 + int(body[3]) // curve_type, namedcurve, point <1..2^8-1>
	params, rest := body[:n], body[n:]
	s, signature := iana.SignatureScheme(uint16(rest[0])<<8|uint16(rest[1])), rest[4:]
	client, server := random(file("clienthello")), random(file("serverhello"))
	if err := Verify(pub, s, ServerParams(client, server, params), signature); err != nil {
		t.Error(err)
	}
	wantAlert(t, Verify(pub, s, ServerParams(server, client, params), signature),
		alert.DecryptError, "rsa_pkcs1_sha256")
	wantAlert(t, Verify(pub, s, ServerParams(client, server, params[1:]), signature),
		alert.DecryptError, "rsa_pkcs1_sha256")
	if s != iana.RSA_PKCS1_SHA256 {
		t.Errorf("got %v, expected rsa_pkcs1_sha256", s)
	}
}
