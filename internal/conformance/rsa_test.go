package conformance_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// raw is RSA without padding: what a client that ignores PKCS #1 sends.
func raw(pub *rsa.PublicKey, block []byte) []byte {
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, big.NewInt(int64(pub.E)), pub.N).FillBytes(make([]byte, pub.Size()))
}

// RFC 5246 §7.4.7.1: "a TLS server MUST NOT generate an alert if processing an RSA-encrypted
// premaster secret message fails, or the version number is not as expected. Instead, it MUST
// continue the handshake with a randomly generated premaster secret." So that nobody can ask it
// (Bleichenbacher, Klima, ROBOT): the same alert, and the same error, at the same message.
func TestBadPreMasterSecretsAllFailAlike(t *testing.T) {
	pub := rig.Certificate(t, throwaway.RSA).Leaf.PublicKey.(*rsa.PublicKey)
	k := pub.Size()
	block := func(first, second byte, secret []byte) []byte {
		b := bytes.Repeat([]byte{0x5A}, k)
		b[0], b[1], b[k-1-len(secret)] = first, second, 0
		copy(b[k-len(secret):], secret)
		return b
	}
	good := append([]byte{3, 3}, bytes.Repeat([]byte{7}, 46)...)
	cases := []struct {
		what      string
		encrypted []byte
	}{
		{"a secret that the client does not use", raw(pub, block(0, 2, good))},
		{"the negotiated version instead of the offered one",
			raw(pub, block(0, 2, append([]byte{3, 1}, good[2:]...)))},
		{"version 0", raw(pub, block(0, 2, append([]byte{0, 0}, good[2:]...)))},
		{"47 bytes", raw(pub, block(0, 2, good[:47]))},
		{"49 bytes", raw(pub, block(0, 2, append(good[:48:48], 1)))},
		{"no bytes", raw(pub, block(0, 2, nil))},
		{"block type 1", raw(pub, block(0, 1, good))},
		{"the first byte is not 0", raw(pub, block(1, 2, good))},
		{"no zero after the padding",
			raw(pub, append([]byte{0, 2}, bytes.Repeat([]byte{9}, k-2)...))},
		{"padding of 7 bytes",
			raw(pub, append(append([]byte{0, 2, 1, 1, 1, 1, 1, 1, 1, 0},
				bytes.Repeat([]byte{9}, k-58)...), good...))},
		{"random", raw(pub, append([]byte{0}, bytes.Repeat([]byte{0xC3}, k-1)...))},
		{"the number 0", make([]byte, k)},
		{"the number 1", append(make([]byte, k-1), 1)},
		{"above the modulus", bytes.Repeat([]byte{0xFF}, k)},
		{"too short", make([]byte, k-1)},
		{"too long", make([]byte, k+1)},
		{"one byte", []byte{1}},
	}
	var first string
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			wire, ours := rig.Wires(t)
			peer := rig.Script(
				t,
				iana.Client,
				wire,
				tls.Certificate{},
				script.Edits{
					Key: func(m *message.ClientKeyExchange) { m.EncryptedPreMaster = c.encrypted },
				},
			)
			done := peer.Play(func() error { return peer.Connect(rig.RSAGCM) })
			conn := vitrine.Server(
				ours,
				rig.ServerConfig(
					t,
					rig.Until12,
					func(c *vitrine.Config) { c.CipherSuites = []uint16{uint16(rig.RSAGCM)} },
				),
			)
			err := conn.Handshake()
			conn.Close()
			<-done
			if got, ok := rig.AlertOf(err); !ok || got != alert.BadRecordMAC || peer.Alert == nil ||
				peer.Alert.Description != alert.BadRecordMAC {
				t.Fatalf("got %v, and the client heard %v, expected %v: the client's Finished "+
					"does not open", err, peer.Alert, alert.BadRecordMAC)
			}
			if first == "" {
				first = err.Error()
			}
			if err.Error() != first {
				t.Errorf("got %q, expected %q, as for all others", err, first)
			}
		})
	}
	t.Logf("%d bad pre_master_secrets", len(cases))
}

// hardware are keys that live elsewhere: no *rsa.PrivateKey, no *ecdsa.PrivateKey.
type (
	signer    struct{ key crypto.Signer }
	decrypter struct{ key crypto.Decrypter }
)

func (s signer) Public() crypto.PublicKey { return s.key.Public() }
func (s signer) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.key.Sign(r, digest, o)
}

func (d decrypter) Public() crypto.PublicKey { return d.key.Public() }
func (d decrypter) Decrypt(r io.Reader, b []byte, o crypto.DecrypterOpts) ([]byte, error) {
	//lint:ignore SA1019 TLS asks for it by this type
	if p, ok := o.(*rsa.PKCS1v15DecryptOptions); !ok || p.SessionKeyLen != 48 {
		return nil, errors.New("expected PKCS1v15DecryptOptions with SessionKeyLen 48")
	}
	return d.key.Decrypt(r, b, o)
}

// broken is hardware that does not answer.
type brokenKey struct{ crypto.Signer }

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the token was pulled")
}

func TestKeysMayLiveInHardware(t *testing.T) { rig.EachVersion(t, testKeysMayLiveInHardware) }

func testKeysMayLiveInHardware(t *testing.T, version func(*vitrine.Config)) {
	issue := func(kind throwaway.Kind,
		wrap func(crypto.PrivateKey) crypto.PrivateKey) tls.Certificate {
		c := rig.Certificate(t, kind)
		c.PrivateKey = wrap(c.PrivateKey)
		return c
	}
	sign := func(k crypto.PrivateKey) crypto.PrivateKey { return signer{k.(crypto.Signer)} }
	decrypt := func(k crypto.PrivateKey) crypto.PrivateKey {
		return decrypter{k.(crypto.Decrypter)}
	}
	for _, c := range []struct {
		what  string
		cert  tls.Certificate
		suite iana.CipherSuite
		works bool
	}{
		{"RSA decrypts", issue(throwaway.RSA, decrypt), rig.RSAGCM, true},
		{"RSA signs", issue(throwaway.RSA, sign), iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true},
		{"RSA signs for DHE", issue(throwaway.RSA, sign), rig.DHEGCM, true},
		{"ECDSA signs", issue(throwaway.ECDSA, sign), rig.ECDSAGCM, true},
		{"Ed25519 signs", issue(throwaway.Ed25519, sign), rig.ECDSAGCM, true},
		{"RSA that only signs cannot decrypt", issue(throwaway.RSA, sign), rig.RSAGCM, false},
		{"RSA that only decrypts cannot sign", issue(throwaway.RSA, decrypt),
			iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, false},
	} {
		a, b := rig.Wires(t)
		client := rig.ClientConfig(version,
			func(v *vitrine.Config) { v.CipherSuites = []uint16{uint16(c.suite)} })
		if client.MaxVersion == vitrine.VersionTLS13 && c.suite == rig.RSAGCM {
			continue // TLS 1.3 encrypts nothing to RSA keys
		}
		err, serverErr := rig.Shake(vitrine.Client(a, client),
			vitrine.Server(b,
				&vitrine.Config{Certificates: []tls.Certificate{c.cert},
					CipherSuites: []uint16{uint16(c.suite)}}))
		if c.works && (err != nil || serverErr != nil) {
			t.Errorf("%s: %v; %v", c.what, err, serverErr)
		}
		if got, _ := rig.ReceivedAlert(err); !c.works && got != alert.HandshakeFailure {
			t.Errorf("%s: %v; %v", c.what, err, serverErr)
		}
	}
	a, b := rig.Wires(t)
	cert := issue(throwaway.ECDSA,
		func(k crypto.PrivateKey) crypto.PrivateKey { return brokenKey{k.(crypto.Signer)} })
	err, serverErr := rig.Shake(vitrine.Client(a, rig.ClientConfig(version)),
		vitrine.Server(b, &vitrine.Config{Certificates: []tls.Certificate{cert}}))
	if got, ok := rig.AlertOf(serverErr); !ok || got != alert.InternalError {
		t.Errorf("hardware that fails: %v", serverErr)
	}
	if got, ok := rig.ReceivedAlert(err); !ok || got != alert.InternalError {
		t.Errorf("hardware that fails: the client saw %v", err)
	}
}

// RFC 5246 §7.4.7.1: the pre_master_secret begins with the version that the client offered, not
// with the one that was agreed on.
func TestPreMasterSecretHoldsTheOfferedVersion(t *testing.T) {
	cert := rig.Certificate(t, throwaway.RSA)
	for _, offered := range []uint16{tls.VersionTLS12, tls.VersionTLS11} {
		var seen []byte
		spy := spyKey{cert.PrivateKey.(crypto.Decrypter), &seen}
		server := &vitrine.Config{Certificates: []tls.Certificate{{Certificate: cert.Certificate,
			PrivateKey: spy}}, MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11,
			CipherSuites: []uint16{uint16(iana.TLS_RSA_WITH_AES_128_CBC_SHA)}}
		client := rig.ClientConfig(func(c *vitrine.Config) {
			c.CipherSuites, c.MinVersion,
				c.MaxVersion = []uint16{uint16(iana.TLS_RSA_WITH_AES_128_CBC_SHA)},
				tls.VersionTLS11, offered
		})
		a, b := rig.Wires(t)
		if err, serverErr := rig.Shake(vitrine.Client(a, client),
			vitrine.Server(b, server)); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		if want := []byte{byte(offered >> 8), byte(offered)}; !bytes.Equal(seen, want) {
			t.Errorf("got version %x in the pre_master_secret, expected %x", seen, want)
		}
	}
}

// spyKey looks at the first two bytes of what it decrypts.
type spyKey struct {
	crypto.Decrypter
	version *[]byte
}

func (s spyKey) Decrypt(_ io.Reader, b []byte, o crypto.DecrypterOpts) ([]byte, error) {
	pre, err := s.Decrypter.Decrypt(rand.Reader, b, o)
	if err == nil {
		*s.version = bytes.Clone(pre[:2])
	}
	return pre, err
}
