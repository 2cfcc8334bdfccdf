package main

import (
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/pki"
)

// maxPEM bounds a file of certificates or keys, in bytes.
const maxPEM = 16 << 20

// loadCertificates reads the files of --cert and --key in pairs.
func loadCertificates(certs, keys []string, example string) ([]tls.Certificate, error) {
	if len(keys) < len(certs) && len(keys) > 0 || len(keys) > len(certs) {
		return nil, &usageError{fmt.Sprintf("--cert and --key go together: got %d and %d",
			len(certs), len(keys)), example + " --cert chain.pem --key key.pem"}
	}
	var all []tls.Certificate
	for i, name := range certs {
		key := name // a file may hold both
		if len(keys) > 0 {
			key = keys[i]
		}
		c, err := loadCertificate(name, key)
		if err != nil {
			return nil, &usageError{err.Error(), example + " --cert chain.pem --key key.pem"}
		}
		all = append(all, c)
	}
	return all, nil
}

// loadRawKey reads the private key of a raw public key.
func loadRawKey(name, example string) (tls.Certificate, error) {
	_, keys, err := readPEM("--key", name)
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("--key %s: no private key in it", name)
	}
	if err != nil {
		return tls.Certificate{}, &usageError{err.Error(), example + " --key key.pem"}
	}
	key, err := parseKey(keys[0])
	if err != nil {
		return tls.Certificate{}, &usageError{fmt.Sprintf("--key %s: %v", name, err),
			example + " --key key.pem"}
	}
	return rawKeyOf(key)
}

// rawKeyOf returns a private key as a raw public key.
func rawKeyOf(key crypto.PrivateKey) (tls.Certificate, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a private key of type %T cannot sign", key)
	}
	return vitrine.RawPublicKey(signer), nil
}

// loadCertificate reads a chain and its key.
func loadCertificate(certFile, keyFile string) (c tls.Certificate, err error) {
	certs, _, err := readPEM("--cert", certFile)
	if err != nil {
		return c, err
	}
	_, keys, err := readPEM("--key", keyFile)
	switch {
	case err != nil:
		return c, err
	case len(certs) == 0:
		return c, fmt.Errorf("--cert %s: it holds no certificate%s", certFile,
			swapped(certFile, keyFile))
	case len(keys) == 0:
		return c, fmt.Errorf("--key %s: it holds no private key", keyFile)
	case len(keys) > 1:
		return c, fmt.Errorf("--key %s: it holds %d private keys, expected one", keyFile, len(keys))
	}
	if c.PrivateKey, err = parseKey(keys[0]); err != nil {
		return c, fmt.Errorf("--key %s: %w", keyFile, err)
	}
	for i, b := range certs {
		if _, err := x509.ParseCertificate(b.Bytes); err != nil {
			return c, fmt.Errorf("--cert %s: certificate %d: %w", certFile, i+1, err)
		}
		c.Certificate = append(c.Certificate, b.Bytes)
	}
	if _, err := pki.FromTLS(&c); err != nil {
		if fault, ok := errors.AsType[*pki.Fault](err); ok { // of the certificate alone
			return c, fmt.Errorf("--cert %s: %w", certFile, fault)
		}
		return c, fmt.Errorf("--cert %s and --key %s do not fit: %w",
			certFile, keyFile, unprefixed(err))
	}
	c.Leaf, err = x509.ParseCertificate(c.Certificate[0])
	return c, err
}

// swapped returns a hint if the files seem to be given in the wrong order.
func swapped(certFile, keyFile string) string {
	if certs, _, err := readPEM("--key", keyFile); err == nil && len(certs) > 0 &&
		certFile != keyFile {
		return "; the file for --key does: are they swapped?"
	}
	return ""
}

// readPEM returns the certificates and the private keys of a file.
func readPEM(flag, name string) (certs, keys []*pem.Block, err error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", flag, name, err)
	}
	blocks := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		blocks++
		switch {
		case block.Type == "CERTIFICATE":
			certs = append(certs, block)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			keys = append(keys, block)
		}
	}
	if blocks == 0 {
		hint := ""
		switch {
		case strings.Contains(string(text), "-----BEGIN"):
			hint = ", or it is cut off"
		case len(text) > 2 && text[0] == 0x30:
			hint = "; it may be DER: openssl x509 -inform DER -in FILE"
		}
		return nil, nil, fmt.Errorf("%s %s: no PEM block can be read in it%s", flag, name, hint)
	}
	return certs, keys, nil
}

// readSmall reads a file of at most maxPEM bytes, even if its size is unknown or unlimited.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, plainer(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, plainer(err)
	}
	if len(text) > maxPEM {
		return nil, fmt.Errorf("larger than %d bytes", maxPEM)
	}
	return text, nil
}

// plainer removes the name of a file from an error, since the caller says it.
func plainer(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// unprefixed removes the name of package pki from an error.
func unprefixed(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "pki: ")) }

func parseKey(b *pem.Block) (crypto.PrivateKey, error) {
	if b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, errors.New("the private key is encrypted; decrypt it first: openssl pkey -in " +
			"FILE -out key.pem")
	}
	k, err := pki.ParsePrivateKey(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("a %s that cannot be read: it is neither PKCS #8 nor PKCS #1 nor "+
			"SEC 1, or a kind of key that signs "+
			"nothing in TLS", b.Type)
	}
	return k, nil
}

// loadPool reads a file of roots. It returns them as a pool and as a list, because a pool cannot be
// listed.
func loadPool(flag, name, example string) (*x509.CertPool, []*x509.Certificate, error) {
	certs, _, err := readPEM(flag, name)
	if err != nil {
		return nil, nil, &usageError{err.Error(), example + " " + flag + " roots.pem"}
	}
	var roots []*x509.Certificate
	pool := x509.NewCertPool()
	for _, b := range certs {
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, nil, &usageError{fmt.Sprintf("%s %s: %v", flag, name, err),
				example + " " + flag + " roots.pem"}
		}
		pool.AddCert(c)
		roots = append(roots, c)
	}
	if len(certs) == 0 {
		return nil, nil, &usageError{fmt.Sprintf("%s %s: it holds no certificate", flag, name),
			example + " " + flag + " roots.pem"}
	}
	return pool, roots, nil
}

// writeCertificates writes certificates to a file as PEM.
func writeCertificates(name string, certs []*x509.Certificate) error {
	return writeFile(name, func(w io.Writer) error {
		for _, c := range certs {
			err := pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// pinOf returns the pin of a certificate's public key, for --pin.
func pinOf(c *x509.Certificate) string {
	return pinOfKey(c.RawSubjectPublicKeyInfo)
}

// pinOfKey returns the pin of a SubjectPublicKeyInfo, as pinOf does.
func pinOfKey(spki []byte) string {
	sum := sha256.Sum256(spki)
	return "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
}
