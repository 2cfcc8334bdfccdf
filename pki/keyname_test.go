package pki_test

import (
	"encoding/pem"
	"os/exec"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/pki"
)

// The key of a certificate has a name, whether crypto/x509 reads it or not.
func TestEachKindOfKeyHasAName(t *testing.T) {
	const curve = "ec -pkeyopt ec_paramgen_curve:"
	for flags, want := range map[string]string{
		"rsa:1024": "RSA 1024", "ed25519": "Ed25519", "ed448": "Ed448",
		"rsa-pss -pkeyopt rsa_keygen_bits:1024": "RSA-PSS 1024",
		curve + "P-256":                         "ECDSA P-256", curve + "P-521": "ECDSA P-521",
		curve + "secp224r1":       "ECDSA P-224",
		curve + "secp256k1":       "ECDSA secp256k1",
		curve + "brainpoolP384r1": "ECDSA brainpoolP384r1",
		curve + "sect283k1":       "ECDSA on the curve 1.3.132.0.16",
	} {
		out, err := exec.Command("openssl", append(strings.Fields("req -x509 -nodes -keyout "+
			"/dev/null -subj /CN=x -newkey "), strings.Fields(flags)...)...).Output()
		block, _ := pem.Decode(out)
		if err != nil || block == nil {
			t.Skipf("openssl makes no key of %s: %v", flags, err)
		}
		c, _ := pki.ReadCertificate(block.Bytes)
		if got := pki.KeyName(c); got != want {
			t.Errorf("%s: got %q, expected %q", flags, got, want)
		}
	}
}
