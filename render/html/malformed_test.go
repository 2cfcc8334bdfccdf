package html

import (
	"encoding/pem"
	"os"
	"slices"
	"testing"
)

func TestAMalformedCertificateIsShown(t *testing.T) {
	text, err := os.ReadFile("../../pki/testdata/refused/neg-serial.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	rows := decode(0, block.Bytes).Rows
	for _, want := range []row{{"subject", "CN=localhost"},
		{"public key", "RSA, 2048 bits, e = 65537"},
		{"malformed", "x509: negative serial number"}} {
		if !slices.Contains(rows, want) {
			t.Errorf("got %v, expected %v among it", rows, want)
		}
	}
}
