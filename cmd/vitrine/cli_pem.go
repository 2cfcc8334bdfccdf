package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/pki"
)

// maxPEM bounds a file of certificates or keys, in bytes.
const maxPEM = 16 << 20

// readPEM returns the certificates and the private keys of a file.
func readPEM(flag, name string) (certs, keys []*pem.Block, err error) {
	text, err := readSmall(name)
	if err == nil {
		certs, keys, err = readBlocks(asWritten(text))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", flag, name, err)
	}
	return certs, keys, nil
}

// readBlocks returns the certificates and the private keys of a PEM text.
func readBlocks(text []byte) (certs, keys []*pem.Block, err error) {
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
		return nil, nil, fmt.Errorf("no PEM block can be read in it%s", hint)
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

// writeCertificates writes certificates to a file as PEM, for everybody who is to trust them.
func writeCertificates(name string, certs []*x509.Certificate) error {
	return writePublicFile(name, func(w io.Writer) error {
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
	return pki.PinText(c.RawSubjectPublicKeyInfo)
}
