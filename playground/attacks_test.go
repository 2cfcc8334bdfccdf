package playground

import (
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// run performs a run that must begin.
func run(t testing.TB, s Setup, acts ...Act) *Result {
	t.Helper()
	r, err := Run(s, acts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// RFC 5246 §7.4.7.1: whatever is wrong with the block, the server says so at its client's Finished,
// and in the same words.
func TestABadPreMasterTellsNothingButToTheCarelessTwin(t *testing.T) {
	for _, careless := range []Careless{Careful, Bleichenbacher} {
		s := Setup{Suite: "TLS_RSA_WITH_AES_128_CBC_SHA", Careless: careless}
		r := run(t, s)
		if r.Verdict.Outcome != Untouched {
			t.Fatalf("%q: an honest client ended %s", careless, r.Verdict.Sentence)
		}
		answers := map[string]bool{}
		for _, wrong := range BadPreMasters() {
			act, err := r.BadKeyExchange(wrong)
			if err != nil {
				t.Fatal(err)
			}
			v := run(t, s, act).Verdict
			t.Logf("%q, %s: %s", careless, wrong, v.Sentence)
			if v.Outcome != Caught || v.By != iana.Server {
				t.Errorf("%q, %s: %+v", careless, wrong, v)
			}
			answers[v.Alert+v.Check+v.Section] = true
		}
		if want := map[Careless]int{Careful: 1, Bleichenbacher: 3}[careless]; len(answers) != want {
			t.Errorf("%q: %d answers, expected %d", careless, len(answers), want)
		}
	}
}

// A server that says whether the padding or the MAC was wrong decrypts for anybody who asks.
func TestAByteIsDecryptedByTheCarelessTwinAlone(t *testing.T) {
	s := Setup{Suite: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Request: "the PIN is: 4711 today"}
	if b, tries, ok, err := DecryptByte(s, 1); ok || err != nil || tries != 256 {
		t.Errorf("the careful server told %q after %d tries: %v", b, tries, err)
	}
	s.Careless = PaddingOracle
	if b, tries, ok, err := DecryptByte(s, 1); !ok || b != '1' || err != nil {
		t.Errorf("got %q after %d tries, %v, expected '1': %v", b, tries, ok, err)
	}
}

// Who gets the server's key later reads a recording of an RSA key exchange, and none of an
// ephemeral one.
func TestTheKeyOpensARecordingOfRSAAlone(t *testing.T) {
	for suite, opens := range map[string]bool{
		"TLS_RSA_WITH_AES_128_GCM_SHA256": true, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": false,
		"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256": false, "TLS_RSA_WITH_AES_256_CBC_SHA256": true,
	} {
		o, err := run(t, Setup{Suite: suite}).Later()
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Read[iana.Client] == Request && o.Read[iana.Server] == Response; got != opens {
			t.Errorf("%s: %+v, expected to open: %v", suite, o, opens)
		}
		if !opens && (o.Reason == "" || o.Read != [2]string{}) {
			t.Errorf("%s: %+v", suite, o)
		}
	}
}
