package playground

import (
	"encoding/json"
	"testing"
)

func TestARunGoesToItsEnd(t *testing.T) {
	for _, s := range []Setup{
		{}, {Version: "1.3"}, {Suite: "TLS_RSA_WITH_AES_256_CBC_SHA256"},
		{Suite: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
		{ExtendedMasterSecret: true}, {ClientCertificate: true},
		{Suite: "TLS_RSA_WITH_AES_128_CBC_SHA", EncryptThenMAC: true},
		{Version: "1.3", ClientCertificate: true}, {Resume: true}, {Version: "1.3", Resume: true},
		{Version: "1.3", Resume: true, EarlyData: true}, {Both: true},
		{Both: true, OldServer: true},
		{Version: "1.3", Group: "x25519mlkem768"}, {Certificate: "rsa", Version: "1.3"},
		{Certificate: "ed25519", Version: "1.3"}, {Pieces: 7},
	} {
		first, err := Run(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Run(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if first.Digest != again.Digest {
			t.Errorf("%+v: two runs differ", s)
		}
		if first.Verdict.Outcome != Untouched {
			b, _ := json.MarshalIndent(first.Verdict, "", " ")
			t.Errorf("%+v: %s, %+v", s, b, first.Ends)
		}
	}
}
