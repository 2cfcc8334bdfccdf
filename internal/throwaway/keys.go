package throwaway

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"embed"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"sync"

	"github.com/cloudflare/circl/sign/ed448"
)

// Kind is a kind of key.
type Kind string

// The kinds of keys. RSA keys have 2048 bits.
const (
	RSA       Kind = "rsa"
	RSAPSS    Kind = "rsa-pss"
	ECDSA     Kind = "ecdsa" // P-256
	ECDSAP384 Kind = "ecdsa-p384"
	ECDSAP521 Kind = "ecdsa-p521"
	Ed25519   Kind = "ed25519"
	Ed448     Kind = "ed448"
)

// Kinds lists all kinds of keys.
func Kinds() []Kind { return []Kind{RSA, RSAPSS, ECDSA, ECDSAP384, ECDSAP521, Ed25519, Ed448} }

//go:embed rsa-*.pem
var embedded embed.FS

const embeddedKeys = 3

// key makes a private key. Go ignores the reader given to most key generators, so with a seed the
// scalars are drawn here.
func (s *source) key(kind Kind) (crypto.Signer, error) {
	switch kind {
	case RSA, RSAPSS:
		if s.seed == nil && !s.publicRSA {
			return rsa.GenerateKey(rand.Reader, 2048)
		}
		return embeddedRSA[(s.rsaKeys.Add(1)-1)%embeddedKeys]()
	case ECDSA:
		return s.ecdsa(elliptic.P256())
	case ECDSAP384:
		return s.ecdsa(elliptic.P384())
	case ECDSAP521:
		return s.ecdsa(elliptic.P521())
	case Ed25519:
		seed, err := s.bytes(ed25519.SeedSize)
		return ed25519.NewKeyFromSeed(seed), err
	case Ed448:
		seed, err := s.bytes(ed448.SeedSize)
		return ed448.NewKeyFromSeed(seed), err
	}
	return nil, fmt.Errorf("throwaway: got %q, expected one of %v", kind, Kinds())
}

// embeddedRSA returns the embedded keys, which are public. Each is parsed once.
var embeddedRSA = func() (all [embeddedKeys]func() (*rsa.PrivateKey, error)) {
	for i := range all {
		all[i] = sync.OnceValues(func() (*rsa.PrivateKey, error) {
			data, err := embedded.ReadFile(fmt.Sprintf("rsa-%d.pem", i+1))
			if err != nil {
				return nil, err
			}
			block, _ := pem.Decode(data)
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			return key.(*rsa.PrivateKey), nil
		})
	}
	return all
}()

// ecdsa draws scalars until one is in range. Even for P-256, the worst case, only 1 in 2^32 is not.
func (s *source) ecdsa(curve elliptic.Curve) (crypto.Signer, error) {
	if s.seed == nil {
		return ecdsa.GenerateKey(curve, rand.Reader)
	}
	bits := curve.Params().BitSize
	for {
		scalar, err := s.bytes((bits + 7) / 8)
		if err != nil {
			return nil, err
		}
		scalar[0] &= 0xFF >> (-bits & 7)
		if key, err := ecdsa.ParseRawPrivateKey(curve, scalar); err == nil {
			return repeatable{key}, nil
		}
	}
}

func (s *source) bytes(n int) ([]byte, error) {
	b, r := make([]byte, n), s.seed
	if r == nil {
		r = rand.Reader
	}
	_, err := io.ReadFull(r, b)
	return b, err
}

// repeatable is an ECDSA key that signs by RFC 6979 whatever reader it is given, because
// x509.CreateCertificate and TLS pass a reader to signers that they do not know.
type repeatable struct{ *ecdsa.PrivateKey }

func (k repeatable) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(nil, digest, opts)
}

// PKCS8 encodes the private key of a certificate that this package issued, with the algorithm that
// the certificate has. See RFC 5958 §2 and, for Ed448, RFC 8410 §7.
func PKCS8(c tls.Certificate) ([]byte, error) {
	switch k := c.PrivateKey.(type) {
	case repeatable:
		return x509.MarshalPKCS8PrivateKey(k.PrivateKey)
	case ed448.PrivateKey:
		seed, err := asn1.Marshal(k.Seed())
		if err != nil {
			return nil, err
		}
		return privateKeyInfo(oidEd448, seed)
	case *rsa.PrivateKey:
		if c.Leaf.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm {
			return privateKeyInfo(oidRSAPSS, x509.MarshalPKCS1PrivateKey(k))
		}
	}
	return x509.MarshalPKCS8PrivateKey(c.PrivateKey)
}

func privateKeyInfo(oid asn1.ObjectIdentifier, key []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}{0, algorithm{oid}, key})
}

// algorithm is an AlgorithmIdentifier without parameters.
type algorithm struct{ OID asn1.ObjectIdentifier }
