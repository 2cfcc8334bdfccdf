package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
)

// A pinError reports that none of the pinned keys is in the chain.
type pinError struct {
	besides bool   // the server sent one of them, outside of the chain
	raw     string // the pin of the raw public key that it showed in place of a chain
}

func (e *pinError) Error() string {
	if e.raw != "" {
		return "the server's raw public key, " + e.raw + ", is none of those that are pinned"
	}
	const none = "none of the pinned public keys is in the server's chain"
	if e.besides {
		return none + ": one is in a certificate that it sent besides, which proves nothing"
	}
	return none
}

// pinsOf reads the values of a flag that names public keys.
func pinsOf(flag string, values []string, example string) ([][sha256.Size]byte, error) {
	var pins [][sha256.Size]byte
	for _, p := range values {
		sum := pinOfText(p)
		if sum == nil {
			return nil, &usageError{fmt.Sprintf(flag+" takes the SHA-256 of a public key as "+
				"sha256/BASE64 or as hex, got %q", p), example}
		}
		pins = append(pins, [sha256.Size]byte(sum))
	}
	return pins, nil
}

// pinOfText reads a pin in the spelling of this program, of curl (two slashes), with a colon
// or bare, and returns nil for what is none. Base64 can begin with a slash itself, so only the
// length says how many are the spelling's.
func pinOfText(p string) []byte {
	for _, before := range []string{"sha256//", "sha256/", "sha256:", ""} {
		text, is := strings.CutPrefix(p, before)
		if !is {
			continue
		}
		for _, decode := range []func(string) ([]byte, error){
			base64.StdEncoding.DecodeString, hex.DecodeString,
		} {
			if sum, err := decode(text); err == nil && len(sum) == sha256.Size {
				return sum
			}
		}
	}
	return nil
}

// pin makes config require one of the keys of --pin in the chain.
func (o *connectOptions) pin(config *vitrine.Config, example string) error {
	want, err := pinsOf("--pin", o.pins, example+" # shows the pins")
	if err != nil {
		return err
	}
	if o.rawKey {
		config.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
		if want == nil && !o.insecure {
			return &usageError{"--raw-public-key without --pin: a raw public key says nothing " +
				"about whose it is; -k shows its pin", example + " --raw-public-key -k"}
		}
		if want != nil {
			config.VerifyRawPublicKey = func(spki []byte) error {
				if slices.Contains(want, pki.Pin(spki)) {
					return nil
				}
				return &pinError{raw: pki.PinText(spki)}
			}
		}
	}
	if want == nil {
		return nil
	}
	judge := func(verified [][]*x509.Certificate, sent []*x509.Certificate) error {
		if pinned(verified, want) {
			return nil
		}
		besides := pinned([][]*x509.Certificate{sent}, want)
		if besides && o.insecure {
			return nil
		}
		return &pinError{besides: besides}
	}
	config.VerifyConnection = func(s vitrine.ConnectionState) error {
		if s.PeerRawPublicKey != nil {
			return nil
		}
		return judge(s.VerifiedChains, s.PeerCertificates)
	}
	if o.cert != "" { // a server with another key must not learn who we are
		config.VerifyPeerCertificate = func(raw [][]byte, verified [][]*x509.Certificate) error {
			chain, err := pki.ReadChain(raw)
			if err != nil {
				return err
			}
			return judge(verified, chain.Certs)
		}
	}
	return nil
}

// otherPin returns the flag that pins the key which the server showed, or nothing if there is no
// --pin, or it names a key of the chain that was sent.
func (o *connectOptions) otherPin(chain []*x509.Certificate) []flagChange {
	want, err := pinsOf("--pin", o.pins, "")
	if err != nil || len(want) == 0 || len(chain) == 0 ||
		pinned([][]*x509.Certificate{chain}, want) {
		return nil
	}
	return []flagChange{{Name: "pin", Value: pinOf(chain[0])}}
}

// confirmed follows a line whose pin nobody but the server has vouched for.
const confirmed = " # if the server's owner confirms this pin"

// pinned reports whether one of the keys that are wanted is in one of the chains. Only those that
// were verified prove something: a server can append any certificate to its own. See RFC 7469 §2.6.
func pinned(chains [][]*x509.Certificate, want [][sha256.Size]byte) bool {
	for _, c := range slices.Concat(chains...) {
		if slices.Contains(want, pki.Pin(c.RawSubjectPublicKeyInfo)) {
			return true
		}
	}
	return false
}

// pinHeld says that --pin was checked, after a chain was verified and the connection stands.
func (o *connectOptions) pinHeld() string {
	if len(o.pins) == 0 {
		return ""
	}
	return "; a pinned key is in that chain"
}

// pinnedTrust says what --pin proves beside -k, once one of the pinned keys was in the chain. Only
// the key of the first certificate was proved to be the server's: the others could belong to
// anybody.
func (o *connectOptions) pinnedTrust(s vitrine.ConnectionState) string {
	want, err := pinsOf("--pin", o.pins, "")
	if err == nil && len(s.PeerCertificates) > 0 && slices.Contains(want,
		pki.Pin(s.PeerCertificates[0].RawSubjectPublicKeyInfo)) {
		return "the pin holds: the server has the private key of it; its name, dates and " +
			"authorities were not checked (-k)"
	}
	return "a pinned key is in the chain, but not the server's own, and the chain was not " +
		"checked (-k): nothing is proved about who is there"
}
