package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
)

// credential is what the flags say about one certificate and its key, or one pre-shared key.
type credential struct {
	certFile, keyFile string
	staple            []byte
	timestamps        []byte // a SignedCertificateTimestampList
	signingPrefs      []tls.SignatureScheme
	mustMatchIssuer   bool
	psk               *vitrine.PSK // TLS 1.3: there is no certificate
	raw               bool         // a raw public key: there is only a keyFile
}

// pair reads the certificate, if there is one, and the key.
func (c *credential) pair() (cert tls.Certificate, err error) {
	if !c.raw {
		return vitrine.LoadX509KeyPair(c.certFile, c.keyFile)
	}
	b, err := os.ReadFile(c.keyFile)
	if err != nil {
		return cert, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return cert, failure("no PEM in " + c.keyFile)
	}
	key, err := pki.ParsePrivateKey(block.Bytes)
	if err != nil {
		return cert, err
	}
	return vitrine.RawPublicKey(key.(crypto.Signer)), nil
}

// schemes returns with what of BoringSSL's defaults the key can sign.
func (c *credential) schemes() (able []tls.SignatureScheme, err error) {
	cert, err := c.pair()
	if err != nil {
		return nil, unimplemented("%v", err)
	}
	ours := pki.Schemes(cert.PrivateKey.(crypto.Signer).Public())
	for _, s := range defaultSigning {
		if slices.Contains(ours, iana.SignatureScheme(s)) {
			able = append(able, s)
		}
	}
	return able, nil
}

// usualIndex is the number of the credential that is not in the list, and of none at all.
const usualIndex = -1

// loaded is a credential as the library takes it.
type loaded struct {
	tls.Certificate
	mustMatchIssuer bool
}

// certificates sets what this side proves itself with: the credentials in their order, then the
// usual one. The callbacks take the first that fits, as BoringSSL does; Config.Certificates would
// rank them by name and by the signatures of their chains first.
func (c *connection) certificates(cfg *vitrine.Config) error {
	if c.failCertCallback {
		fail := failure(":CERT_CB_ERROR:")
		cfg.GetCertificate = func(*vitrine.ClientHelloInfo) (*tls.Certificate, error) {
			return nil, fail
		}
		cfg.GetClientCertificate = func(*vitrine.CertificateRequestInfo) (*tls.Certificate, error) {
			return nil, fail
		}
		return nil
	}
	var list []*loaded
	for i, cred := range append(slices.Clone(c.credentials), &c.usual) {
		if cred.keyFile == "" {
			continue
		}
		if i == len(c.credentials) {
			i = usualIndex
		}
		l, err := c.load(cred, i)
		if err != nil {
			return err
		}
		list = append(list, l)
	}
	if c.server {
		c.serverCertificates(cfg, list)
		return nil
	}
	cfg.CertificateTypes = c.ownTypes
	for _, l := range list {
		if t := l.certificateType(); c.ownTypes == nil &&
			!slices.Contains(cfg.CertificateTypes, t) {
			cfg.CertificateTypes = append(cfg.CertificateTypes, t)
		}
	}
	cfg.GetClientCertificate = func(i *vitrine.CertificateRequestInfo) (*tls.Certificate, error) {
		if err := c.checkRequest(i); err != nil {
			return nil, err
		}
		return chooseClient(i, list)
	}
	return nil
}

func (c *connection) serverCertificates(cfg *vitrine.Config, list []*loaded) {
	switch {
	case len(list) == 0 && (c.psk != "" || len(c.preShared()) > 0):
	case len(list) == 1 && len(c.credentials) == 0:
		cfg.Certificates = []tls.Certificate{list[0].Certificate}
	default:
		cfg.GetCertificate = func(i *vitrine.ClientHelloInfo) (*tls.Certificate, error) {
			err := failure(":NO_CERTIFICATE_SET:")
			for _, l := range list {
				if l.mustMatchIssuer && !l.issuedBy(i.AcceptableCAs) {
					err = failure(":NO_MATCHING_ISSUER:")
					continue
				}
				if err = i.SupportsCertificate(&l.Certificate); err == nil {
					return &l.Certificate, nil
				}
			}
			if len(c.preShared()) > 0 {
				return nil, nil // a key may do
			}
			return nil, &alert.Error{Alert: alert.HandshakeFailure, Reason: err.Error(),
				Kind: alert.KindOf(err)}
		}
	}
}

// chooseClient returns the first credential that suits the request. Only those that must match an
// issuer care for the names of authorities, as with BoringSSL; SupportsCertificate always does.
func chooseClient(i *vitrine.CertificateRequestInfo, list []*loaded) (*tls.Certificate, error) {
	why := ""
	for _, l := range list {
		why = l.unsuited(i)
		if why == "" && l.mustMatchIssuer && !l.issuedBy(i.AcceptableCAs) {
			why = ":NO_MATCHING_ISSUER:"
		}
		if why == "" {
			return &l.Certificate, nil
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return nil, &alert.Error{Alert: alert.HandshakeFailure,
		Reason: why + " no credential suits the request"}
}

// issuedBy reports whether the chain has a certificate of one of the authorities.
func (l *loaded) issuedBy(authorities [][]byte) bool {
	for _, der := range l.Certificate.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err == nil && slices.ContainsFunc(authorities,
			func(name []byte) bool { return bytes.Equal(name, cert.RawIssuer) }) {
			return true
		}
	}
	return false
}

// unsuited returns BoringSSL's name for why the server does not want the key, or it cannot sign for
// it. It returns an empty string if the key suits.
func (l *loaded) unsuited(i *vitrine.CertificateRequestInfo) string {
	if i.CertificateType != l.certificateType() {
		return ":UNKNOWN_CERTIFICATE_TYPE:"
	}
	const noScheme = ":NO_COMMON_SIGNATURE_ALGORITHMS:"
	pub := l.PrivateKey.(crypto.Signer).Public()
	kind := iana.ECDSASign
	if _, ok := pub.(*rsa.PublicKey); ok {
		kind = iana.RSASign
	}
	if i.Version < vitrine.VersionTLS13 && !slices.Contains(i.CertificateTypes, uint8(kind)) {
		return ":UNKNOWN_CERTIFICATE_TYPE:" // later the signature schemes say it all
	}
	if i.Version < vitrine.VersionTLS12 {
		if kind == iana.RSASign || slices.Contains(pki.Schemes(pub), iana.ECDSA_SHA1) {
			return ""
		}
		return noScheme
	}
	mine := defaultSigning
	if len(l.SupportedSignatureAlgorithms) > 0 {
		mine = l.SupportedSignatureAlgorithms
	}
	if slices.ContainsFunc(pki.Schemes(pub), func(s iana.SignatureScheme) bool {
		return (i.Version < vitrine.VersionTLS13 || pki.Signs13(pub, s)) &&
			slices.Contains(mine, tls.SignatureScheme(s)) &&
			slices.Contains(i.SignatureSchemes, tls.SignatureScheme(s))
	}) {
		return ""
	}
	return noScheme
}

// load reads a credential. Its number is kept when its key is used.
func (c *connection) load(cred *credential, number int) (*loaded, error) {
	cert, err := cred.pair()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errUnimplemented, err)
	}
	if !c.ocspCallback || c.setOCSP {
		cert.OCSPStaple = cred.staple
	}
	if cert.SignedCertificateTimestamps, err = timestamps(cred.timestamps); err != nil {
		return nil, err
	}
	cert.SupportedSignatureAlgorithms = cred.signingPrefs
	if c.expectSelected != nil {
		used := func() { c.selected = number }
		cert.PrivateKey = watched(cert.PrivateKey, used)
	}
	return &loaded{cert, cred.mustMatchIssuer}, nil
}

// watched returns a key that tells when it is used.
func watched(key crypto.PrivateKey, used func()) crypto.PrivateKey {
	if raw, ok := key.(pki.RawPrivateKey); ok {
		return pki.RawPrivateKey{Signer: watched(raw.Signer, used).(crypto.Signer)}
	}
	signer, _ := key.(crypto.Signer)
	if decrypter, ok := signer.(crypto.Decrypter); ok {
		return watchedDecrypter{watchedSigner{signer, used}, decrypter}
	}
	return watchedSigner{signer, used}
}

// certificateType is what the credential is shown as.
func (l *loaded) certificateType() iana.CertificateType {
	if len(l.Certificate.Certificate) == 0 {
		return iana.RawPublicKey
	}
	return iana.X509
}

// watchedSigner is a key that tells when it signs.
type watchedSigner struct {
	crypto.Signer
	used func()
}

func (w watchedSigner) Sign(random io.Reader, b []byte, o crypto.SignerOpts) ([]byte, error) {
	w.used()
	return w.Signer.Sign(random, b, o)
}

// watchedDecrypter is an RSA key that tells when it signs or decrypts.
type watchedDecrypter struct {
	watchedSigner
	decrypter crypto.Decrypter
}

func (w watchedDecrypter) Decrypt(r io.Reader, b []byte, o crypto.DecrypterOpts) ([]byte, error) {
	w.used()
	return w.decrypter.Decrypt(r, b, o)
}

// checkRequest compares a CertificateRequest with the expectations of the test.
func (c *connection) checkRequest(i *vitrine.CertificateRequestInfo) error {
	if t := c.expectCertificateTypes; t != nil && !bytes.Equal(t, i.CertificateTypes) {
		return fmt.Errorf("got certificate_types %v, expected %v", i.CertificateTypes, t)
	}
	if c.expectClientCAList != nil {
		names, err := namesOf(*c.expectClientCAList)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(names, i.AcceptableCAs, bytes.Equal) {
			return fmt.Errorf("got the authorities %x, expected %x", i.AcceptableCAs, names)
		}
	}
	return c.checkPrefs(i.SignatureSchemes)
}

// checkPrefs compares what the peer accepts with the expectation of the test.
func (c *connection) checkPrefs(got []tls.SignatureScheme) error {
	if c.expectPrefs != nil && !slices.EqualFunc(got, c.expectPrefs,
		func(a tls.SignatureScheme, b uint16) bool { return uint16(a) == b }) {
		return fmt.Errorf("the peer accepts %v, expected %v", got, c.expectPrefs)
	}
	return nil
}

// timestamps splits a SignedCertificateTimestampList. See RFC 6962 §3.3.
func timestamps(b []byte) (list [][]byte, err error) {
	if len(b) < 2 {
		return nil, nil
	}
	for b = b[2:]; len(b) > 2; {
		n := int(b[0])<<8 | int(b[1])
		if len(b) < 2+n {
			return nil, unimplemented("a broken list of timestamps")
		}
		list, b = append(list, b[2:2+n]), b[2+n:]
	}
	return list, nil
}

// peerFile reads the certificates of a PEM file.
func peerFile(name string) ([][]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var chain [][]byte
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		chain = append(chain, block.Bytes)
	}
	return chain, nil
}

func failure(s string) error { return errors.New(s) }
