package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// every is a policy that allows all that exists.
var every = func() (out []iana.SignatureScheme) {
	for _, s := range schemes {
		out = append(out, s.ID)
	}
	return out
}()

// modern is a policy without SHA-224 and SHA-1.
var modern = every[:len(every)-5]

var now = throwaway.Epoch

func newCA(t testing.TB, seed string) *throwaway.CA {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{Seed: testkit.Rand(seed)})
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t testing.TB, ca *throwaway.CA, kind throwaway.Kind, name string,
	edits ...func(*x509.Certificate)) *Credential {
	t.Helper()
	cert, err := ca.Issue(kind, []string{name}, edits...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := FromTLS(&cert)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// one has a credential of every kind, made once.
var one = sync.OnceValue(func() map[throwaway.Kind]*Credential {
	ca, err := throwaway.New(throwaway.Options{Seed: testkit.Rand("one of every kind")})
	if err != nil {
		panic(err)
	}
	out := map[throwaway.Kind]*Credential{}
	for _, k := range throwaway.Kinds() {
		cert, err := ca.Issue(k, []string{"localhost"})
		if err != nil {
			panic(err)
		}
		if out[k], err = FromTLS(&cert); err != nil {
			panic(err)
		}
	}
	return out
})

func publicKey(t testing.TB, c *Credential) crypto.PublicKey {
	t.Helper()
	pub, err := c.Chain.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

// opaqueSigner stands for a key in hardware: it signs and returns its public key, and does nothing
// else.
type opaqueSigner struct{ key crypto.Signer }

func (o opaqueSigner) Public() crypto.PublicKey { return o.key.Public() }
func (o opaqueSigner) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return o.key.Sign(r, digest, opts)
}

// opaqueDecrypter is a key that was made for RSA key exchange alone.
type opaqueDecrypter struct{ key *rsa.PrivateKey }

func (o opaqueDecrypter) Public() crypto.PublicKey { return o.key.Public() }
func (o opaqueDecrypter) Decrypt(r io.Reader, msg []byte,
	opts crypto.DecrypterOpts) ([]byte, error) {
	return o.key.Decrypt(r, msg, opts)
}

// wantAlert checks that err is ours, with this alert, a section and this word in it.
func wantAlert(t *testing.T, err error, d alert.Description, word string) {
	t.Helper()
	e, ok := errors.AsType[*alert.Error](err)
	switch {
	case err == nil:
		t.Errorf("got no error, expected %v", d)
	case !ok:
		t.Errorf("got %v (%T), expected an error with the alert %v", err, err, d)
	case e.Alert != d:
		t.Errorf("got %v (%v), expected %v", e.Alert, err, d)
	case e.Ref == "":
		t.Errorf("%v names no section", err)
	case !strings.Contains(err.Error(), word):
		t.Errorf("got %q, expected it to tell of %q", err, word)
	}
}

func at(d time.Duration) time.Time { return now.Add(d) }
