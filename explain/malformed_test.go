package explain

import (
	"encoding/pem"
	"os"
	"testing"
)

// A certificate that crypto/x509 rejects is explained as far as it can be read: a client that does
// not verify may have got it.
func TestAMalformedCertificateIsNamed(t *testing.T) {
	for file, want := range map[string]string{
		"neg-serial": "localhost (RSA 2048, malformed) ← Bug CA",
		"explicit":   "localhost (ECDSA P-256, malformed) ← Bug CA",
		"rsa512":     "localhost (RSA 512) ← Bug CA",
	} {
		text, err := os.ReadFile("../pki/testdata/refused/" + file + ".pem")
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		if got := chain([][]byte{block.Bytes}); got != want {
			t.Errorf("%s: got %q, expected %q", file, got, want)
		}
	}
	if got := chain([][]byte{[]byte("?")}); got != "unreadable" {
		t.Errorf("got %q", got)
	}
}
