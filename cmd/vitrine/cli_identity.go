package main

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/pki"
)

// Certificates with their private keys, as connect, serve and decrypt read them: PEM, DER or
// PKCS #12, encrypted or not.

// loadCertificates reads the files of --cert and --key in pairs.
func loadCertificates(certs, keys []string, password, example string) ([]tls.Certificate, error) {
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
		c, err := loadCertificate(name, key, password)
		if locked(err) {
			return nil, err
		}
		if err != nil {
			return nil, &usageError{err.Error(), example + " --cert chain.pem --key key.pem"}
		}
		all = append(all, c)
	}
	return all, nil
}

// loadRawKey reads the private key of a raw public key.
func loadRawKey(name, password, example string) (tls.Certificate, error) {
	key, err := loadKey(name, password)
	if locked(err) {
		return tls.Certificate{}, fmt.Errorf("--key %s: %w", name, err)
	}
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
func loadCertificate(certFile, keyFile, password string) (c tls.Certificate, err error) {
	if c.Certificate, err = loadChain(certFile, keyFile, password); err != nil {
		return c, fmt.Errorf("--cert %s: %w", certFile, err)
	}
	c.PrivateKey, err = loadKey(keyFile, password)
	switch {
	case err != nil && keyFile == certFile:
		return c, fmt.Errorf("--cert %s, without --key: %w", certFile, err)
	case err != nil:
		return c, fmt.Errorf("--key %s: %w", keyFile, err)
	}
	for i, der := range c.Certificate {
		if _, err := x509.ParseCertificate(der); err != nil {
			return c, fmt.Errorf("--cert %s: certificate %d: %w", certFile, i+1, err)
		}
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

// loadChain reads the certificates of a file: PEM, DER or PKCS #12.
func loadChain(name, keyFile, password string) (chain [][]byte, err error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	text = asWritten(text)
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		if one, err := x509.ParseCertificates(text); err == nil && len(one) > 0 {
			for _, c := range one {
				chain = append(chain, c.Raw)
			}
			return chain, nil
		}
		if err := foreignKey(text); err != nil {
			return nil, err
		}
		return chainFromStore(text, password)
	}
	certs, _, err := readBlocks(text)
	if err == nil && len(certs) == 0 {
		return nil, fmt.Errorf("it holds no certificate%s", swapped(name, keyFile))
	}
	for _, b := range certs {
		chain = append(chain, b.Bytes)
	}
	return chain, err
}

// readKeyFile reads a file with a private key. It returns an error that names the form if it is one
// of another program's that is not read.
func readKeyFile(name string) ([]byte, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	text = asWritten(text)
	return text, foreignKey(text)
}

// loadKey reads the only private key of a file: PEM, DER, PKCS #8 or PKCS #12.
func loadKey(name, password string) (crypto.PrivateKey, error) {
	text, err := readKeyFile(name)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		return keyFromDER(text, password, new(derivations))
	}
	_, keys, err := readBlocks(text)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, errors.New("it holds no private key")
	case len(keys) > 1:
		return nil, fmt.Errorf("it holds %d private keys, expected one", len(keys))
	}
	return keyFromPEM(pem.EncodeToMemory(keys[0]), password, new(derivations))
}

// swapped returns a hint if the files seem to be given in the wrong order.
func swapped(certFile, keyFile string) string {
	if certs, _, err := readPEM("--key", keyFile); err == nil && len(certs) > 0 &&
		certFile != keyFile {
		return "; the file for --key does: are they swapped?"
	}
	return ""
}

// passwordUsage is the help of --password.
const passwordUsage = "password of encrypted private keys: @FILE, - (standard input) or env:NAME"

// passwordOf returns the password that --password names, without the line feed at the end of a
// file.
func passwordOf(v *values, flag string, stderr io.Writer) (string, error) {
	name, isEnv := strings.CutPrefix(flag, "env:")
	switch {
	case isEnv:
		text, ok := os.LookupEnv(name)
		if !ok {
			return "", &usageError{fmt.Sprintf("--password: there is no environment variable %s",
				name), "vitrine decrypt --help"}
		}
		return text, nil
	case indirect(flag):
		b, err := v.open(strings.TrimPrefix(flag, "@"), "--password")
		return strings.TrimRight(string(b), "\r\n"), err
	case flag != "":
		fmt.Fprintln(fit(stderr),
			"! --password: a password on the command line is seen by other users of this machine "+
				"and kept by the shell.")
	}
	return flag, nil
}

// unsaid are the flags whose values no printed line repeats, with what stands there instead.
var unsaid = map[string]string{"psk": "@key.hex", "password": "@password.txt",
	"master-secret": "@secret.hex", "pre-master-secret": "@secret.hex",
	"resumption-secret": "@secret.hex", "dh-private": "@private.hex",
	"client-private": "@private.hex", "server-private": "@private.hex",
	"shared-secret": "@secret.hex"}

// unspoken returns what a printed line has in the place of a flag's value.
func unspoken(name, value string) string {
	if instead, secret := unsaid[name]; secret && !indirect(value) &&
		!strings.HasPrefix(value, "env:") {
		return instead
	}
	return value
}

// unneeded says on w that no key needed the password. open reads the private key of a file without
// one; a pipe is not read again.
func unneeded(w io.Writer, password string, files []string, open func(name string) error) {
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || open(name) != nil {
			return
		}
	}
	if password != "" {
		fmt.Fprintln(fit(w), "vitrine: --password was not needed: no private key here is encrypted")
	}
}

// opensFreely is unneeded's way to open the key of a certificate.
func opensFreely(name string) error {
	_, err := loadKey(name, "")
	return err
}

// identityPassword returns the password of --password. It is read once: serve reads its files
// again.
func (c *choices) identityPassword(cmd *cobra.Command) (string, error) {
	if c.opened == nil {
		v := &values{stdin: cmd.InOrStdin(), fields: map[string]input{}}
		text, err := passwordOf(v, c.password, cmd.ErrOrStderr())
		if err != nil {
			return "", err
		}
		c.opened = &text
	}
	return *c.opened, nil
}
