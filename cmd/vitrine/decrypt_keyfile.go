package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/pki"
)

// loadRSA reads an RSA private key in PEM, DER, PKCS #8 or PKCS #12. It ends with ctx, even while a
// key is derived from the password.
func loadRSA(ctx context.Context, name, password string) (crypto.Decrypter, error) {
	type result struct {
		key crypto.Decrypter
		err error
	}
	done := make(chan result, 1)
	go func() {
		key, err := readRSA(name, password)
		done <- result{key, err}
	}()
	select {
	case r := <-done:
		return r.key, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func readRSA(name, password string) (crypto.Decrypter, error) {
	text, err := readKeyFile(name)
	if err != nil {
		return nil, err
	}
	var key crypto.PrivateKey
	if bytes.Contains(text, []byte("-----BEGIN")) {
		key, err = keyFromPEM(text, password, new(derivations))
	} else {
		key, err = keyFromDER(text, password, new(derivations))
	}
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it has a private key of another kind (%s): only an RSA key can "+
			"open what was encrypted to it; others sign", kindOf(key))
	}
	return k, nil
}

func kindOf(key crypto.PrivateKey) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", key), "*")
	return strings.TrimSuffix(name, ".PrivateKey")
}

func keyFromPEM(text []byte, password string, spent *derivations) (crypto.PrivateKey, error) {
	last := noKey(text)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		der := block.Bytes
		//lint:ignore SA1019 OpenSSL's old encryption is weak, but such keys exist
		if x509.IsEncryptedPEMBlock(block) {
			var err error
			//lint:ignore SA1019 as above
			der, err = x509.DecryptPEMBlock(block, []byte(password))
			switch {
			case err == nil:
			case errors.Is(err, x509.IncorrectPasswordError) || password == "":
				last = wrongPassword(password)
				continue
			default:
				last = unreadCipher(block.Headers["DEK-Info"])
				continue
			}
		}
		key, err := keyFromDER(der, password, spent)
		if err == nil {
			return key, nil
		}
		last = err
	}
	return nil, last
}

// keyFromDER tries each form: PKCS #8, plain or encrypted, PKCS #1, SEC 1, PKCS #12.
func keyFromDER(der []byte, password string, spent *derivations) (crypto.PrivateKey, error) {
	if k, err := pki.ParsePrivateKey(der); err == nil {
		return k, nil
	}
	if err := spent.add(der); err != nil {
		return nil, err
	}
	var encrypted struct { // EncryptedPrivateKeyInfo, RFC 5958 §3
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if rest, err := asn1.Unmarshal(der, &encrypted); err == nil && len(rest) == 0 {
		if err := unreadScheme(encrypted.Algorithm); err != nil {
			return nil, err
		}
		if password == "" {
			return nil, wrongPassword(password)
		}
		if k, err := pkcs8.ParsePKCS8PrivateKey(der, []byte(password)); err == nil {
			return k, nil
		}
		return nil, wrongPassword(password)
	}
	k, _, err := fromStore(der, password)
	return k, err
}

// chainFromStore returns the certificates of a PKCS #12, the key's own first.
func chainFromStore(der []byte, password string) ([][]byte, error) {
	if err := new(derivations).add(der); err != nil {
		return nil, err
	}
	_, chain, err := fromStore(der, password)
	return chain, err
}

// pkcs12Data is how a PKCS #12 begins behind its length: version 3, and contents of the kind data.
// See RFC 7292 §4.
var pkcs12Data = []byte("\x02\x01\x03\x30")

// fromStore reads a PKCS #12.
func fromStore(der []byte, password string) (crypto.PrivateKey, [][]byte, error) {
	k, leaf, above, err := pkcs12.DecodeChain(der, password)
	switch {
	case err == nil:
		chain := [][]byte{leaf.Raw}
		for _, c := range above {
			chain = append(chain, c.Raw)
		}
		return k, chain, nil
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, wrongPassword(password)
	}
	if bytes.Contains(der, pkcs12Data) {
		return nil, nil, unreadStore(err)
	}
	return nil, nil, errors.New("it is not a private key in PEM, DER, PKCS #8 or PKCS #12")
}

// lockedError reports that a file is encrypted, and not with the password that was given, if one
// was.
type lockedError struct{ given bool }

func (e *lockedError) Error() string {
	if e.given {
		return "it does not open with the password"
	}
	return "it is encrypted: give the password with --password env:NAME or --password @FILE"
}

func wrongPassword(password string) error { return &lockedError{given: password != ""} }

// derivations counts the steps of deriving keys from the password that a file asks for. The maker
// of the file chose the number, and the work is done before a wrong password is noticed.
type derivations float64

// maxDerivations is 17 times the 600,000 iterations that are common advice for PBKDF2. scrypt with
// 1 GiB of memory stays below it.
const maxDerivations derivations = 10 << 20

// add counts what a key in DER asks for. It returns an error if the sum exceeds maxDerivations.
func (d *derivations) add(der []byte) error {
	*d += derivations(derivationSteps(der, maxNested))
	if !(*d <= maxDerivations) { // it may be NaN
		return fmt.Errorf("its key is derived from the password in %.0f million steps, which is "+
			"more than the %.0f that are made here", *d/1e6, maxDerivations/1e6)
	}
	return nil
}

// maxNested bounds how deeply structures in DER are searched.
const maxNested = 32

// derivationSteps adds up the parameters of PBKDF2 (RFC 8018 §A.2), scrypt (RFC 7914 §7.1) and the
// functions of PKCS #12 (RFC 7292 §4 and appendix C) anywhere in a structure. All of them have a
// salt followed by numbers. It cannot see what is inside an encrypted part.
func derivationSteps(der []byte, depth int) (steps float64) {
	var numbers []float64
	salted := false
	for len(der) > 0 && depth > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			break
		}
		der = rest
		if v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger {
			if salted {
				numbers = append(numbers, number(v.Bytes))
			}
			continue
		}
		steps += stepsOf(numbers)
		numbers, salted = nil, v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString
		if salted || v.IsCompound {
			steps += derivationSteps(v.Bytes, depth-1)
		}
	}
	return steps + stepsOf(numbers)
}

// stepsOf returns the steps for the numbers that follow a salt: iterations; iterations and the
// length of the key in bytes, of which a digest gives at least 20; or the N, r and p of scrypt.
func stepsOf(numbers []float64) float64 {
	switch len(numbers) {
	case 0:
		return 0
	case 1:
		return numbers[0]
	case 2:
		return numbers[0] * max(1, math.Ceil(numbers[1]/20))
	}
	return numbers[0] * numbers[1] * numbers[2]
}

// number returns the value of an INTEGER as a floating-point number, 0 if it is negative.
func number(b []byte) (n float64) {
	if len(b) > 0 && b[0]&0x80 != 0 {
		return 0
	}
	for _, x := range b {
		n = n*256 + float64(x)
	}
	return n
}
