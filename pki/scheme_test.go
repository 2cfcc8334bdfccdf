package pki

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestSchemesOfAKeyBestFirst(t *testing.T) {
	rsa1024, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		pub  crypto.PublicKey
		want []iana.SignatureScheme
	}{
		{"RSA", publicKey(t, one()[throwaway.RSA]), []iana.SignatureScheme{
			iana.RSA_PSS_RSAE_SHA256, iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_RSAE_SHA512,
			iana.RSA_PKCS1_SHA256, iana.RSA_PKCS1_SHA384, iana.RSA_PKCS1_SHA512,
			iana.RSA_PKCS1_SHA224, iana.RSA_PKCS1_SHA1, iana.MD5_SHA1}},
		// RFC 8017 §9.1.1: no room for SHA-512
		{"RSA with 1024 bits", &rsa1024.PublicKey, []iana.SignatureScheme{
			iana.RSA_PSS_RSAE_SHA256, iana.RSA_PSS_RSAE_SHA384,
			iana.RSA_PKCS1_SHA256, iana.RSA_PKCS1_SHA384, iana.RSA_PKCS1_SHA512,
			iana.RSA_PKCS1_SHA224, iana.RSA_PKCS1_SHA1, iana.MD5_SHA1}},
		{"RSASSA-PSS", publicKey(t, one()[throwaway.RSAPSS]), []iana.SignatureScheme{
			iana.RSA_PSS_PSS_SHA256, iana.RSA_PSS_PSS_SHA384, iana.RSA_PSS_PSS_SHA512}},
		// RFC 8446 §4.2.3: any hash before TLS 1.3
		{"P-256", publicKey(t, one()[throwaway.ECDSA]), []iana.SignatureScheme{
			iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384, iana.ECDSA_SECP521R1_SHA512,
			iana.ECDSA_SHA224, iana.ECDSA_SHA1}},
		{"P-384", publicKey(t, one()[throwaway.ECDSAP384]), []iana.SignatureScheme{
			iana.ECDSA_SECP384R1_SHA384, iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP521R1_SHA512,
			iana.ECDSA_SHA224, iana.ECDSA_SHA1}},
		{"P-521", publicKey(t, one()[throwaway.ECDSAP521]), []iana.SignatureScheme{
			iana.ECDSA_SECP521R1_SHA512, iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384,
			iana.ECDSA_SHA224, iana.ECDSA_SHA1}},
		{"Ed25519", publicKey(t, one()[throwaway.Ed25519]), []iana.SignatureScheme{iana.ED25519}},
		{"Ed448", publicKey(t, one()[throwaway.Ed448]), []iana.SignatureScheme{iana.ED448}},
		{"no key at all", nil, nil},
	} {
		if got := Schemes(c.pub); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, expected %v", c.name, got, c.want)
		}
	}
}

// Every kind of key with every scheme: it signs and verifies, or is refused on both sides.
func TestAKeySignsWithItsSchemesAndNoOther(t *testing.T) {
	message := []byte("client_random, server_random, params")
	signed, refused := 0, 0
	for kind, c := range one() {
		pub := publicKey(t, c)
		for _, s := range every {
			signature, err := Sign(nil, opaqueSigner{c.Key.(crypto.Signer)}, s, message)
			if !slices.Contains(Schemes(pub), s) {
				refused++
				wantAlert(t, Verify(pub, s, message, signature), alert.IllegalParameter, s.String())
				row, _ := lookup(s)
				// a private RSA key does not know which kind its certificate is
				_, isRSA := c.Key.(*rsa.PrivateKey)
				if err == nil && !(isRSA && (row.Key == keyRSA || row.Key == keyPSS)) {
					t.Errorf("%s: signed with %v", kind, s)
				}
				continue
			}
			signed++
			if err != nil {
				t.Errorf("%s with %v: %v", kind, s, err)
				continue
			}
			if err := Verify(pub, s, message, signature); err != nil {
				t.Errorf("%s with %v: %v", kind, s, err)
			}
			// RFC 5246 §7.2.2
			wantAlert(t, Verify(pub, s, message[1:], signature), alert.DecryptError, s.String())
			for _, bad := range [][]byte{nil, signature[1:],
				append(signature[:len(signature):len(signature)], 0), flipped(signature)} {
				wantAlert(t, Verify(pub, s, message, bad), alert.DecryptError, s.String())
			}
		}
		wantAlert(t, Verify(pub, 0x0202, message, nil), alert.IllegalParameter, "dsa_sha1")
	}
	if signed == 0 || refused == 0 {
		t.Fatal("no cases")
	}
	t.Logf("%d combinations sign, %d are refused", signed, refused)
}

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

func TestAPSSCertificateTakesNoRSAESchemeAndTheReverse(t *testing.T) {
	message := []byte("m")
	for _, c := range []struct {
		kind throwaway.Kind
		s    iana.SignatureScheme
	}{{throwaway.RSAPSS, iana.RSA_PSS_RSAE_SHA256}, {throwaway.RSAPSS, iana.RSA_PKCS1_SHA256},
		{throwaway.RSA, iana.RSA_PSS_PSS_SHA256}} {
		cred := one()[c.kind]
		// the private key does not show it: accepted
		signature, err := Sign(nil, cred.Key.(crypto.Signer), c.s, message)
		if err != nil {
			t.Fatal(err)
		}
		wantAlert(t, Verify(publicKey(t, cred), c.s, message, signature), alert.IllegalParameter,
			"expected one that the certificate's")
		if _, err := ChooseScheme(publicKey(t, cred), []iana.SignatureScheme{c.s},
			every); alert.Of(err) != alert.HandshakeFailure {
			t.Errorf("%s certificate: %v was chosen: %v", c.kind, c.s, err)
		}
	}
}

// RFC 4346 §7.4.3: MD5 and SHA-1 of the message, padded as PKCS #1 block type 1 without a
// DigestInfo. Recomputed by hand.
func TestMD5AndSHA1AreSignedWithoutADigestInfo(t *testing.T) {
	c := one()[throwaway.RSA]
	pub := publicKey(t, c).(*rsa.PublicKey)
	message := []byte("a handshake of TLS 1.0")
	signature, err := Sign(nil, c.Key.(crypto.Signer), iana.MD5_SHA1, message)
	if err != nil {
		t.Fatal(err)
	}
	block := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(pub.E)),
		pub.N).FillBytes(make([]byte, pub.Size()))
	m, h := md5.Sum(message), sha1.Sum(message)
	want := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, pub.Size()-3-36), []byte{0},
		m[:], h[:])
	if !bytes.Equal(block, want) {
		t.Errorf("got %x, expected %x", block, want)
	}
}

func TestWithASeedEverySignatureRepeats(t *testing.T) {
	n := 0
	for kind, c := range one() {
		for _, s := range Schemes(publicKey(t, c)) {
			a, err := Sign(testkit.Rand("salt"), c.Key.(crypto.Signer), s, []byte("m"))
			if err != nil {
				t.Fatal(err)
			}
			b, err := Sign(testkit.Rand("salt"), c.Key.(crypto.Signer), s, []byte("m"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s with %v: two signatures with one seed differ", kind, s)
			}
			n++
		}
	}
	t.Logf("%d signatures repeat", n)
}

func TestWithoutASeedPSSAndECDSASignaturesDiffer(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := ca.Issue(throwaway.ECDSA, nil)
	if err != nil {
		t.Fatal(err)
	}
	for s, key := range map[iana.SignatureScheme]crypto.PrivateKey{
		iana.ECDSA_SECP256R1_SHA256: fresh.PrivateKey,
		iana.RSA_PSS_RSAE_SHA256:    one()[throwaway.RSA].Key,
	} {
		a, err1 := Sign(nil, key.(crypto.Signer), s, []byte("m"))
		b, err2 := Sign(nil, key.(crypto.Signer), s, []byte("m"))
		if err1 != nil || err2 != nil || bytes.Equal(a, b) {
			t.Errorf("%v: two signatures are the same: %v, %v", s, err1, err2)
		}
	}
}

func TestASignerThatFailsIsOurFault(t *testing.T) {
	c := one()[throwaway.RSA]
	// no salt to be had
	_, err := Sign(bytes.NewReader(nil), c.Key.(crypto.Signer), iana.RSA_PSS_RSAE_SHA256, nil)
	if alert.Of(err) != alert.InternalError {
		t.Errorf("got %v, expected internal_error", err)
	}
}

func TestTheSchemeIsTheKeysBestThatBothSidesAccept(t *testing.T) {
	type list = []iana.SignatureScheme
	for _, c := range []struct {
		name            string
		kind            throwaway.Kind
		theirs, allowed list
		want            iana.SignatureScheme
		fails           bool
	}{
		{"the key's order, not the peer's", throwaway.RSA,
			list{iana.RSA_PKCS1_SHA256, iana.RSA_PSS_RSAE_SHA256}, every, iana.RSA_PSS_RSAE_SHA256,
			false},
		{"what our policy lacks is not used", throwaway.RSA,
			list{iana.RSA_PKCS1_SHA256, iana.RSA_PSS_RSAE_SHA256}, list{iana.RSA_PKCS1_SHA256},
			iana.RSA_PKCS1_SHA256, false},
		{"SHA-1 is not allowed by itself", throwaway.RSA, Implied(iana.TLS12), modern, 0, true},
		{"SHA-1 under a legacy policy", throwaway.RSA, Implied(iana.TLS12), every,
			iana.RSA_PKCS1_SHA1, false},
		{"SHA-1 for ECDSA", throwaway.ECDSA, Implied(iana.TLS12), every, iana.ECDSA_SHA1, false},
		{"TLS 1.0", throwaway.RSA, Implied(iana.TLS10), every, iana.MD5_SHA1, false},
		{"TLS 1.0 with ECDSA", throwaway.ECDSA, Implied(iana.TLS10), every, iana.ECDSA_SHA1, false},
		{"a P-384 key prefers its own hash", throwaway.ECDSAP384,
			list{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384}, modern,
			iana.ECDSA_SECP384R1_SHA384, false},
		{"and takes another before TLS 1.3", throwaway.ECDSAP384, list{iana.ECDSA_SECP256R1_SHA256},
			modern, iana.ECDSA_SECP256R1_SHA256, false},
		{"nothing in common", throwaway.Ed25519, list{iana.ED448}, modern, 0, true},
		{"an empty list", throwaway.Ed448, list{}, modern, 0, true},
	} {
		got, err := ChooseScheme(publicKey(t, one()[c.kind]), c.theirs, c.allowed)
		if c.fails {
			wantAlert(t, err, alert.HandshakeFailure, "accepts only")
		} else if err != nil || got != c.want {
			t.Errorf("%s: got %v, %v, expected %v", c.name, got, err, c.want)
		}
	}
}

func TestServerParamsAreRandomsThenParams(t *testing.T) {
	got := ServerParams([32]byte{0: 1, 31: 2}, [32]byte{0: 3, 31: 4}, []byte{5, 6})
	want := slices.Concat([]byte{1}, make([]byte, 30), []byte{2, 3}, make([]byte, 30),
		[]byte{4, 5, 6})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, expected %x", got, want)
	}
}

func TestAKeySignsWithOurFirstSchemeThatThePeerAccepts(t *testing.T) {
	key, p384 := publicKey(t, one()[throwaway.RSA]), publicKey(t, one()[throwaway.ECDSAP384])
	all := []iana.SignatureScheme{iana.RSA_PKCS1_SHA256, iana.RSA_PSS_RSAE_SHA512,
		iana.RSA_PSS_RSAE_SHA256, iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384}
	for _, c := range []struct {
		what   string
		pub    crypto.PublicKey
		theirs []iana.SignatureScheme
		ours   []iana.SignatureScheme
		want   iana.SignatureScheme
	}{
		{"our order", key, all, all[1:], iana.RSA_PSS_RSAE_SHA512},
		{"our order again", key, all, all, iana.RSA_PKCS1_SHA256},
		{"not the peer's", key, all, []iana.SignatureScheme{all[2], all[0]}, all[2]},
		{"what the peer has not is passed over", key, all[2:], all, iana.RSA_PSS_RSAE_SHA256},
		{"ECDSA: the curve's own", p384, all, all, iana.ECDSA_SECP384R1_SHA384},
		{"ECDSA: another, if need be", p384, all[:4], all, iana.ECDSA_SECP256R1_SHA256},
	} {
		if got, err := ChooseScheme(c.pub, c.theirs, c.ours); got != c.want || err != nil {
			t.Errorf("%s: got %v and %v, expected %v", c.what, got, err, c.want)
		}
	}
}
