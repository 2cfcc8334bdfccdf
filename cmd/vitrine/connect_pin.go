package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
)

// errPin reports that none of the pinned keys is in the chain.
var errPin = errors.New("none of the pinned public keys is in the server's chain")

// pin makes config require one of the keys of --pin in the chain.
func (o *connectOptions) pin(config *vitrine.Config, example string) error {
	var want [][]byte
	for _, p := range o.pins {
		text := strings.TrimLeft(strings.TrimPrefix(p, "sha256"), "/:")
		sum, err := base64.StdEncoding.DecodeString(text)
		if len(sum) != sha256.Size || err != nil {
			sum, err = hex.DecodeString(text)
		}
		if len(sum) != sha256.Size || err != nil {
			return &usageError{fmt.Sprintf("--pin takes the SHA-256 of a public key as "+
				"sha256/BASE64 or as hex, got %q", p), example + " # shows the pins"}
		}
		want = append(want, sum)
	}
	if o.rawKey {
		config.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
		if want == nil && !o.insecure {
			return &usageError{"--raw-public-key without --pin: a raw public key says nothing about " +
				"whose it is; -k shows its pin", example + " --raw-public-key -k"}
		}
		for _, sum := range want {
			config.RawKeyPins = append(config.RawKeyPins, [sha256.Size]byte(sum))
		}
		return nil
	}
	if want == nil {
		return nil
	}
	config.VerifyConnection = func(s vitrine.ConnectionState) error {
		for _, c := range s.PeerCertificates {
			sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
			if slices.ContainsFunc(want, func(w []byte) bool { return bytes.Equal(w, sum[:]) }) {
				return nil
			}
		}
		return errPin
	}
	return nil
}
