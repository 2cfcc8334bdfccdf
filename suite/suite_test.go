package suite

import (
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/record"
)

// spoken is what the registry of this package promises to have, in the IANA's tokens.
var spoken = regexp.MustCompile(`^TLS_(RSA|DHE_RSA|ECDHE_RSA|ECDHE_ECDSA|PSK|DHE_PSK|PSK_DHE|ECDHE_PSK|RSA_PSK)_WITH_` +
	`(3DES_EDE_CBC|NULL|AES_(?:128|256)_(?:CBC|GCM|CCM|CCM_8)|CHACHA20_POLY1305)(?:_(SHA|SHA256|SHA384))?$`)

func TestRegistryHasEverySuiteThatCombinesItsParts(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testkit.Root(), "iana", "registry.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var want []iana.CipherSuite
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if !spoken.MatchString(f[1]) {
			continue
		}
		id, ok := iana.SuiteByName(f[0])
		if !ok {
			t.Fatalf("registry.tsv: %q", line)
		}
		want = append(want, id)
	}
	var got []iana.CipherSuite
	for _, s := range All() {
		got = append(got, s.ID)
	}
	if !slices.Equal(got, want) { // both sorted
		t.Errorf("got %v, expected %v", got, want)
	}
	t.Logf("%d suites", len(got))
	if len(got) == 0 {
		t.Error("no suites")
	}
}

// RFC 5246 appendix C: a name says what the suite is made of.
func TestColumnsAreWhatTheNameSays(t *testing.T) {
	var (
		macs = map[string]*record.MAC{"SHA": record.HMAC_SHA1, "SHA256": record.HMAC_SHA256,
			"SHA384": record.HMAC_SHA384}
		prfs = map[string]crypto.Hash{"": crypto.SHA256, "SHA": crypto.SHA256,
			"SHA256": crypto.SHA256, "SHA384": crypto.SHA384}
		bits = regexp.MustCompile(`_(128|256)_`)
	)
	for _, s := range All() {
		tokens := spoken.FindStringSubmatch(s.ID.String())
		if tokens == nil {
			t.Errorf("%v is made of parts that this test does not know", s)
			continue
		}
		exchange, cipher, hash := tokens[1], tokens[2], tokens[3]
		spelled := s.Kex.String() + "_" + s.Auth.String()
		if s.Kex == iana.KexRSA && s.Auth == iana.AuthRSA {
			spelled = "RSA" // who can decrypt has proved to have the key
		}
		if s.Auth == iana.AuthPSK {
			spelled = s.Kex.String()
		}
		if exchange == "PSK_DHE" {
			exchange = "DHE_PSK" // RFC 6655 §4 has its words the other way round
		}
		if spelled != exchange {
			t.Errorf("%v: got key exchange and authentication %s", s, spelled)
		}
		if s.Cipher.Name != cipher {
			t.Errorf("%v: got cipher %s", s, s.Cipher.Name)
		}
		if s.PRF != prfs[hash] {
			t.Errorf("%v: got PRF %v", s, s.PRF)
		}
		if mac := macs[hash]; s.Cipher.AEAD() && s.MAC != nil ||
			!s.Cipher.AEAD() && (mac == nil || s.MAC != mac) {
			t.Errorf("%v: got MAC %v", s, s.MAC)
		}
		if b := bits.FindStringSubmatch(s.ID.String()); b != nil &&
			fmt.Sprint(8*s.Cipher.KeyLen) != b[1] {
			t.Errorf("%v: got a key of %d bytes", s, s.Cipher.KeyLen)
		}
		if s.ForwardSecret() != strings.Contains(exchange, "DHE") {
			t.Errorf("%v: forward secret: %t", s, s.ForwardSecret())
		}
		if ByID(s.ID) != s {
			t.Errorf("%v is not found by its ID", s)
		}
	}
}

func TestOtherIDsHaveNoRow(t *testing.T) {
	for _, id := range []iana.CipherSuite{0, iana.TLS_RSA_WITH_RC4_128_SHA,
		iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV, iana.TLS_FALLBACK_SCSV,
		iana.TLS_AES_128_GCM_SHA256, iana.TLS_DH_anon_WITH_AES_128_CBC_SHA, 0x0A0A, 0xFFFF} {
		if s := ByID(id); s != nil {
			t.Errorf("%v has the row %v", id, s)
		}
	}
}

func TestAllHandsOutACopy(t *testing.T) {
	All()[0] = nil
	if All()[0] == nil {
		t.Error("the registry changed")
	}
}

// The four kinds of suite, version by version.
func TestShapeAndPRFFollowTheVersion(t *testing.T) {
	for _, c := range []struct {
		id   iana.CipherSuite
		v    iana.Version
		want string // MAC, key, IV, PRF
	}{
		// RFC 5246 §6.2.3.2: the record brings the IV
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, iana.TLS12, "32 32 0 SHA-256"},
		// RFC 5289 §3.1
		{iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, iana.TLS12, "48 32 0 SHA-384"},
		// RFC 5246 §5
		{iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS12, "20 16 0 SHA-256"},
		// RFC 4346 §6.2.3.2
		{iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS11, "20 16 0 MD5+SHA1"},
		// RFC 2246 §6.3
		{iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS10, "20 16 16 MD5+SHA1"},
		// RFC 2246 appendix C
		{iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA, iana.TLS10, "20 24 8 MD5+SHA1"},
		// RFC 5246 appendix C
		{iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA, iana.TLS12, "20 24 0 SHA-256"},
		// RFC 2246 appendix C
		{iana.TLS_RSA_WITH_NULL_SHA, iana.TLS10, "20 0 0 MD5+SHA1"},
		// RFC 5246 appendix C
		{iana.TLS_RSA_WITH_NULL_SHA256, iana.TLS12, "32 0 0 SHA-256"},
		// RFC 5288 §3
		{iana.TLS_RSA_WITH_AES_128_GCM_SHA256, iana.TLS12, "0 16 4 SHA-256"},
		// RFC 5288 §3
		{iana.TLS_RSA_WITH_AES_256_GCM_SHA384, iana.TLS12, "0 32 4 SHA-384"},
		// RFC 6655 §3
		{iana.TLS_RSA_WITH_AES_256_CCM_8, iana.TLS12, "0 32 4 SHA-256"},
		// RFC 7905 §2
		{iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, iana.TLS12, "0 32 12 SHA-256"},
	} {
		s := ByID(c.id)
		shape := s.Shape(c.v)
		if got := fmt.Sprint(shape.MAC, shape.Key, shape.IV, s.PRFHash(c.v)); got != c.want {
			t.Errorf("%v in %v: got %s, expected %s", c.id, c.v, got, c.want)
		}
	}
}

// What keys cuts is what record takes.
func TestEveryShapeFitsItsProtection(t *testing.T) {
	n := 0
	for _, s := range All() {
		for v := s.MinVersion(); v <= iana.TLS12; v++ {
			n++
			shape := s.Shape(v)
			k := record.Keys{MAC: make([]byte, shape.MAC), Key: make([]byte, shape.Key),
				IV: make([]byte, shape.IV)}
			if _, err := record.New(s.Cipher, s.MAC,
				record.Params{Version: v, Keys: k}); err != nil {
				t.Errorf("%v in %v: %v", s, v, err)
			}
		}
	}
	t.Logf("%d protections", n)
}

// RFC 5246 §1.2: the cipher suites with HMAC-SHA256 and the AEADs are new in TLS 1.2.
func TestMinVersion(t *testing.T) {
	for _, s := range All() {
		want := iana.TLS12
		if strings.HasSuffix(s.ID.String(), "_SHA") {
			want = iana.TLS10
		}
		if got := s.MinVersion(); got != want {
			t.Errorf("%v: got %v, expected %v", s, got, want)
		}
	}
}
