package interop

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/pki"
)

// Office issues identities of one throw-away CA into a folder.
type Office struct {
	CA    *throwaway.CA
	Trust string // a PEM file with the root

	dir string
	n   *atomic.Int32 // number of files
}

// Identity is a certificate chain and its key, in memory and in PEM files.
type Identity struct {
	tls.Certificate
	Chain, Above, Key string // Above is the chain without its leaf; empty if that is all
	Public            string // the public key
}

// NewOffice makes a CA whose files go to dir.
func NewOffice(dir string) (*Office, error) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		return nil, err
	}
	o := &Office{CA: ca, dir: dir, n: new(atomic.Int32)}
	o.Trust, err = o.File("root.pem", encode("CERTIFICATE", ca.Cert.Raw))
	return o, err
}

// Branch returns an office whose CA is an intermediate below this one's.
func (o *Office) Branch() (*Office, error) {
	ca, err := o.CA.Intermediate()
	return &Office{CA: ca, Trust: o.Trust, dir: o.dir, n: o.n}, err
}

// Issue makes a key and a certificate for it. See throwaway.CA.Issue.
func (o *Office) Issue(kind throwaway.Kind, names []string,
	edits ...func(*x509.Certificate)) (*Identity, error) {
	cert, err := o.CA.Issue(kind, names, edits...)
	if err != nil {
		return nil, err
	}
	id := &Identity{Certificate: cert}
	var chain []byte
	for _, der := range cert.Certificate {
		chain = append(chain, encode("CERTIFICATE", der)...)
	}
	key, err := throwaway.PKCS8(cert)
	if err != nil {
		return nil, err
	}
	if id.Chain, err = o.File("chain.pem", chain); err != nil {
		return nil, err
	}
	if above := chain[len(encode("CERTIFICATE", cert.Certificate[0])):]; len(above) > 0 {
		if id.Above, err = o.File("above.pem", above); err != nil {
			return nil, err
		}
	}
	if id.Key, err = o.File("key.pem", encode("PRIVATE KEY", key)); err != nil {
		return nil, err
	}
	public, err := pki.MarshalPublicKey(cert.PrivateKey.(crypto.Signer).Public())
	if err != nil {
		return nil, err
	}
	id.Public, err = o.File("public.pem", encode("PUBLIC KEY", public))
	return id, err
}

// File writes a file with a name of its own.
func (o *Office) File(name string, content []byte) (path string, err error) {
	path = filepath.Join(o.dir, fmt.Sprintf("%d-%s", o.n.Add(1), name))
	return path, os.WriteFile(path, content, 0o600)
}

func encode(typ string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
}
