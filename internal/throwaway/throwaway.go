// Package throwaway makes certificate authorities and certificates in memory, for demonstrations
// and tests. It writes nothing to a disk, and nothing that it makes may be trusted.
//
// Without a seed all keys are fresh, except with Options.PublicRSA. With a seed, every byte
// repeats: RSA keys are embedded in this package, the scalars of other keys come from the seed,
// ECDSA keys sign by RFC 6979, serial numbers count and the clock stands still. Since the keys of a
// seeded CA are public, its name says so.
//
// It also encodes the two kinds of public keys that crypto/x509 does not: RSASSA-PSS (RFC 4055
// §1.2) and Ed448 (RFC 8410 §4).
package throwaway

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync/atomic"
	"time"
)

// The common names of the roots.
const (
	Name       = "Vitrine demo CA"
	SeededName = "Vitrine demo CA: keys are public, never trust it"
)

// Epoch is the default time of a seeded CA.
var Epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Options configure a CA.
type Options struct {
	Seed io.Reader // nil: fresh keys from crypto/rand
	Now  time.Time // zero: Epoch with a seed, the clock without

	// PublicRSA takes RSA keys from the three that are embedded, in turn, also without a seed. It
	// is for tests, in which making RSA keys took more time than all handshakes.
	PublicRSA bool
}

// publicRSA is Options.PublicRSA of all CAs.
var publicRSA atomic.Bool

// TakePublicRSA makes every CA of this process as if it had Options.PublicRSA. It is for tests of
// commands, which make CAs themselves.
func TakePublicRSA() { publicRSA.Store(true) }

// A CA is a certificate authority: a root or an intermediate.
type CA struct {
	Cert *x509.Certificate
	Now  time.Time // certificates are valid from an hour before it to 90 days after it

	key    crypto.Signer
	above  [][]byte // the intermediates from Cert up, without the root
	root   *x509.Certificate
	source *source
}

// source has the keys and serial numbers of a root and its intermediates.
type source struct {
	seed      io.Reader
	publicRSA bool
	serials   int64
	rsaKeys   atomic.Int64 // number of embedded keys used
}

// New makes a root with an ECDSA P-256 key.
func New(o Options) (*CA, error) {
	name := Name
	if o.Seed != nil {
		name = SeededName
		if o.Now.IsZero() {
			o.Now = Epoch
		}
	} else if o.Now.IsZero() {
		o.Now = time.Now()
	}
	ca := &CA{Now: o.Now.UTC().Truncate(time.Second),
		source: &source{seed: o.Seed, publicRSA: o.PublicRSA || publicRSA.Load()}}
	if err := ca.found(name, ca); err != nil {
		return nil, err
	}
	ca.root = ca.Cert
	return ca, nil
}

// Intermediate makes a CA below this one.
func (ca *CA) Intermediate() (*CA, error) {
	sub := &CA{Now: ca.Now, root: ca.root, source: ca.source}
	if err := sub.found("Vitrine demo intermediate CA", ca); err != nil {
		return nil, err
	}
	sub.above = append([][]byte{sub.Cert.Raw}, ca.above...)
	return sub, nil
}

// found makes the key and the certificate of ca, signed by parent, which may be ca itself.
func (ca *CA) found(name string, parent *CA) error {
	key, err := ca.source.key(ECDSA)
	if err != nil {
		return err
	}
	ca.key = key
	t := ca.template(name)
	t.IsCA, t.KeyUsage = true,
		x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature
	if parent == ca {
		ca.Cert = t // x509.CreateCertificate takes the issuer's name from it
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent.Cert, ca.key.Public(), parent.key)
	if err != nil {
		return err
	}
	ca.Cert, err = x509.ParseCertificate(der)
	return err
}

// Pool returns a pool with the root only.
func (ca *CA) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.root)
	return p
}

// Issue makes a key and a server's certificate for it, valid for names: DNS names and IP addresses.
// Edits change the certificate before it is signed.
func (ca *CA) Issue(kind Kind, names []string,
	edits ...func(*x509.Certificate)) (tls.Certificate, error) {
	key, err := ca.source.key(kind)
	if err != nil {
		return tls.Certificate{}, err
	}
	return ca.certify(key, kind, names, edits)
}

// Certify makes a server's certificate for an existing key of a kind that crypto/x509 knows.
func (ca *CA) Certify(key crypto.Signer, names []string,
	edits ...func(*x509.Certificate)) (tls.Certificate, error) {
	return ca.certify(key, "", names, edits)
}

func (ca *CA) certify(key crypto.Signer, kind Kind, names []string,
	edits []func(*x509.Certificate)) (tls.Certificate, error) {
	t := ca.template("")
	if len(names) > 0 {
		t.Subject.CommonName = names[0]
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	if kind == RSA {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	for _, edit := range edits {
		edit(t)
	}
	der, err := ca.sign(t, kind, key.Public())
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("throwaway: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: append([][]byte{der}, ca.above...), PrivateKey: key,
		Leaf: leaf}, err
}

func (ca *CA) template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          ca.source.serial(),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             ca.Now.Add(-time.Hour),
		NotAfter:              ca.Now.Add(90 * 24 * time.Hour),
		BasicConstraintsValid: true,
	}
}

// serial counts with a seed, and returns random numbers without: two roots have the same name and
// must not issue the same number.
func (s *source) serial() *big.Int {
	if s.seed != nil {
		s.serials++
		return big.NewInt(s.serials)
	}
	var b [16]byte
	rand.Read(b[:])
	b[0] &= 0x7F
	return new(big.Int).SetBytes(b[:])
}

// ForClient is an edit that makes a client's certificate.
func ForClient(t *x509.Certificate) {
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
}

// MustStaple is an edit that demands a stapled status. See RFC 7633 §4.
func MustStaple(t *x509.Certificate) {
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{
		Id:    []int{1, 3, 6, 1, 5, 5, 7, 1, 24},
		Value: []byte{0x30, 3, 2, 1, 5}, // SEQUENCE { INTEGER 5 }: status_request
	})
}
