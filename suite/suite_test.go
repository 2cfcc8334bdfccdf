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

// negotiable matches the names of the suites that belong in the registry.
var negotiable = regexp.MustCompile(`^TLS_(RSA|DHE_RSA|ECDHE_RSA|ECDHE_ECDSA|` +
	`PSK|DHE_PSK|PSK_DHE|ECDHE_PSK|RSA_PSK)_WITH_` +
	`(3DES_EDE_CBC|NULL|AES_(?:128|256)_(?:CBC|GCM|CCM|CCM_8)|CHACHA20_POLY1305)` +
	`(?:_(SHA|SHA256|SHA384))?$`)

func TestRegistryIsComplete(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testkit.Root(), "iana", "registry.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var want []iana.CipherSuite
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if !negotiable.MatchString(f[1]) {
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

// The columns of a suite follow from its name. See RFC 5246 appendix C.
func TestColumnsMatchNames(t *testing.T) {
	var (
		macs = map[string]*record.MAC{"SHA": record.HMAC_SHA1, "SHA256": record.HMAC_SHA256,
			"SHA384": record.HMAC_SHA384}
		prfs = map[string]crypto.Hash{"": crypto.SHA256, "SHA": crypto.SHA256,
			"SHA256": crypto.SHA256, "SHA384": crypto.SHA384}
		bits = regexp.MustCompile(`_(128|256)_`)
	)
	for _, s := range All() {
		tokens := negotiable.FindStringSubmatch(s.ID.String())
		if tokens == nil {
			t.Errorf("%v is made of parts that this test does not know", s)
			continue
		}
		exchange, cipher, hash := tokens[1], tokens[2], tokens[3]
		spelled := s.kex.String() + "_" + s.auth.String()
		if s.kex == iana.KexRSA && s.auth == iana.AuthRSA {
			spelled = "RSA" // decrypting the pre_master_secret proves possession of the key
		}
		if s.auth == iana.AuthPSK {
			spelled = s.kex.String()
		}
		if exchange == "PSK_DHE" {
			exchange = "DHE_PSK" // RFC 6655 §4 swaps the words
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

func TestByIDOfOtherSuitesIsNil(t *testing.T) {
	for _, id := range []iana.CipherSuite{0, iana.TLS_RSA_WITH_RC4_128_SHA,
		iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV, iana.TLS_FALLBACK_SCSV,
		iana.TLS_AES_128_GCM_SHA256, iana.TLS_DH_anon_WITH_AES_128_CBC_SHA, 0x0A0A, 0xFFFF} {
		if s := ByID(id); s != nil {
			t.Errorf("%v has the row %v", id, s)
		}
	}
}

func TestAllReturnsACopy(t *testing.T) {
	All()[0] = nil
	if All()[0] == nil {
		t.Error("the registry changed")
	}
}

// Suites with each kind of cipher, in each version.
func TestSuitesHaveTheirKeyLengthsAndHash(t *testing.T) {
	for _, c := range []struct {
		id   iana.CipherSuite
		v    iana.Version
		ref  string
		want string // bytes of MAC key, key and IV, and the hash of the PRF
	}{
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, iana.TLS12,
			"RFC 5246 §6.2.3.2", "32 32 0 SHA-256"}, // the record carries the IV
		{iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, iana.TLS12,
			"RFC 5289 §3.1", "48 32 0 SHA-384"},
		{iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS12, "RFC 5246 §5", "20 16 0 SHA-256"},
		{iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS11, "RFC 4346 §6.2.3.2", "20 16 0 MD5+SHA1"},
		{iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS10, "RFC 2246 §6.3", "20 16 16 MD5+SHA1"},
		{iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA, iana.TLS10, "RFC 2246 appendix C", "20 24 8 MD5+SHA1"},
		{iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA, iana.TLS12, "RFC 5246 appendix C", "20 24 0 SHA-256"},
		{iana.TLS_RSA_WITH_NULL_SHA, iana.TLS10, "RFC 2246 appendix C", "20 0 0 MD5+SHA1"},
		{iana.TLS_RSA_WITH_NULL_SHA256, iana.TLS12, "RFC 5246 appendix C", "32 0 0 SHA-256"},
		{iana.TLS_RSA_WITH_AES_128_GCM_SHA256, iana.TLS12, "RFC 5288 §3", "0 16 4 SHA-256"},
		{iana.TLS_RSA_WITH_AES_256_GCM_SHA384, iana.TLS12, "RFC 5288 §3", "0 32 4 SHA-384"},
		{iana.TLS_RSA_WITH_AES_256_CCM_8, iana.TLS12, "RFC 6655 §3", "0 32 4 SHA-256"},
		{iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, iana.TLS12,
			"RFC 7905 §2", "0 32 12 SHA-256"},
	} {
		s := ByID(c.id)
		shape := s.Shape(c.v)
		if got := fmt.Sprint(shape.MAC, shape.Key, shape.IV, s.PRFHash(c.v)); got != c.want {
			t.Errorf("%v in %v: got %s, expected %s (%s)", c.id, c.v, got, c.want, c.ref)
		}
	}
}

// Package record accepts keys of the lengths that Shape returns.
func TestShapeFitsProtection(t *testing.T) {
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
func TestSuitesWithSHA256OrAEADsNeedTLS12(t *testing.T) {
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
